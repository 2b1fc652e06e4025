"""What the HTML view draws of money: how many times of before each amount becomes, and the largest differences."""

from __future__ import annotations

from heapq import heappush, heappushpop

import msgspec

from syncengine.core.operations import Financials
from syncengine.core.plan import PlannedOperation
from syncengine.findings.operations import OPEN
from syncengine.reports.vocabulary import number, plural

WIDTH = 1000
"""Units from the left edge to the right; the page stretches them to whatever room there is."""

LARGEST = 10

_EDGES = (0.01, 0.1, 0.2, 0.333, 0.5, 0.8, 0.95, 1.05, 1.25, 2, 3, 5, 10, 100)
_LABELS = (
    "under 1/100", "1/100 to 1/10", "1/10 to 1/5", "1/5 to 1/3", "1/3 to 1/2", "1/2 to 0.8", "0.8 to 0.95",
    "about the same", "1.05 to 1.25", "1.25 to 2", "2 to 3", "3 to 5", "5 to 10", "10 to 100", "over 100",
)  # fmt: skip
_FAR = frozenset({0, 1, 2, 12, 13, 14})
"""Buckets whose amounts are over five times or under a fifth of what they were."""


class Bar(msgspec.Struct, frozen=True):
    """How many amounts became so many times of what they were."""

    label: str
    count: int
    width: int
    far: bool


class Difference(msgspec.Struct, frozen=True):
    """An amount and what it was, in hundredths."""

    operation: str
    lead: str
    name: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """After less before."""
        return self.after - self.before


class MoneyCharts:
    """Takes every operation once. Only what is still meant to be sent is looked at."""

    def __init__(self) -> None:
        self._buckets = [0] * len(_LABELS)
        self._zero = self._unknown = self._seen = 0
        self._largest: list[tuple[int, int, Difference]] = []

    def add(self, planned: PlannedOperation) -> None:
        """One more operation."""
        operation = planned.operation
        if not isinstance(operation, Financials) or planned.state not in OPEN:
            return
        for name, after in (("payout", operation.payout), ("revenue", operation.revenue)):
            if after is not None and planned.sends(name):
                self._amount(planned, name, planned.amount_before(name), after)

    def _amount(self, planned: PlannedOperation, name: str, before: int | None, after: int) -> None:
        if before is None:
            self._unknown += 1
            return
        if before <= 0 or after <= 0:
            self._zero += 1
        else:
            ratio = after / before
            self._buckets[sum(ratio >= edge for edge in _EDGES)] += 1
        self._seen += 1
        if after != before:
            self._rank(Difference(planned.id, planned.operation.lead, name, before, after))

    def _rank(self, difference: Difference) -> None:
        """Keep it where it is among the largest; of equal ones the first."""
        entry = (abs(difference.difference), -self._seen, difference)
        if len(self._largest) < LARGEST:
            heappush(self._largest, entry)
        else:
            heappushpop(self._largest, entry)

    def histogram(self) -> list[Bar]:
        """From the first bucket that holds an amount to the last."""
        held = [index for index, count in enumerate(self._buckets) if count]
        most = max(self._buckets)
        return [
            # At least a sliver: one amount beside thousands must still be seen.
            Bar(_LABELS[index], count, max(6, count * WIDTH // most) if count else 0, index in _FAR)
            for index, count in enumerate(self._buckets)
            if held and held[0] <= index <= held[-1]
        ]

    def largest(self) -> list[Difference]:
        """The largest difference first."""
        return [difference for *_, difference in sorted(self._largest, reverse=True, key=lambda entry: entry[:2])]

    def left_out_words(self) -> str:
        """What the histogram does not show; "" where it shows every amount."""
        told = []
        if self._zero:
            told.append(f"{plural(self._zero, 'amount')} from or to zero or below")
        if self._unknown:
            told.append(f"{number(self._unknown)} unknown before")
        return " and ".join(told)
