"""Compares the fields that a plan would write with those of the leads' campaigns, while the plan reads its leads."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from syncengine.checking.field_names import advice_on
from syncengine.core.changes import Origin
from syncengine.core.finding import Evidence, Finding
from syncengine.core.operations import Update
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import LeadId
from syncengine.findings.operations import OPEN
from syncengine.leadbyte.probes import CAMPAIGNS_PATH, Probe, ProbeAnswer, field_names

_MOST_USES = 5_000
_MOST_CAMPAIGNS = 50


class _FieldUse(msgspec.Struct):
    change: tuple[str, str]
    origin: Origin
    lead: LeadId
    operation: str
    leads: int = 1


class CampaignFields:
    """Receives every operation, then requests each campaign's fields once. `campaign_of` returns what was read of a
    lead.

    The digest does not cover its findings, since they depend on the service and not on the changesets.
    """

    def __init__(self, campaign_of: Callable[[LeadId], str | None], probe: Probe) -> None:
        self._campaign_of = campaign_of
        self._probe = probe
        self._uses: dict[str, dict[tuple[str, str], _FieldUse]] = {}
        self._count = 0
        self._unasked: list[str] = []

    def see(self, planned: PlannedOperation) -> None:
        """Receive one operation, in order."""
        operation = planned.operation
        if not isinstance(operation, Update) or planned.state not in OPEN:
            return
        campaign = self._campaign_of(operation.lead)
        if campaign is None:
            return
        uses = self._uses.setdefault(campaign, {})
        for name in planned.send or operation.fields:
            known = uses.get((planned.changeset, name))
            if known is not None:
                known.leads += 1
            elif self._count < _MOST_USES:
                self._count += 1
                change = (planned.changeset, planned.change)
                uses[planned.changeset, name] = _FieldUse(change, planned.origin, operation.lead, planned.id)

    def findings(self) -> list[Finding]:
        """One finding for each field that its campaign does not have. Call it once, at the end."""
        found: list[Finding] = []
        for campaign, uses in list(self._uses.items())[:_MOST_CAMPAIGNS]:
            found += self._of_campaign(campaign, uses)
        return found

    def notes(self) -> tuple[str, ...]:
        """Why fields could not be compared; complete after `findings`."""
        return tuple(self._unasked)

    def _of_campaign(self, campaign: str, uses: dict[tuple[str, str], _FieldUse]) -> list[Finding]:
        heard = self._probe.ask(f"{CAMPAIGNS_PATH}/{campaign}", "query")
        names = field_names(heard.document) if isinstance(heard, ProbeAnswer) and heard.status == 200 else None
        if names is None:
            why = f"HTTP {heard.status}: {heard.words}" if isinstance(heard, ProbeAnswer) else heard.reason
            self._unasked.append(f"field names could not be compared with those of campaign {campaign} ({why})")
            return []
        return [
            self._finding(name, use, f"is no field of campaign {campaign} ({advice_on(name, names)})")
            for (_, name), use in uses.items()
            if name not in names
        ]

    def _finding(self, name: str, use: _FieldUse, why: str) -> Finding:
        changeset, change = use.change
        leads = f"{use.leads:,} {'lead' if use.leads == 1 else 'leads'}"
        return Finding(
            rule="field-unknown",
            severity="high",
            message=f"the field {name} {why}: {leads} of change {change} of {changeset}",
            changeset=changeset,
            change=change,
            count=use.leads,
            leads=(use.lead,),
            evidence=(
                Evidence(
                    operation=use.operation, lead=use.lead, field=name, file=use.origin.file, line=use.origin.line,
                    row=use.origin.row,
                ),
            ),
        )  # fmt: skip
