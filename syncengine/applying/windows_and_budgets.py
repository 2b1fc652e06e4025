"""Windows and budgets, checked when a run begins and before every request. They delay a plan; they never block it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from syncengine.applying.budgets import BudgetMeter, SpentSince, budget_notes
from syncengine.applying.remaining import what_travels
from syncengine.applying.windows import in_words, next_in_words, open_until, window_note
from syncengine.core.errors import Refusal
from syncengine.core.operations import Financials, is_irreversible
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.plan import PlannedOperation
from syncengine.core.ports import LedgerView
from syncengine.core.settings import Account, Policy

_THINGS = 4
"""Leads, irreversible operations, payout and revenue."""


def moment_notes(policy: Policy, account: Account, ledger: LedgerView | None, now: str) -> tuple[str, ...]:
    """When a plan made now may be applied, and what is left of the budgets. Without a ledger nothing was spent."""
    moment = datetime.fromisoformat(now)
    windows = (window_note(policy.windows, moment),) if policy.windows else ()
    spent = None if ledger is None else partial(ledger.spent, account.identity)
    return (*windows, *budget_notes(policy.budgets, spent, moment))


class Firsts:
    """The first unsent operation for each quantity that budgets limit."""

    def __init__(self) -> None:
        self._found: dict[str, LeadEntry] = {}

    @property
    def entries(self) -> tuple[LeadEntry, ...]:
        """The operations, each as an entry of its own."""
        return tuple(self._found.values())

    def see(self, planned: PlannedOperation) -> None:
        """Add one operation that is still to be sent."""
        if len(self._found) == _THINGS:
            return
        operation = what_travels(planned)
        names = ["leads"]
        if is_irreversible(operation):
            names.append("irreversible")
        if isinstance(operation, Financials):
            names += [name for name in ("payout", "revenue") if getattr(operation, name)]
        for name in names:
            part = SentOperation(planned.id, planned.changeset, operation)
            self._found.setdefault(name, LeadEntry(operation.lead, planned.entry, (part,)))


class Gate:
    """The guard of one run. `now` returns UTC, ISO 8601; `spent` reads the ledger."""

    def __init__(self, policy: Policy, spent: SpentSince, now: Callable[[], str]) -> None:
        self._windows = policy.windows
        self._now = now
        self._until: datetime | None = None
        self._meters = [
            BudgetMeter(budget, spent, f"{policy.file}:{budget.line}" if budget.line else policy.file)
            for budget in policy.budgets
        ]
        self._where = f"{policy.file}:{policy.lines.get('windows', 0)}"

    @property
    def is_always_open(self) -> bool:
        """Whether there are no windows and budgets."""
        return not self._windows and not self._meters

    def check_start(self, first: Sequence[LeadEntry]) -> None:
        """Raise Refusal where nothing may be sent now; `first` are the first operations that budgets count."""
        moment = datetime.fromisoformat(self._now())
        closed = self._closed(moment)
        if closed is not None:
            raise Refusal(
                closed, code="SE604", hint="apply the same plan in a window; its approvals stay valid as long as the "
                "signers' keys do",
            )  # fmt: skip
        for meter in self._meters:
            for entry in first:
                excess = meter.excess([entry], moment)
                if excess is not None:
                    raise Refusal(
                        excess, code="SE605", hint="apply the same plan later, or have the budget raised in the policy"
                    )

    def __call__(self, entries: Sequence[LeadEntry]) -> str | None:
        """Why these entries must not leave now; None counts them as sent."""
        moment = datetime.fromisoformat(self._now())
        reason = self._closed(moment)
        if reason is not None:
            return reason
        for meter in self._meters:
            excess = meter.excess(entries, moment)
            if excess is not None:
                return excess
        for meter in self._meters:
            meter.count(entries)
        return None

    def _closed(self, moment: datetime) -> str | None:
        if not self._windows or (self._until is not None and moment < self._until):
            return None
        self._until = open_until(self._windows, moment)
        if self._until is not None:
            return None
        return (
            f"outside the delivery windows ({in_words(self._windows)}, {self._where}); "
            f"{next_in_words(self._windows, moment)}"
        )
