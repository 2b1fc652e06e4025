"""Groups entries into requests, up to the limits. Lanes ensures that a lead occurs once in each.

A request holds leads or quarantined leads, never both: the service documents no mixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncengine.core.operations import Call, Financials, spec_of
from syncengine.core.outcomes import LeadEntry
from syncengine.core.settings import Limits
from syncengine.core.values import is_quarantined


def financial_terms(entry: LeadEntry) -> tuple[int | None, int | None, str | None] | None:
    """Payout, revenue and buyer, which a financials call states once for all leads; None for other entries."""
    operation = entry.parts[0].operation
    if not isinstance(operation, Financials):
        return None
    return operation.payout, operation.revenue, operation.buyer


class _Draft:
    def __init__(self) -> None:
        self.entries: list[LeadEntry] = []
        self.irreversible = 0

    def add(self, entry: LeadEntry, irreversible: int) -> None:
        self.entries.append(entry)
        self.irreversible += irreversible

    def take(self) -> tuple[LeadEntry, ...]:
        taken = tuple(self.entries)
        self.entries.clear()
        self.irreversible = 0
        return taken


class Batcher:
    """Holds three open drafts at most: of entries, of quarantined leads' entries, of financials with the same terms."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries = _Draft()
        self._quarantined = _Draft()
        self._financials = _Draft()

    def add(self, entry: LeadEntry) -> Sequence[tuple[LeadEntry, ...]]:
        """Add an entry. Yields the requests that this completes, in order."""
        # Evaluated once: this runs for every entry.
        parts = entry.parts
        spec = spec_of(parts[0].operation)
        if spec.alone:
            # The call takes one lead, so it is complete at once. The open drafts keep filling.
            return ((entry,),)
        if spec.call is Call.FINANCIALS:
            return self._add_financial(entry)
        return self._add_entry(entry, spec.irreversible if len(parts) == 1 else entry.irreversible)

    @property
    def room(self) -> int:
        """Number of entries that complete the current draft."""
        return self._limits.leads_per_request - len(self._entries.entries)

    def flush(self) -> Iterator[tuple[LeadEntry, ...]]:
        """Yield the open drafts."""
        for draft in (self._entries, self._quarantined, self._financials):
            if draft.entries:
                yield draft.take()

    @property
    def is_empty(self) -> bool:
        """Whether no draft is open."""
        return not (self._entries.entries or self._quarantined.entries or self._financials.entries)

    def _add_entry(self, entry: LeadEntry, irreversible: int) -> Sequence[tuple[LeadEntry, ...]]:
        limits = self._limits
        draft = self._quarantined if is_quarantined(entry.lead) else self._entries
        over = draft.irreversible + irreversible > limits.irreversible_per_request
        complete = [draft.take()] if irreversible and draft.entries and over else []
        draft.add(entry, irreversible)
        if len(draft.entries) >= limits.leads_per_request:
            complete.append(draft.take())
        return complete

    def _add_financial(self, entry: LeadEntry) -> Sequence[tuple[LeadEntry, ...]]:
        draft = self._financials
        complete: list[tuple[LeadEntry, ...]] = []
        if draft.entries and financial_terms(entry) != financial_terms(draft.entries[0]):
            complete.append(draft.take())
        draft.add(entry, 0)
        if len(draft.entries) >= self._limits.financials_per_request:
            complete.append(draft.take())
        return complete
