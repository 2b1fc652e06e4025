"""Amounts that are many times what they were: pence for pounds, or a shifted decimal point."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import structs

from syncengine.core.finding import Severity
from syncengine.core.observations import AMOUNTS
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import format_money
from syncengine.findings.medians import median_of
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

FEWEST = 5
"""Amounts whose value before is known, from which a change is compared with itself."""
RECORDED = 10
"""Amounts on record from which they can be compared with."""
HIGH, MEDIUM = 10, 3

_ABOUT = Description(
    name="amount-scale",
    severity="high, medium",
    threshold=f"after / before, zeros left out, {FEWEST} or more known in a change: median at least {HIGH} or at most "
    f"1/{HIGH} high, at least {MEDIUM} or at most 1/{MEDIUM} medium. With fewer known: against the median of the "
    f"account's last 1,000 amounts of that kind on record, if there are {RECORDED}",
    example="150 payouts are 100 times what they were: pence?",
)


class AmountScale(Rule):
    """Compares the amounts of a change with those before."""

    about = _ABOUT
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        self._ratios = {name: _Ratios() for name in AMOUNTS}

    def look(self, chunk: Chunk) -> None:
        for amounts in chunk.money:
            for name in AMOUNTS:
                before, after = amounts.before(name), amounts.sent(name)
                if before and after:
                    self._ratios[name].add(after, before, amounts.planned, name)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for name, ratios in self._ratios.items():
            if ratios.count >= FEWEST:
                yield from self._judged(name, ratios, change)
            if ratios.count:
                self._ratios[name] = _Ratios()

    def _judged(self, name: str, ratios: _Ratios, change: ChangeKey) -> Iterator[Found]:
        for severity, level in _LEVELS:
            for side in (level, 1 / level):
                if ratios.median_is_beyond(side):
                    sample = ratios.beyond(side)
                    message = (
                        f"{counted(sample.count, name)} {_times(ratios.middle())} they were in {in_change(change)}"
                    )
                    yield self.found(severity, message + _pence(ratios.middle()), change, sample)
                    return


_LEVELS: tuple[tuple[Severity, int], ...] = (("high", HIGH), ("medium", MEDIUM))


def _severity_of(ratio: float) -> Severity | None:
    return next((severity for severity, level in _LEVELS if ratio >= level or ratio <= 1 / level), None)


class AmountScaleOnRecord(Rule):
    """Compares the amounts of a change of which too little is known before with those of the account's records."""

    about = _ABOUT
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self, recorded: Mapping[str, int]) -> None:
        """`recorded` holds the median of the last amounts of each kind, doubled so that it is whole."""
        self._recorded = recorded
        self._begin()

    def _begin(self) -> None:
        self._known = dict.fromkeys(AMOUNTS, 0)
        self._amounts: dict[str, list[int]] = {name: [] for name in AMOUNTS}
        self._samples = {name: Sample() for name in AMOUNTS}

    def look(self, chunk: Chunk) -> None:
        if not self._recorded:
            return
        for amounts in chunk.money:
            for name in AMOUNTS:
                self._known[name] += bool(amounts.after(name) and amounts.before(name))
                after = amounts.sent(name)
                if not after:
                    continue
                if name in self._recorded and self._known[name] < FEWEST:
                    self._amounts[name].append(after)
                    self._samples[name].add(amounts.planned, name, None, format_money(after))

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for name, amounts in self._amounts.items():
            twice = self._recorded.get(name, 0)
            if not amounts or twice <= 0 or self._known[name] >= FEWEST:
                continue
            ratio = median_of(amounts) / twice
            severity = _severity_of(ratio)
            if severity is not None:
                message = (
                    f"{counted(len(amounts), name)} {_times(ratio)} the account's usual {format_money(twice // 2)} in "
                    f"{in_change(change)}{_pence(ratio)}"
                )
                yield structs.replace(self.found(severity, message, change, self._samples[name]), basis="recorded")
        self._begin()


class _Ratios:
    """after / before of one kind of amount in one change: where the median lies against each level, exactly.

    A median is at least a level where more than half are; with half of them exactly, the two in the middle decide.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sides = {side: _Side() for level in (HIGH, MEDIUM) for side in (float(level), 1 / level)}
        self._rounded: Counter[float] = Counter()

    def add(self, after: int, before: int, planned: PlannedOperation, name: str) -> None:
        ratio = after / before
        self.count += 1
        self._rounded[_two_digits(ratio)] += 1
        for side, seen in self._sides.items():
            if ratio >= side if side > 1 else 0 < ratio <= side:
                seen.sample.add(planned, name, format_money(before), format_money(after))
                seen.nearest_in = min(seen.nearest_in, ratio) if side > 1 else max(seen.nearest_in, ratio)
                if seen.sample.count == 1:
                    seen.nearest_in = ratio
            elif seen.nearest_out is None or (ratio > seen.nearest_out if side > 1 else ratio < seen.nearest_out):
                seen.nearest_out = ratio

    def median_is_beyond(self, side: float) -> bool:
        seen = self._sides[side]
        if 2 * seen.sample.count != self.count:
            return 2 * seen.sample.count > self.count
        middle = (seen.nearest_in + (seen.nearest_out or 0.0)) / 2
        return middle >= side if side > 1 else 0 < middle <= side

    def beyond(self, side: float) -> Sample:
        return self._sides[side].sample

    def middle(self) -> float:
        """The median in two digits, for words."""
        passed = 0
        for ratio in sorted(self._rounded):
            passed += self._rounded[ratio]
            if 2 * passed >= self.count:
                return ratio
        return 1.0


class _Side:
    def __init__(self) -> None:
        self.sample = Sample()
        self.nearest_in = 0.0
        self.nearest_out: float | None = None


def _two_digits(ratio: float) -> float:
    return float(f"{ratio:.1e}") if math.isfinite(ratio) else 0.0


def _times(ratio: float) -> str:
    if ratio >= 1:
        return f"are {ratio:,.3g} times what" if ratio < 1000 else f"are {ratio:,.0f} times what"
    return f"are 1/{1 / ratio:,.3g} of what" if ratio > 0 else "have another sign than"


def _pence(ratio: float) -> str:
    return ": pence?" if 50 <= ratio <= 200 else ""
