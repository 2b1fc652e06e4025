"""Counts of a plan, accumulated as its operations stream by."""

from __future__ import annotations

from syncengine.core.operations import Financials, Kind, counter_of, kind_of
from syncengine.core.plan import Counts, Moved, PlannedOperation, State
from syncengine.core.values import margin_of


class OperationCounter:
    """Counts operations. `new_lead` says whether the operation is the first to be sent for its lead."""

    def __init__(self) -> None:
        self._states = dict.fromkeys(State, 0)
        self._kinds = dict.fromkeys(Kind, 0)
        self._leads = 0
        self._entries = 0
        self._last_entry = 0
        self._payouts = _AmountSums()
        self._revenues = _AmountSums()
        self._margins = _AmountSums()
        self._skipped = 0

    def add(self, planned: PlannedOperation, *, new_lead: bool) -> None:
        """Count one operation."""
        self._states[planned.state] += 1
        if planned.state is not State.TO_SEND:
            return
        self._kinds[kind_of(planned.operation)] += 1
        self._leads += new_lead
        if planned.entry != self._last_entry:
            self._entries += 1
            self._last_entry = planned.entry
        operation = planned.operation
        if operation.__class__ is Financials:
            self._money(planned, operation)

    def _money(self, planned: PlannedOperation, operation: Financials) -> None:
        payout, revenue = operation.payout, operation.revenue
        old_payout, old_revenue = planned.amount_before("payout"), planned.amount_before("revenue")
        if payout is not None and "payout" in planned.send:
            self._payouts.add(old_payout, payout)
        if revenue is not None and "revenue" in planned.send:
            self._revenues.add(old_revenue, revenue)
        if payout is not None and revenue is not None:
            self._margins.add(margin_of(old_payout, old_revenue), revenue - payout)

    def skip(self, fields: int) -> None:
        """Count fields that `skip_empty` left out."""
        self._skipped += fields

    def counts(self) -> Counts:
        """The totals so far."""
        states = self._states
        return Counts(
            total=sum(states.values()),
            to_send=states[State.TO_SEND],
            already_applied=states[State.ALREADY_APPLIED],
            unchanged=states[State.UNCHANGED],
            held=states[State.HELD],
            blocked=states[State.BLOCKED],
            in_doubt=states[State.IN_DOUBT],
            leads=self._leads,
            entries=self._entries,
            **{counter_of(kind): number for kind, number in self._kinds.items()},
            payout=self._payouts.new,
            revenue=self._revenues.new,
            payouts=self._payouts.moved(),
            revenues=self._revenues.moved(),
            margins=self._margins.moved(),
            skipped_fields=self._skipped,
        )


class _AmountSums:
    def __init__(self) -> None:
        self.count = self.new = self.known = self.old = self.known_new = 0

    def add(self, old: int | None, new: int) -> None:
        self.count += 1
        self.new += new
        if old is not None:
            self.known += 1
            self.old += old
            self.known_new += new

    def moved(self) -> Moved:
        return Moved(count=self.count, new=self.new, known=self.known, old=self.old, known_new=self.known_new)
