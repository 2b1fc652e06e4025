"""Counts of a plan, folded as its operations stream by."""

from __future__ import annotations

from collections import Counter

from syncengine.core.operations import Financials, kind_of
from syncengine.core.plan import Counts, PlannedOperation, State


class Tally:
    """Adds up operations. `new_lead` says whether the operation's lead is to be sent for the first time."""

    def __init__(self) -> None:
        self._states: Counter[State] = Counter()
        self._kinds: Counter[str] = Counter()
        self._leads = 0
        self._entries = 0
        self._last_entry = 0
        self._payout = 0
        self._revenue = 0
        self._skipped = 0

    def add(self, planned: PlannedOperation, *, new_lead: bool) -> None:
        """Count one operation."""
        self._states[planned.state] += 1
        if planned.state is not State.TO_SEND:
            return
        self._kinds[kind_of(planned.operation).value] += 1
        self._leads += new_lead
        if planned.entry != self._last_entry:
            self._entries += 1
            self._last_entry = planned.entry
        if isinstance(planned.operation, Financials):
            if "payout" in planned.send:
                self._payout += planned.operation.payout or 0
            if "revenue" in planned.send:
                self._revenue += planned.operation.revenue or 0

    def skip(self, fields: int) -> None:
        """Count fields that `skip_empty` left out."""
        self._skipped += fields

    def counts(self) -> Counts:
        """The sums so far."""
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
            update=self._kinds["update"],
            reprocess=self._kinds["reprocess"],
            trigger=self._kinds["trigger"],
            financials=self._kinds["financials"],
            payout=self._payout,
            revenue=self._revenue,
            skipped_fields=self._skipped,
        )
