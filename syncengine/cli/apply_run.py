"""One run of apply as the command line sees it: signals, progress, the result."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from syncengine import __version__
from syncengine.api import apply
from syncengine.applying.stopping import Cause, StopSignal
from syncengine.cli.command import Invocation
from syncengine.cli.junit_cases import AppliedOperations, with_cases
from syncengine.cli.notify import notify_of_run
from syncengine.cli.output import Output
from syncengine.cli.progress import Progress
from syncengine.cli.rejects_of_run import RejectsOfRun
from syncengine.cli.run_log import Listeners, RunLog
from syncengine.cli.views import view_options
from syncengine.core.errors import Exit, InputError, SyncError
from syncengine.core.events import OperationsSettled, PlanLooked, RunBegan, RunEvent
from syncengine.core.outcomes import Outcome
from syncengine.core.ports import Listener
from syncengine.core.results import RunResult
from syncengine.documents.result_files import write_file
from syncengine.project import Project
from syncengine.reports.junit import junit as junit_xml
from syncengine.telemetry import telemetry


class Noting:
    """A listener that shows notes and nothing else. Threads may share it."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def note(self, text: str) -> None:
        """One line on stderr."""
        self._output.warning(text)

    def tell(self, event: RunEvent) -> None:
        """Nothing to show."""


class Watched:
    """A listener that moves a progress bar and shows notes. Several plans may follow each other."""

    def __init__(self, invocation: Invocation, progress: Progress) -> None:
        self._output = invocation.output
        self._progress = progress
        self._settled: Counter[Outcome] = Counter()
        self._looked = 0

    def tell(self, event: RunEvent) -> None:
        """Count outcomes, once it is known how much there is to do."""
        match event:
            case PlanLooked(operations, total):
                if not self._looked:
                    self._progress.begin("checking the plan", total)
                self._looked = (self._looked + operations) % total
                self._progress.advance(operations)
            case RunBegan(operations=count):
                self._settled.clear()
                self._progress.begin("applying", count)
            case OperationsSettled(outcome, operations) if outcome is not Outcome.NOT_SENT:
                self._settled[outcome] += len(operations)
                self._progress.advance(len(operations), detail=self._detail())

    def note(self, text: str) -> None:
        """Show it above the bar."""
        self._output.warning(text)

    def _detail(self) -> str:
        counts = self._settled
        return (
            f"{counts[Outcome.APPLIED]:,} applied, {counts[Outcome.REJECTED]:,} rejected, "
            f"{counts[Outcome.UNKNOWN]:,} in doubt"
        )


@contextmanager
def run_records(invocation: Invocation) -> Iterator[Callable[[], list[Listener]]]:
    """Makes the listeners of a run that the command line starts: the log, and telemetry where it is set up.

    Leaving the context sends what telemetry still holds, which takes time where its collector is away: report first.
    """
    with telemetry(invocation.environ, version=__version__, warn=invocation.output.warning) as exported:
        yield lambda: [RunLog(invocation.log), *([exported()] if exported is not None else [])]


@contextmanager
def stop_on_signals(stop: StopSignal) -> Iterator[None]:
    """SIGINT and SIGTERM ask the run to end; a second one ends the process at once, which loses nothing on record."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.cause is Cause.INTERRUPTED:
            os._exit(Exit.INTERRUPTED)
        if not stop.is_heard:
            # Still waiting for the lease or checking the plan: nothing was sent, so nothing has to be awaited.
            raise KeyboardInterrupt
        stop.request(Cause.INTERRUPTED, f"interrupted by {signal.Signals(number).name}")

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ApplyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of `apply` that hold for saved plans, and for changesets once they are planned."""

    approvals: tuple[Path, ...]
    claimed: str | None
    deadline: float | None
    lock_timeout: float
    junit: Path | None
    rejects: Path | None
    format: str


def run_plan(invocation: Invocation, project: Project, path: Path, options: ApplyOptions) -> int:
    """Apply a saved plan and report; returns the exit code."""
    stop, junit, rejects = StopSignal(), options.junit, options.rejects
    applied = None if junit is None else AppliedOperations()
    identities = invocation.identities()
    with stop_on_signals(stop), run_records(invocation) as records:
        given_back = None if rejects is None else RejectsOfRun(invocation, project, [path], rejects, identities)
        with Progress(invocation.output, "applying", 0, pace=True) as progress:
            result = apply(
                path,
                project,
                approvals=options.approvals,
                claimed_approval=options.claimed,
                identities=identities,
                lock_timeout=options.lock_timeout,
                deadline=options.deadline,
                listener=Listeners(
                    [Watched(invocation, progress), *records(), *([] if applied is None else [applied])]
                ),
                signal=stop,
            )
        if junit is not None and applied is not None:
            ids = applied.of(result.plan)
            write_junit(
                invocation,
                junit,
                lambda: junit_xml(with_cases(result, ids, path, identities)),
                lambda: junit_xml(result),
            )
        if given_back is not None:
            given_back.write([result])
        report(invocation, project, result, format_=options.format, rejects=given_back)
    notify_of_run(invocation, project, result)
    return result.exit


def write_junit(
    invocation: Invocation, path: Path, with_every_case: Callable[[], str], from_the_result: Callable[[], str]
) -> None:
    """Write the report; the second one where the plan files, which the first one reads, cannot be read any more."""
    # The run has happened: its own exit code and result must not be hidden by trouble with the report.
    try:
        text = with_every_case()
    except SyncError as error:
        invocation.output.warning(f"{error.message}; the JUnit report tells less than it could")
        text = from_the_result()
    try:
        write_file(path, text.encode())
    except InputError as error:
        invocation.output.warning(f"{error.message}; the result follows all the same")


def report(
    invocation: Invocation, project: Project, result: RunResult, *, format_: str, rejects: RejectsOfRun | None = None
) -> None:
    """Print the result of a run in the chosen form."""
    if format_ == "json":
        from syncengine.reports.machine import apply_object, document

        more = {} if rejects is None else {"rejects": rejects.as_object()}
        invocation.output.verbatim(document(apply_object(result) | more), "json")
    else:
        from syncengine.reports.text_results import apply_text

        options = view_options(invocation, project.settings, result.account, show_values=False)
        for line in apply_text(result, options):
            invocation.output.result(line)
        if rejects is not None:
            rejects.show()
    if format_ == "json" and result.pin_line:
        invocation.output.note(f"the ledger's pin to commit:  {result.pin_line}")
