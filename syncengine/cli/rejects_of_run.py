"""`apply --rejects`: checked before anything is sent, written after the run, and never changes the run's exit code."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.cli.command import Invocation
from syncengine.core.errors import SyncError
from syncengine.core.results import RunResult
from syncengine.core.values import PlanDigest
from syncengine.project import Project

if TYPE_CHECKING:
    from syncengine.cli.rejects_out import WrittenTable
    from syncengine.planning import Identities
    from syncengine.rejects import RowOutcomes, VerifiedInputs


class RejectsOfRun:
    """The tables of rejected rows that apply was asked for, of one plan or of those of a folder.

    Making it raises InputError or Refusal where they could not be written: no run has begun then.
    """

    def __init__(
        self, invocation: Invocation, project: Project, plans: Sequence[Path], out: Path, identities: Identities
    ) -> None:
        from syncengine.cli.rejects_out import RejectsTarget

        self._invocation = invocation
        self._project = project
        self._identities = identities
        self._plans: dict[PlanDigest, tuple[Path, VerifiedInputs]] = {}
        for plan in plans:
            self._add(plan)
        sources = [source for _, inputs in self._plans.values() for source in inputs.sources]
        # A run that goes on after an interruption is started by the same command, so its own file may be there.
        self._target = RejectsTarget(out, sources, Path(project.settings.root), replace=True)
        self._target.check()
        self._tables: list[WrittenTable] | None = None
        self._without_source = 0

    def _add(self, plan: Path) -> None:
        from syncengine.cli.rejects import inputs_of
        from syncengine.planning import open_plan
        from syncengine.rejects import plan_of_file

        try:
            saved = open_plan(plan, self._identities)
        except SyncError:
            return  # apply refuses it, in its own words
        with saved:
            self._plans[saved.summary.digest] = (plan, inputs_of(self._project, plan_of_file(saved, "")))

    def write(self, results: Sequence[RunResult]) -> None:
        """Write the tables of the plans that were applied. Trouble is a warning: it must not hide the result."""
        from syncengine.cli.rejects_out import warn_of_git

        if not results:
            return
        output = self._invocation.output
        try:
            self._write(results)
        except (SyncError, OSError) as error:
            runs = [f"syncengine rejects {result.run} --out FILE" for result in results if result.run]
            again = "; ".join(runs) or "the same command"
            output.warning(f"the rejected rows were not written: {error}; write them with: {again}")
            return
        assert self._tables is not None
        for earlier, renamed in self._target.kept:
            output.note(f"{earlier} was there from an earlier run: it is now {renamed}, with any corrections in it")
        warn_of_git(output, self._tables, self._project.environ)

    def _write(self, results: Sequence[RunResult]) -> None:
        from syncengine.rejects import joined_outcomes

        with ExitStack() as stack:
            found = [self._outcomes(result, stack) for result in results if result.plan in self._plans]
            outcomes = joined_outcomes(found)
            self._tables = self._target.write(outcomes)
            self._without_source = outcomes.without_source

    def _outcomes(self, result: RunResult, stack: ExitStack) -> RowOutcomes:
        from syncengine.planning import open_plan
        from syncengine.rejects import joined_outcomes, plan_of_file, row_outcomes

        path, inputs = self._plans[result.plan]
        with open_plan(path, self._identities) as saved, self._project.view() as ledger:
            if ledger is None:
                return joined_outcomes([])
            outcomes = row_outcomes(plan_of_file(saved, result.stopped), ledger, inputs)
            stack.callback(outcomes.close)
            return outcomes

    def as_object(self) -> dict[str, Any] | None:
        """What the JSON result says; None where nothing was applied, or nothing could be written."""
        from syncengine.cli.rejects_out import tables_object

        return None if self._tables is None else tables_object(self._tables, self._without_source)

    def show(self) -> None:
        """The same as text."""
        from syncengine.cli.rejects_out import show_tables

        if self._tables is not None:
            show_tables(self._invocation.output, self._tables, self._without_source)
