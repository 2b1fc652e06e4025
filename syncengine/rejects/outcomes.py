"""What became of a plan's operations by now, gathered by the rows that they came from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice

import msgspec

from syncengine.changeset.load import Changeset
from syncengine.core.history import DOUBTFUL, NO_HISTORY, Attempt, LeadHistory, Standing, settled_as
from syncengine.core.operations import Kind, is_irreversible, kind_of, values_of
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.ports import LedgerView, OperationOutcome
from syncengine.core.values import PlanDigest
from syncengine.rejects.row_store import RowOperation, RowStore
from syncengine.rejects.verified_sources import VerifiedInputs

BATCH = 500

_OUTCOMES: dict[Standing | None, OperationOutcome] = {
    Standing.APPLIED: "applied",
    Standing.REJECTED: "rejected",
    Standing.UNKNOWN: "in_doubt",
    Standing.IN_FLIGHT: "in_doubt",
    Standing.NOT_SENT: "not_sent",
    None: "not_sent",
}


class AppliedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was applied, from its file or worked out again from the changesets.

    `identity` is the account in the ledger. `files` are the changesets' files relative to the repository, where they
    are known. `parts` holds digests of the plan's inputs by name.
    """

    digest: PlanDigest
    identity: str
    changesets: tuple[str, ...]
    files: tuple[str, ...]
    variables: Mapping[str, str]
    parts: Mapping[str, str]
    uncertain: str = ""
    """What else the plan's file knew, where it is not at hand."""
    stopped: str
    """The sentence that ended the last run early; empty where it did not."""
    operations: Callable[[Sequence[Changeset]], Iterator[PlannedOperation]]


class RowOutcomes(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by changeset and source, and how many operations no row can give back: their change has no source."""

    stores: Mapping[tuple[str, str], RowStore]
    without_source: int

    def close(self) -> None:
        """Delete what is on disk."""
        for store in self.stores.values():
            store.close()


def joined_outcomes(several: Sequence[RowOutcomes]) -> RowOutcomes:
    """The outcomes of plans of different changesets as one."""
    stores = {key: store for each in several for key, store in each.stores.items()}
    return RowOutcomes(stores=stores, without_source=sum(each.without_source for each in several))


def row_outcomes(plan: AppliedPlan, ledger: LedgerView, inputs: VerifiedInputs) -> RowOutcomes:
    """What the ledger holds by now on each operation of the plan, later runs and resolutions included."""
    with ExitStack() as stack:
        stores = {each.key: stack.enter_context(RowStore()) for each in inputs.sources}
        by_change = {(each.changeset, change): stores[each.key] for each in inputs.sources for change in each.changes}
        without = 0
        for planned, outcome in _outcomes(plan, ledger, plan.operations(inputs.changesets)):
            store = by_change.get((planned.changeset, planned.change))
            if store is not None and planned.origin.row is not None:
                store.add(planned.origin.row, outcome)
            elif outcome.outcome != "applied":
                without += 1
        stack.pop_all()
    return RowOutcomes(stores=stores, without_source=without)


def _outcomes(
    plan: AppliedPlan, ledger: LedgerView, operations: Iterator[PlannedOperation]
) -> Iterator[tuple[PlannedOperation, RowOperation]]:
    """Every operation with its outcome. Those that had nothing to do are left out."""
    judge = _PresentOutcomes(plan, ledger)
    while batch := list(islice(operations, BATCH)):
        histories = ledger.histories(plan.identity, list({planned.operation.lead for planned in batch}))
        for planned in batch:
            if planned.state is not State.UNCHANGED:
                yield planned, judge.outcome(planned, histories.get(planned.operation.lead, NO_HISTORY))


class _PresentOutcomes:
    def __init__(self, plan: AppliedPlan, ledger: LedgerView) -> None:
        self._plan = plan
        self._ledger = ledger

    def outcome(self, planned: PlannedOperation, history: LeadHistory) -> RowOperation:
        """The operation's present outcome."""
        kind = kind_of(planned.operation)
        attempts = [each for each in history.of_operation(planned.id) if self._counts(planned, each)]
        standing = settled_as(attempts)
        if planned.state is State.ALREADY_APPLIED and standing is None:
            standing = Standing.APPLIED
        outcome = _OUTCOMES[standing]
        message = self._message(outcome, planned, attempts, history) if outcome != "applied" else ""
        return RowOperation(planned.id, planned.operation.lead, kind.value, outcome, message)

    def _counts(self, planned: PlannedOperation, attempt: Attempt) -> bool:
        """Whether an attempt was about what the plan says, and not about another value of the same fields."""
        operation = planned.operation
        if attempt.plan == self._plan.digest or is_irreversible(operation):
            return True
        declared, lead, kind = values_of(operation), operation.lead, Kind(kind_of(operation))
        return all(
            name in declared and self._ledger.matches(stored, kind, lead, name, declared[name])
            for name, stored in attempt.values.items()
        )

    def _message(
        self, outcome: OperationOutcome, planned: PlannedOperation, attempts: Sequence[Attempt], history: LeadHistory
    ) -> str:
        last = next((each for each in reversed(attempts) if each.standing in _DECIDED_BY[outcome]), None)
        if last is None:
            return self._why_not_sent(planned, history) if outcome == "not_sent" else ""
        if last.resolution is not None:
            return f"resolved as not applied by {last.resolution.by}"
        return "" if last.answer is None else last.answer.message

    def _why_not_sent(self, planned: PlannedOperation, history: LeadHistory) -> str:
        """Why an operation was never attempted."""
        own = [each for each in history.attempts if each.plan == self._plan.digest]
        # Of several plans that one command applied, an earlier one may have stopped the lead.
        return planned.reason or _trouble(own) or self._plan.stopped or _trouble(history.attempts)


def _trouble(attempts: Iterable[Attempt]) -> str:
    """What went wrong with an operation before, in words; empty where nothing did."""
    words = next((_TROUBLE[each.standing] for each in attempts if each.standing in _TROUBLE), "")
    return words and f"an earlier operation of this lead is {words}"


_DECIDED_BY: dict[OperationOutcome, Collection[Standing]] = {
    "applied": {Standing.APPLIED},
    "rejected": {Standing.REJECTED},
    "in_doubt": DOUBTFUL,
    "not_sent": {Standing.NOT_SENT},
}
_TROUBLE = {Standing.REJECTED: "rejected", Standing.UNKNOWN: "in doubt", Standing.IN_FLIGHT: "in doubt"}
