"""The sandbox's in-memory data: leads, deliveries and campaigns, and how an effect changes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from syncengine.sandbox.entities import QUARANTINE_PREFIX, Campaign, Delivery, Effect, Lead, LeadState


class SandboxState:
    """Leads, deliveries and campaigns.

    With `any_lead` every number is an approved lead, and every quarantineId a quarantined one, even if it is not
    listed. Such a lead is created by its first effect, never by a look-up. Raises ValueError for two leads with one
    number.
    """

    def __init__(
        self,
        leads: Iterable[Lead],
        deliveries: Iterable[Delivery],
        campaigns: Iterable[Campaign],
        *,
        any_lead: bool = False,
    ) -> None:
        self._leads: dict[str, Lead] = {}
        self._any_lead = any_lead
        self.deliveries = {item.number: item for item in deliveries}
        self.campaigns = {item.number: item for item in campaigns}
        for lead in leads:
            if lead.number in self._leads or QUARANTINE_PREFIX + lead.number in self._leads:
                raise ValueError(f"two leads have the number {lead.number}: give one of them another number")
            self._leads[lead.reference] = lead

    def lead(self, number: str, now: float) -> Lead | None:
        """The lead with this number. A released lead keeps the number it had in quarantine."""
        found = self._leads.get(number)
        if found is not None:
            return found
        waiting = self._leads.get(QUARANTINE_PREFIX + number)
        if waiting is not None:
            settle(waiting, now)
            return None if waiting.in_quarantine else waiting
        return Lead(number, LeadState.APPROVED) if self._any_lead else None

    def quarantined(self, number: str, now: float) -> Lead | None:
        """The lead with this quarantineId, as long as it is in quarantine."""
        reference = QUARANTINE_PREFIX + number
        found = self._leads.get(reference)
        if found is None:
            unlisted = self._any_lead and number not in self._leads
            return Lead(reference, LeadState.QUARANTINED) if unlisted else None
        settle(found, now)
        return found if found.in_quarantine else None

    def all_leads(self, now: float) -> Iterator[Lead]:
        for lead in self._leads.values():
            settle(lead, now)
            yield lead

    def apply(self, effect: Effect, at: str) -> None:
        """Apply an effect. Creates a lead that is not known yet: it must have been known when the effect was
        decided."""
        lead = self._leads.get(effect.lead)
        if lead is None:
            quarantined = effect.lead.startswith(QUARANTINE_PREFIX)
            lead = Lead(effect.lead, LeadState.QUARANTINED if quarantined else LeadState.APPROVED)
            self._leads[effect.lead] = lead
        lead.history.append((at, _change(lead, effect)))


def settle(lead: Lead, now: float) -> None:
    """Apply a queued release or rejection once it is due."""
    if lead.next_state is not None and now >= lead.due:
        lead.state, lead.next_state = lead.next_state, None


def _change(lead: Lead, effect: Effect) -> str:
    """Change the lead and append the change to its history."""
    match effect.effect:
        case "update":
            fields = effect.fields or {}
            lead.fields.update(fields)
            return "Updated: " + ", ".join(fields)
        case "reprocess":
            return "Reprocessed"
        case "trigger":
            return f"Delivery {effect.delivery} triggered"
        case "financials":
            return _change_financials(lead, effect)
        case "release":
            lead.becomes(LeadState.VALID, effect.due)
            return "Released from quarantine"
        case "reject":
            lead.becomes(LeadState.REJECTED, effect.due)
            return "Rejected from quarantine"
        case "return":
            return f"Return queued: buyer {effect.buyer}, reason {effect.reason}"
        case _ as never:
            assert_never(never)


def _change_financials(lead: Lead, effect: Effect) -> str:
    changed = []
    if effect.payout is not None:
        lead.payout = effect.payout
        changed.append(f"payout {effect.payout}")
    if effect.revenue is not None:
        lead.revenue = effect.revenue
        changed.append(f"revenue {effect.revenue}")
    if effect.buyer is not None:
        lead.buyer = effect.buyer
        changed.append(f"buyer {effect.buyer}")
    return "Financials: " + ", ".join(changed)
