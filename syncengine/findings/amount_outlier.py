"""Amounts far from the median of their change."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from heapq import nlargest, nsmallest

from syncengine.core.finding import SHOWN
from syncengine.core.observations import AMOUNTS
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import format_money
from syncengine.findings.medians import median_of
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

FACTOR = 5
FEWEST = 10
TIER_PERCENT = 5

_Extreme = tuple[int, int, PlannedOperation]
"""The amount, minus its position so that of equal ones the first counts, and the operation."""


class AmountOutlier(Rule):
    """Keeps every amount as a number, and of the extreme ones the operations."""

    about = Description(
        name="amount-outlier",
        severity="high",
        threshold=f"amounts over {FACTOR} times or under a fifth of their change's median ({FEWEST} or more, zeros "
        "left "
        f"out). Where they are {TIER_PERCENT} % of the change or more they are a tier of their own: info",
        example="one payout of 800.00 among 500 of 80.00",
    )
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        self._folds = {name: _Amounts() for name in AMOUNTS}

    def look(self, chunk: Chunk) -> None:
        for name, fold in self._folds.items():
            found = [(after, amounts.planned) for amounts in chunk.money if (after := amounts.sent(name))]
            fold.kept.extend(
                after for amounts in chunk.money if (after := amounts.after(name)) and amounts.sent(name) is None
            )
            if found:
                fold.add(found)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for name, fold in self._folds.items():
            if not (fold.amounts or fold.kept):
                continue
            if len(fold.amounts) + len(fold.kept) >= FEWEST:
                yield from self._outliers(name, fold, change)
            self._folds[name] = _Amounts()

    def _outliers(self, name: str, fold: _Amounts, change: ChangeKey) -> Iterator[Found]:
        every = fold.amounts + fold.kept
        twice = median_of(every)
        count = _far(fold.amounts, twice)
        if not count:
            return
        sample = Sample()
        extremes = sorted(fold.extremes(), key=lambda extreme: -extreme[1])
        for amount, _, planned in [extreme for extreme in extremes if is_far(extreme[0], twice)][:SHOWN]:
            sample.add(planned, name, planned.value_before(name), format_money(amount))
        sample.count = count
        tier = (count + _far(fold.kept, twice)) * 100 >= TIER_PERCENT * len(every)
        verb = f"{name} is" if count == 1 else f"{name}s are"
        message = (
            f"{count:,} {verb} over {FACTOR} times or under a fifth of the median {format_money(twice // 2)} of "
            f"{counted(len(every), 'amount')} in {in_change(change)}" + (", a tier of their own" if tier else "")
        )
        yield self.found("info" if tier else "high", message, change, sample)


class _Amounts:
    def __init__(self) -> None:
        self.amounts = array("q")
        self.kept = array("q")
        """Amounts that are declared and so already: they are not reported, and the others are measured by them too."""
        self._largest: list[_Extreme] = []
        self._smallest: list[_Extreme] = []

    def add(self, found: list[tuple[int, PlannedOperation]]) -> None:
        start = len(self.amounts)
        amounts = [amount for amount, _ in found]
        self.amounts.extend(amounts)
        full = len(self._largest) >= SHOWN
        least, most = (self._largest[-1][0], self._smallest[-1][0]) if full else (0, 0)
        if full and max(amounts) <= least and min(amounts) >= most:
            return
        numbered = [(amount, -(start + index), planned) for index, (amount, planned) in enumerate(found)]
        self._largest = nlargest(SHOWN, [*self._largest, *numbered], key=lambda extreme: extreme[:2])
        self._smallest = nsmallest(SHOWN, [*self._smallest, *numbered], key=lambda e: (e[0], -e[1]))

    def extremes(self) -> list[_Extreme]:
        known = {position: (amount, position, planned) for amount, position, planned in self._largest + self._smallest}
        return list(known.values())


def _far(amounts: Iterable[int], twice: int) -> int:
    """How many are outliers; none where the median is no amount to compare with."""
    return sum(is_far(amount, twice) for amount in amounts) if twice > 0 else 0


def is_far(amount: int, twice: int) -> bool:
    """Whether an amount is an outlier where `twice` is twice the median."""
    return 2 * amount > FACTOR * twice or 2 * amount * FACTOR < twice
