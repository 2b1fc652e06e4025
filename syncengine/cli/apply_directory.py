"""`apply DIR` as the command line sees it: which folders hold plans, signals, progress, the result of all plans."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.api import apply_directory
from syncengine.applying.stopping import StopSignal
from syncengine.cli.apply_run import ApplyOptions, Watched, run_records, stop_on_signals, write_junit
from syncengine.cli.command import Invocation
from syncengine.cli.junit_cases import AppliedOperations, with_cases
from syncengine.cli.notify import notify_of_folder
from syncengine.cli.progress import Progress
from syncengine.cli.rejects_of_run import RejectsOfRun
from syncengine.cli.run_log import Listeners
from syncengine.cli.views import view_options
from syncengine.core.results import ChangesetResult, FolderResult
from syncengine.planning import Identities
from syncengine.planning.listed_plans import read_folder
from syncengine.planning.plans_file import plan_name
from syncengine.project import Project
from syncengine.reports.junit import folder_junit


def run_directory(invocation: Invocation, project: Project, directory: Path, options: ApplyOptions) -> int:
    """Apply the plans of a folder and report; returns the exit code."""
    stop, junit, rejects = StopSignal(), options.junit, options.rejects
    applied = AppliedOperations()
    identities = invocation.identities()
    with stop_on_signals(stop), run_records(invocation) as records:
        given_back: RejectsOfRun | None = None
        if rejects is not None:
            plans = [plan.path for plan in read_folder(directory, identities)]
            given_back = RejectsOfRun(invocation, project, plans, rejects, identities)
        with Progress(invocation.output, "applying", 0, pace=True) as progress:
            result = apply_directory(
                directory,
                project,
                approvals=options.approvals,
                claimed_approval=options.claimed,
                identities=identities,
                lock_timeout=options.lock_timeout,
                deadline=options.deadline,
                listener=Listeners([Watched(invocation, progress), *records(), *([] if junit is None else [applied])]),
                signal=stop,
            )
        if junit is not None:
            write_junit(
                invocation,
                junit,
                lambda: folder_junit(_with_cases(result, applied, directory, identities)),
                lambda: folder_junit(result),
            )
        if given_back is not None:
            given_back.write([plan.result for plan in result.plans])
        _report(invocation, project, result, directory, format_=options.format, rejects=given_back)
    notify_of_folder(invocation, project, result)
    return result.exit


def _with_cases(
    result: FolderResult, applied: AppliedOperations, directory: Path, identities: Identities
) -> FolderResult:
    """The result with a line for each applied operation, as the JUnit report lists them."""

    def named(plan: ChangesetResult) -> ChangesetResult:
        file = directory / plan_name(plan.changeset)
        cases = with_cases(plan.result, applied.of(plan.result.plan), file, identities)
        return msgspec.structs.replace(plan, result=cases)

    return msgspec.structs.replace(result, plans=tuple(named(plan) for plan in result.plans))


def _report(
    invocation: Invocation,
    project: Project,
    result: FolderResult,
    directory: Path,
    *,
    format_: str,
    rejects: RejectsOfRun | None,
) -> None:
    """Print the result in the chosen form, and log what waits or is refused."""
    from syncengine.reports.folder_results import folder_object, folder_text

    for waiting in result.waiting:
        invocation.log.info("plan waiting", plan=waiting.plan, changesets=[waiting.changeset])
    for refused in result.refused:
        invocation.log.warning("plan refused", plan=refused.plan, changesets=[refused.changeset], code=refused.code)
    if format_ == "json":
        from syncengine.reports.machine import document

        more = {} if rejects is None else {"rejects": rejects.as_object()}
        invocation.output.verbatim(document(folder_object(result) | more), "json")
        if result.pin_line:
            invocation.output.note(f"the ledger's pin to commit:  {result.pin_line}")
        return
    options = view_options(invocation, project.settings, result.account, show_values=False)
    for line in folder_text(result, str(directory), options):
        invocation.output.result(line)
    if rejects is not None:
        rejects.show()
