"""A run's operations as test cases: what the plan file knows of each, for the JUnit report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import msgspec

from syncengine.core.events import OperationsSettled, RunBegan, RunEvent
from syncengine.core.operations import kind_of
from syncengine.core.outcomes import Outcome
from syncengine.core.results import OperationLine, RunResult
from syncengine.core.values import OperationId, PlanDigest
from syncengine.planning import Identities, open_plan
from syncengine.reports.junit import CASES


class AppliedOperations:
    """A listener that keeps the ids of what was applied, for each plan up to one more than a report has cases for."""

    def __init__(self) -> None:
        self._ids: dict[PlanDigest, list[OperationId]] = {}
        self._present: list[OperationId] = []

    def of(self, plan: PlanDigest) -> Sequence[OperationId]:
        """Ids of one plan."""
        return self._ids.get(plan, ())

    def tell(self, event: RunEvent) -> None:
        """Keep ids."""
        match event:
            case RunBegan(plan=plan):
                self._present = self._ids.setdefault(plan, [])
            case OperationsSettled(Outcome.APPLIED, operations) if len(self._present) <= CASES:
                self._present.extend(operations)

    def note(self, text: str) -> None:
        """Nothing: notes are for others."""


def with_cases(
    result: RunResult, applied: Sequence[OperationId], plan: Path, identities: Identities | None
) -> RunResult:
    """The result with a line for each applied operation, where they are few enough, and with every line's change.

    Raises SyncError where the plan file cannot be read any more.
    """
    listed = applied if len(applied) == result.counts.applied <= CASES else ()
    told = chain(result.rejected, result.in_doubt, result.not_sent)
    lines = _lines({*listed, *(line.operation for line in told)}, plan, identities)

    def named(several: Iterable[OperationLine]) -> tuple[OperationLine, ...]:
        changes = {line.operation: lines[line.operation].change for line in several if line.operation in lines}
        return tuple(msgspec.structs.replace(line, change=changes.get(line.operation, "")) for line in several)

    return msgspec.structs.replace(
        result,
        applied=tuple(lines[operation] for operation in listed if operation in lines),
        rejected=named(result.rejected),
        in_doubt=named(result.in_doubt),
        not_sent=named(result.not_sent),
    )


def _lines(wanted: set[OperationId], plan: Path, identities: Identities | None) -> dict[OperationId, OperationLine]:
    lines: dict[OperationId, OperationLine] = {}
    if not wanted:
        return lines
    with open_plan(plan, identities) as saved:
        for planned in saved.operations():
            if planned.id in wanted:
                operation = planned.operation
                lines[planned.id] = OperationLine(
                    operation=planned.id,
                    lead=operation.lead,
                    kind=kind_of(operation).value,
                    changeset=planned.changeset,
                    change=planned.change,
                )
    return lines
