"""Groups parcels into requests, up to the limits. Lanes ensures that a lead occurs once in each.

A request holds leads or quarantined leads, never both: the service documents no mixture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncengine.core.operations import Call, Financials, spec_of
from syncengine.core.outcomes import Parcel
from syncengine.core.settings import Limits
from syncengine.core.values import is_quarantined


def financial_terms(parcel: Parcel) -> tuple[int | None, int | None, str | None] | None:
    """Payout, revenue and buyer, which a financials call states once for all leads; None for other parcels."""
    operation = parcel.parts[0].operation
    if not isinstance(operation, Financials):
        return None
    return operation.payout, operation.revenue, operation.buyer


class _Draft:
    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.irreversible = 0

    def add(self, parcel: Parcel, irreversible: int) -> None:
        self.parcels.append(parcel)
        self.irreversible += irreversible

    def take(self) -> tuple[Parcel, ...]:
        taken = tuple(self.parcels)
        self.parcels.clear()
        self.irreversible = 0
        return taken


class Batcher:
    """Holds three open drafts at most: of entries, of quarantined leads' entries, of financials with the same terms."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries = _Draft()
        self._quarantined = _Draft()
        self._financials = _Draft()

    def add(self, parcel: Parcel) -> Sequence[tuple[Parcel, ...]]:
        """Add a parcel. Yields the requests that this completes, in order."""
        # Evaluated once: this runs for every parcel.
        parts = parcel.parts
        spec = spec_of(parts[0].operation)
        if spec.alone:
            # The call takes one lead, so it is complete at once. The open drafts keep filling.
            return ((parcel,),)
        if spec.call is Call.FINANCIALS:
            return self._add_financial(parcel)
        return self._add_entry(parcel, spec.irreversible if len(parts) == 1 else parcel.irreversible)

    @property
    def room(self) -> int:
        """Number of entries that complete the current draft."""
        return self._limits.leads_per_request - len(self._entries.parcels)

    def flush(self) -> Iterator[tuple[Parcel, ...]]:
        """Yield the open drafts."""
        for draft in (self._entries, self._quarantined, self._financials):
            if draft.parcels:
                yield draft.take()

    @property
    def is_empty(self) -> bool:
        """Whether no draft is open."""
        return not (self._entries.parcels or self._quarantined.parcels or self._financials.parcels)

    def _add_entry(self, parcel: Parcel, irreversible: int) -> Sequence[tuple[Parcel, ...]]:
        limits = self._limits
        draft = self._quarantined if is_quarantined(parcel.lead) else self._entries
        over = draft.irreversible + irreversible > limits.irreversible_per_request
        complete = [draft.take()] if irreversible and draft.parcels and over else []
        draft.add(parcel, irreversible)
        if len(draft.parcels) >= limits.leads_per_request:
            complete.append(draft.take())
        return complete

    def _add_financial(self, parcel: Parcel) -> Sequence[tuple[Parcel, ...]]:
        draft = self._financials
        complete: list[tuple[Parcel, ...]] = []
        if draft.parcels and financial_terms(parcel) != financial_terms(draft.parcels[0]):
            complete.append(draft.take())
        draft.add(parcel, 0)
        if len(draft.parcels) >= self._limits.financials_per_request:
            complete.append(draft.take())
        return complete
