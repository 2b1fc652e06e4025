"""How much of a saved plan is settled, from the ledger's records: "498 of 500 settled, 2 left"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from syncengine.applying.remaining import BATCH, AlreadyApplied, Doubtful, Open, remainder, what_travels
from syncengine.core.history import DOUBTFUL, NO_HISTORY, Attempt, LeadHistory, Standing, settled_as
from syncengine.core.operations import Financials, is_irreversible
from syncengine.core.plan import PlannedOperation, PlanProgress, State
from syncengine.core.ports import LedgerView
from syncengine.core.values import PlanDigest, RunId


class ProgressFold:
    """Receives a plan's operations with the present histories of their leads, and counts."""

    def __init__(self, plan: PlanDigest, run: RunId | None) -> None:
        self._plan = plan
        self._run = run
        self._settled = 0
        self._left = 0
        self._in_doubt = 0
        self._payout = 0
        self._revenue = 0
        self.resumable = False
        """Whether an operation was never sent, or is repeatable and of unknown outcome."""

    def see(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """One operation."""
        match planned.state:
            case State.ALREADY_APPLIED | State.UNCHANGED:
                self._settled += 1
            case State.TO_SEND:
                self._to_send(planned, history)
            case State.IN_DOUBT:
                self._planned_in_doubt(planned, history)
            case State.HELD | State.BLOCKED:
                self._left += 1

    def _to_send(self, planned: PlannedOperation, history: LeadHistory) -> None:
        left = remainder(planned, history, self._plan)
        if isinstance(left, AlreadyApplied):
            self._settled += 1
            return
        self._left += 1
        if isinstance(left, Doubtful):
            self._in_doubt += 1
        if isinstance(left, Open):
            self._open(planned, history)

    def _open(self, planned: PlannedOperation, history: LeadHistory) -> None:
        operation = what_travels(planned)
        if isinstance(operation, Financials):
            self._payout += operation.payout or 0
            self._revenue += operation.revenue or 0
        own = [attempt for attempt in history.of_operation(planned.id) if attempt.plan == self._plan]
        self.resumable = self.resumable or not any(map(_is_tried, own)) or _is_unknown_repeatable(planned, own)

    def _planned_in_doubt(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """A late answer or a resolution may have settled it since planning."""
        standings = {attempt.standing for attempt in history.of_operation(planned.id)}
        if Standing.APPLIED in standings:
            self._settled += 1
            return
        self._left += 1
        self._in_doubt += not DOUBTFUL.isdisjoint(standings)

    def progress(self) -> PlanProgress:
        """The counts so far."""
        return PlanProgress(
            settled=self._settled,
            left=self._left,
            in_doubt=self._in_doubt,
            payout=self._payout,
            revenue=self._revenue,
            run=self._run,
        )


def _is_tried(attempt: Attempt) -> bool:
    """Whether it was sent, or may have been: also where a person resolved that it did not happen."""
    return attempt.standing is not Standing.NOT_SENT or attempt.resolution is not None


def _is_unknown_repeatable(planned: PlannedOperation, own: Sequence[Attempt]) -> bool:
    return settled_as(own) in DOUBTFUL and not is_irreversible(planned.operation)


def progress_of(
    plan: PlanDigest, account: str, operations: Iterable[PlannedOperation], ledger: LedgerView
) -> PlanProgress | None:
    """The progress of a saved plan; None where it was never applied. `account` is the account's identity name."""
    runs = ledger.runs(account, plan=plan)
    if not runs:
        return None
    fold = ProgressFold(plan, runs[0].run)
    lines = iter(operations)
    while batch := list(islice(lines, BATCH)):
        histories = ledger.histories(account, list({planned.operation.lead for planned in batch}))
        for planned in batch:
            fold.see(planned, histories.get(planned.operation.lead, NO_HISTORY))
    return fold.progress()
