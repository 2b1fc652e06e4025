"""What stands out within one change: amounts far from its median, buyers and deliveries that hardly any lead has.

Operations of one change stand together, so only one change is folded at a time.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.operations import Financials, Kind, Trigger
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import format_money
from syncengine.planning.watching import LINES, OPEN, change_words, limited, of_leads, place

FACTOR = 5
"""Amounts over five times or under a fifth of the median stand out."""
FEWEST = 10
"""Amounts that a median needs."""
RARE_PERCENT = 2
"""Percent of a change's leads below which a buyer or a delivery stands out."""
DISTINCT = 10_000
"""Different amounts of one change that are told apart; beyond, all are rounded to three significant digits."""
TARGETS = 1_000
"""Different buyers and deliveries of one change that are counted."""
_EXAMPLES = 3


class _Seen(msgspec.Struct):
    count: int
    lead: str
    origin: Origin
    label: str = ""


class _ByChange:
    """Folds one change at a time and keeps the lines that came of the earlier ones."""

    def __init__(self) -> None:
        self._change = ("", "")
        self._lines: list[str] = []
        self._more = 0

    def see(self, planned: PlannedOperation) -> None:
        """One operation, in order."""
        change = (planned.changeset, planned.change)
        if change != self._change:
            self._close()
            self._change = change
        if planned.state in OPEN:
            self._fold(planned)

    def warnings(self) -> tuple[str, ...]:
        """One line for each change and what stands out in it."""
        self._close()
        told = limited(self._lines)
        return (*told, f"and {self._more} more changes with the like") if self._more else told

    def _close(self) -> None:
        for line in self._found(change_words(*self._change)):
            if len(self._lines) <= LINES:
                self._lines.append(line)
            else:
                self._more += 1

    def _fold(self, planned: PlannedOperation) -> None:
        raise NotImplementedError

    def _found(self, change: str) -> Iterator[str]:
        """What stands out in the change that ended; what was folded is dropped."""
        raise NotImplementedError


class UnusualAmounts(_ByChange):
    """Payouts and revenues far from the median of their change."""

    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        super().__init__()
        self._amounts: dict[str, _Amounts] = {}

    def _fold(self, planned: PlannedOperation) -> None:
        operation = planned.operation
        if not isinstance(operation, Financials):
            return
        for name, amount in (("payout", operation.payout), ("revenue", operation.revenue)):
            if amount is not None and (not planned.send or name in planned.send):
                self._amounts.setdefault(name, _Amounts()).add(amount, planned)

    def _found(self, change: str) -> Iterator[str]:
        amounts, self._amounts = self._amounts, {}
        for name, fold in amounts.items():
            if fold.total >= FEWEST and (words := fold.words(name)):
                yield f"{words} in {change}: {fold.examples()}"


class _Amounts:
    """Amounts of one name in one change, counted exactly while they are few."""

    def __init__(self) -> None:
        self.total = 0
        self._rounded = False
        self._seen: dict[int, _Seen] = {}
        self._far: list[tuple[int, _Seen]] = []
        self._twice = 0

    def add(self, amount: int, planned: PlannedOperation) -> None:
        self.total += 1
        if self._rounded:
            amount = _significant(amount)
        known = self._seen.get(amount)
        if known is not None:
            known.count += 1
            return
        self._seen[amount] = _Seen(1, planned.operation.lead, planned.origin)
        if not self._rounded and len(self._seen) > DISTINCT:
            self._round()

    def _round(self) -> None:
        exact, self._seen, self._rounded = self._seen, {}, True
        for amount, seen in exact.items():
            known = self._seen.setdefault(_significant(amount), seen)
            if known is not seen:
                known.count += seen.count

    def words(self, name: str) -> str:
        """How many are how far from the median; empty where none is."""
        twice = self._twice = self._twice_the_median()
        if twice <= 0:
            return ""
        # 2 * amount against twice the median: whole numbers, so that nothing is rounded.
        self._far = [
            (amount, seen)
            for amount, seen in self._seen.items()
            if 2 * amount > FACTOR * twice or 2 * amount * FACTOR < twice
        ]
        if not self._far:
            return ""
        count = sum(seen.count for _, seen in self._far)
        verb = f"{name} is" if count == 1 else f"{name}s are"
        about = "about " if self._rounded or twice % 2 else ""
        return (
            f"{count} {verb} over {FACTOR} times or under a {_FRACTIONS[FACTOR]} of the median "
            f"{about}{format_money(twice // 2)} of {self.total}"
        )

    def examples(self) -> str:
        """The most extreme ones with their leads and places."""
        far = sorted(self._far, key=lambda pair: -self._extreme(pair[0]))
        return "; ".join(
            f"{format_money(amount)}{_times(2 * amount, self._twice)}, lead {seen.lead}, {place(seen.origin)}"
            for amount, seen in far[:_EXAMPLES]
        )

    def _extreme(self, amount: int) -> float:
        return 2 * amount / self._twice if 2 * amount > self._twice else self._twice / max(2 * amount, 1)

    def _twice_the_median(self) -> int:
        middle = ((self.total - 1) // 2, self.total // 2)
        found: list[int] = []
        passed = 0
        for amount in sorted(self._seen):
            passed += self._seen[amount].count
            while len(found) < 2 and middle[len(found)] < passed:
                found.append(amount)
            if len(found) == 2:
                break
        return sum(found)


_FRACTIONS = {5: "fifth"}


def _times(twice_amount: int, twice_median: int) -> str:
    if twice_amount <= 0:
        return ""
    ratio = twice_amount / twice_median
    return f" ({ratio:.1f} times)" if ratio >= 1 else f" (1/{1 / ratio:.1f})"


def _significant(amount: int) -> int:
    """`amount` with three significant digits, the rest cut off."""
    size = 10 ** max(len(str(abs(amount))) - 3, 0)
    return int(abs(amount) // size * size) * (-1 if amount < 0 else 1)


class UnusualTargets(_ByChange):
    """Buyers and deliveries that stand in under 2 % of a change's leads."""

    kinds = frozenset({Kind.FINANCIALS, Kind.TRIGGER})

    def __init__(self) -> None:
        super().__init__()
        self._leads: dict[str, int] = {}
        self._last = ""
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._uncounted = False

    def _fold(self, planned: PlannedOperation) -> None:
        operation = planned.operation
        match operation:
            case Financials(buyer=buyer) if buyer is not None:
                self._count("buyer", buyer, planned)
            case Trigger(delivery=delivery):
                self._count("delivery", delivery, planned)
            case _:
                return

    def _count(self, what: str, target: str, planned: PlannedOperation) -> None:
        lead = planned.operation.lead
        here = f"{what} {lead} {planned.origin.line} {planned.origin.row}"
        if here != self._last:
            self._last = here
            self._leads[what] = self._leads.get(what, 0) + 1
        known = self._seen.get((what, target))
        if known is not None:
            known.count += 1
        elif len(self._seen) < TARGETS:
            names = [use.name for use in planned.names if use.kind == what and use.target == target]
            self._seen[what, target] = _Seen(1, lead, planned.origin, names[0] if names else "")
        else:
            self._uncounted = True

    def _found(self, change: str) -> Iterator[str]:
        seen, self._seen = self._seen, {}
        leads, self._leads = self._leads, {}
        uncounted, self._uncounted = self._uncounted, False
        self._last = ""
        if uncounted:
            return
        rare = [
            (what, target, its) for (what, target), its in seen.items() if its.count * 100 < RARE_PERCENT * leads[what]
        ]
        for what, target, its in sorted(rare, key=lambda found: found[2].count)[:_EXAMPLES]:
            label = f"{target} ({its.label})" if its.label else target
            share = its.count * 100 / leads[what]
            yield (
                f"{what} {label} stands in {its.count} of {of_leads(leads[what])} ({share:.1f} %) in {change}: "
                f"lead {its.lead}, {place(its.origin)}"
            )
        if len(rare) > _EXAMPLES:
            yield f"{len(rare) - _EXAMPLES} more buyers or deliveries stand in under {RARE_PERCENT} % of {change}"
