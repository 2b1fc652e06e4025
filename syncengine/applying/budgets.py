"""Budgets for a day or a month: the ledger's totals of intents, plus this run's own.

Each run counts an operation once and a lead once, whatever the outcome; requests known never to have left do not count.
The ledger's total at the start plus the run's own therefore equals the ledger's total afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from syncengine.applying.windows import instant
from syncengine.core.operations import Financials, Operation, is_irreversible
from syncengine.core.outcomes import LeadEntry
from syncengine.core.ports import Spent
from syncengine.core.settings import Budget
from syncengine.core.values import LeadId, OperationId, format_money

SpentSince = Callable[[str], Spent]
"""Returns the ledger's totals of the account since a moment (UTC, ISO 8601)."""

_WORDS = {"irreversible": "irreversible operations", "leads": "leads", "payout": "payouts", "revenue": "revenue"}
_MONEY = frozenset({"payout", "revenue"})


def period(budget: Budget, now: datetime) -> tuple[datetime, datetime]:
    """The budget's current day or month in its time zone, as UTC times: start (inclusive) and end (exclusive)."""
    zone = ZoneInfo(budget.time_zone)
    day = now.astimezone(zone).date()
    if budget.per == "month":
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
    else:
        first, following = day, day + timedelta(days=1)
    return instant(first, 0, zone), instant(following, 0, zone)


def stamp(moment: datetime) -> str:
    """A moment in the ledger's time format."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def limits_of(budget: Budget) -> Iterator[tuple[str, int]]:
    """The quantities that the budget limits: irreversible, leads, payout, revenue (hundredths)."""
    for name in _WORDS:
        limit = getattr(budget, f"max_{name}")
        if limit is not None:
            yield name, limit


def budget_notes(budgets: Sequence[Budget], spent: SpentSince | None, now: datetime) -> Iterator[str]:
    """What is left of each budget; `spent` is None where there is no ledger, so that nothing was spent."""
    for budget in budgets:
        start, end = period(budget, now)
        used = Spent() if spent is None else spent(stamp(start))
        parts = [f"{_amount(name, max(limit - getattr(used, name), 0))} of {_amount(name, limit)} {_WORDS[name]}"
                 for name, limit in limits_of(budget)]  # fmt: skip
        until = end.astimezone(ZoneInfo(budget.time_zone))
        yield f"left this {budget.per}: {', '.join(parts)} (until {until:%a %Y-%m-%d %H:%M} {budget.time_zone})"


def _is_counted(operation: Operation) -> bool:
    return is_irreversible(operation) or isinstance(operation, Financials)


class Draw:
    """Amounts that a set of operations takes from budgets, each operation and lead once."""

    def __init__(self) -> None:
        self._operations: set[OperationId] = set()
        self._leads: set[LeadId] = set()

    def of(self, entries: Iterable[LeadEntry], *, keep: bool) -> Spent:
        """What these entries take beyond what was counted before; `keep` adds it."""
        leads: set[LeadId] = set()
        operations: dict[OperationId, Operation] = {}
        for entry in entries:
            leads.add(entry.lead)
            operations.update((part.id, part.operation) for part in entry.parts if _is_counted(part.operation))
        leads -= self._leads
        fresh = [operation for number, operation in operations.items() if number not in self._operations]
        if keep:
            self._leads |= leads
            self._operations |= operations.keys()
        money = [operation for operation in fresh if isinstance(operation, Financials)]
        return Spent(
            irreversible=sum(map(is_irreversible, fresh)),
            leads=len(leads),
            payout=sum(operation.payout or 0 for operation in money),
            revenue=sum(operation.revenue or 0 for operation in money),
        )


class BudgetMeter:
    """One budget during a run. Its total is read from the ledger when a period begins, and updated here."""

    def __init__(self, budget: Budget, spent: SpentSince, where: str) -> None:
        self._budget = budget
        self._spent = spent
        self._where = where
        self._end: datetime | None = None
        self._used = Spent()
        self._draw = Draw()

    def excess(self, entries: Sequence[LeadEntry], now: datetime) -> str | None:
        """Why these entries must not leave now."""
        if self._end is None or now >= self._end:
            start, self._end = period(self._budget, now)
            self._used = self._spent(stamp(start))
            self._draw = Draw()
        more = self._draw.of(entries, keep=False)
        for name, limit in limits_of(self._budget):
            used, added = getattr(self._used, name), getattr(more, name)
            if added > 0 and used + added > limit:
                return self._in_words(name, limit, used, added)
        return None

    def count(self, entries: Sequence[LeadEntry]) -> None:
        """Count these entries as sent."""
        more = self._draw.of(entries, keep=True)
        self._used = Spent(
            **{name: getattr(self._used, name) + getattr(more, name) for name in Spent.__struct_fields__}
        )

    def _in_words(self, name: str, limit: int, used: int, added: int) -> str:
        end = "" if self._end is None else f"{self._end.astimezone(ZoneInfo(self._budget.time_zone)):%a %Y-%m-%d %H:%M}"
        return (
            f"the budget of {_amount(name, limit)} {_WORDS[name]} per {self._budget.per} leaves "
            f"{_amount(name, max(limit - used, 0))}, and the next request takes {_amount(name, added)}; "
            f"a new {self._budget.per} begins {end} {self._budget.time_zone} ({self._where})"
        )


def _amount(name: str, amount: int) -> str:
    return format_money(amount) if name in _MONEY else f"{amount}"
