"""The plan of a run: from its saved file, or worked out again from the changesets and the run's record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from syncengine.changeset.load import Changeset
from syncengine.core.digests import CONFIGURATION, OBSERVED, source_part
from syncengine.core.errors import InputError, Problem, Refusal
from syncengine.core.identity import operation_id
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.ports import RunRecord
from syncengine.planning.part import PartOfPlan
from syncengine.planning.planfile import PlanFile
from syncengine.rejects.outcomes import AppliedPlan

_NAME_THE_PLAN = "name the plan that was applied: --plan FILE"
_VALUES_BEFORE = "rows whose leads already had the declared values count as not sent, unless --plan names the plan"


def plan_of_file(saved: PlanFile, stopped: str) -> AppliedPlan:
    """The plan in an open file. `stopped` is why its last run ended early."""
    summary = saved.summary
    sources = {
        source_part(each.id, name): digest for each in summary.changesets for name, digest in each.sources.items()
    }
    return AppliedPlan(
        digest=summary.digest,
        identity=saved.header.identity,
        changesets=tuple(each.id for each in summary.changesets),
        files=tuple(each.file for each in summary.changesets),
        variables=saved.provenance.selection.variables,
        parts={**summary.parts, **sources},
        stopped=stopped,
        operations=lambda _: saved.operations(),
    )


def plan_of_run(run: RunRecord, configuration: str, *, reads: bool) -> AppliedPlan:
    """The plan that a run recorded the inputs of.

    `configuration` is the present digest of the account's settings; `reads` says whether plans read current values.

    Raises InputError where only the plan's file knows what was planned, Refusal where the settings are others now.
    """
    planned = run.planned
    if planned is None:
        raise InputError(f"run {run.run} does not say what its plan was made from", code="SE684", hint=_NAME_THE_PLAN)
    if planned.selection.limit is not None:
        message = f"the plan of run {run.run} was for the first leads with something to send, which only its file names"
        raise InputError(message, code="SE684", hint=_NAME_THE_PLAN)
    if planned.parts.get(CONFIGURATION) not in (None, configuration):
        raise Refusal(
            f"the configuration of account {run.account} changed since run {run.run}: names may mean other ids now",
            code="SE680",
            hint=_NAME_THE_PLAN,
        )
    return AppliedPlan(
        digest=run.plan,
        identity=run.account,
        changesets=run.changesets,
        files=(),
        variables=planned.selection.variables,
        parts=planned.parts,
        uncertain=_VALUES_BEFORE if reads or planned.parts.get(OBSERVED) else "",
        stopped=run.stopped,
        operations=lambda changesets: _declared_operations(run, changesets),
    )


def _declared_operations(run: RunRecord, changesets: Sequence[Changeset]) -> Iterator[PlannedOperation]:
    """The operations that the changesets declare, as the plan had them; what the ledger says decides the rest."""
    assert run.planned is not None
    part = PartOfPlan(run.planned.selection)
    for changeset in changesets:
        for item in changeset.items(_raise_error):
            if not part.holds(item):
                continue
            for operation in item.operations:
                yield PlannedOperation(
                    id=operation_id(run.account, item.changeset, operation),
                    changeset=item.changeset,
                    change=item.change,
                    entry=0,
                    operation=operation,
                    origin=item.origin,
                    state=State.TO_SEND,
                )


def _raise_error(problem: Problem) -> None:
    if problem.severity == "error":
        raise Refusal(
            f"the changeset is not what the plan was made from: {problem.message}", code="SE680", hint=_NAME_THE_PLAN
        )
