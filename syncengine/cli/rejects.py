"""`syncengine rejects`: the rows of a run's sources that were rejected or not sent, to correct and plan again."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option
from syncengine.core.errors import Exit, InputError, Refusal, SyncError

if TYPE_CHECKING:
    from syncengine.core.ports import RunRecord
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, PlanFile
    from syncengine.project import Project
    from syncengine.rejects import AppliedPlan, VerifiedInputs


@click.command(
    cls=Command,
    examples=(
        "syncengine rejects RUN --out rejected.csv",
        "syncengine rejects RUN --plan release.plan --out rejected-again.csv",
    ),
    epilog="Exit codes: 0 done, also where no row was rejected; 1 wrong input, or an SQL source; 3 a source or its "
    "changeset changed since the plan was made.",
)
@click.argument("run", metavar="RUN")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", required=True,
              help="CSV file to write, or a folder if the plan has several sources.")  # fmt: skip
@click.option("--plan", "plan_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The plan that the run applied; by default it is found or worked out again.")  # fmt: skip
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, run: str, out: Path, plan_file: Path | None, format_: str) -> int:
    """Write the rows of the plan's sources of which everything was rejected or not sent, with the reasons.

    All columns and cells are as in the source: correct FILE and use it as the source of the same changeset. Rows of
    which something was applied, or is in doubt, go to FILE.partly. The outcomes are those on record now. FILE contains
    personal data.
    """
    from syncengine.cli.reading import open_ledger_view
    from syncengine.cli.rejects_out import RejectsTarget, show_tables, tables_object, warn_of_git
    from syncengine.rejects import row_outcomes

    project = invocation.project()
    with ExitStack() as stack:
        ledger = open_ledger_view(project, stack)
        record = _run(ledger, run)
        plan = _plan(project, record, plan_file, invocation.identities(), stack)
        inputs = inputs_of(project, plan)
        target = RejectsTarget(out, inputs.sources, Path(project.settings.root), replace=False)
        target.check()
        outcomes = row_outcomes(plan, ledger, inputs)
        stack.callback(outcomes.close)
        tables = target.write(outcomes)
    if format_ == "json":
        said = tables_object(tables, outcomes.without_source)
        invocation.output.json({"run": record.run, "plan": record.plan, **said, "exit": int(Exit.DONE)})
    else:
        show_tables(invocation.output, tables, outcomes.without_source)
    if plan.uncertain:
        invocation.output.note(plan.uncertain)
    warn_of_git(invocation.output, tables, project.environ)
    return Exit.DONE


def inputs_of(project: Project, plan: AppliedPlan) -> VerifiedInputs:
    """The changesets and sources that the plan was made from. Raises Refusal where they changed."""
    from syncengine.rejects import verified_inputs

    return verified_inputs(
        project.settings,
        plan.changesets,
        files=plan.files,
        variables=plan.variables,
        parts=plan.parts,
        environ=project.environ,
    )


def _run(ledger: Ledger, run: str) -> RunRecord:
    record = next((each for each in ledger.runs() if each.run == run), None)
    if record is None:
        raise InputError(
            f"there is no run {run!r} on record",
            code="SE904",
            hint="'syncengine history' and the result of apply name runs",
        )
    if record.live:
        raise Refusal(f"run {run} is still in progress", code="SE683", hint="wait until it ends, or cancel it")
    return record


def _plan(project: Project, run: RunRecord, file: Path | None, identities: Identities, stack: ExitStack) -> AppliedPlan:
    """The run's plan: from the named file, else from the file that was applied, else from the changesets."""
    from syncengine.planning import open_plan
    from syncengine.rejects import plan_of_file, plan_of_run

    saved: PlanFile | None
    if file is not None:
        saved = stack.enter_context(open_plan(file, identities))
        if saved.summary.digest != run.plan:
            raise InputError(
                f"{file} is not the plan that run {run.run} applied",
                code="SE682",
                hint=f"name the plan whose digest begins with {run.plan[:12]}, or leave --plan out",
            )
    else:
        saved = _still_there(run, identities, stack)
    if saved is not None:
        return plan_of_file(saved, run.stopped)
    from syncengine.api import configuration_now
    from syncengine.cli.reading import of_identity

    account = of_identity(project, run.account)
    return plan_of_run(run, configuration_now(account), reads=account.reads.leads)


def _still_there(run: RunRecord, identities: Identities, stack: ExitStack) -> PlanFile | None:
    """The file that was applied, where it is still at its place and readable. Another plan may have taken its name."""
    from syncengine.planning import open_plan

    try:
        saved = stack.enter_context(open_plan(Path(run.plan_path), identities))
    except SyncError:
        return None
    return saved if saved.summary.digest == run.plan else None
