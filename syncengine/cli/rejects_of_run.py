"""`apply --rejects`: checked before anything is sent, written after the run, and never changes the run's exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.cli.command import Invocation
from syncengine.core.errors import SyncError
from syncengine.core.results import RunResult
from syncengine.project import Project

if TYPE_CHECKING:
    from syncengine.cli.rejects_out import WrittenTable
    from syncengine.planning import Identities
    from syncengine.rejects import VerifiedInputs


class RejectsOfRun:
    """The tables of rejected rows that a run of apply was asked for.

    Making it raises InputError or Refusal where they could not be written: the run has not begun then.
    """

    def __init__(self, invocation: Invocation, project: Project, plan: Path, out: Path, identities: Identities) -> None:
        from syncengine.cli.rejects import inputs_of
        from syncengine.cli.rejects_out import RejectsTarget
        from syncengine.planning import open_plan
        from syncengine.rejects import plan_of_file

        self._invocation = invocation
        self._project = project
        self._plan = plan
        self._identities = identities
        with open_plan(plan, identities) as saved:
            self._inputs: VerifiedInputs = inputs_of(project, plan_of_file(saved, ""))
        # A run that goes on after an interruption is started by the same command, so its own file may be there.
        self._target = RejectsTarget(out, self._inputs.sources, Path(project.settings.root), replace=True)
        self._target.check()
        self._tables: list[WrittenTable] | None = None
        self._without_source = 0

    def write(self, result: RunResult) -> None:
        """Write the tables. Trouble is a warning: the run has happened, and its result must not be hidden."""
        from syncengine.cli.rejects_out import warn_of_git

        output = self._invocation.output
        try:
            self._write(result.stopped)
        except (SyncError, OSError) as error:
            again = f"syncengine rejects {result.run} --out FILE" if result.run else "the same command"
            output.warning(f"the rejected rows were not written: {error}; write them with: {again}")
            return
        assert self._tables is not None
        warn_of_git(output, self._tables, self._project.environ)

    def _write(self, stopped: str) -> None:
        from syncengine.planning import open_plan
        from syncengine.rejects import plan_of_file, row_outcomes

        with open_plan(self._plan, self._identities) as saved, self._project.view() as ledger:
            if ledger is None:
                self._tables = []
                return
            outcomes = row_outcomes(plan_of_file(saved, stopped), ledger, self._inputs)
            try:
                self._tables = self._target.write(outcomes)
                self._without_source = outcomes.without_source
            finally:
                outcomes.close()

    def as_object(self) -> dict[str, Any] | None:
        """What the JSON result says; None where nothing could be written."""
        from syncengine.cli.rejects_out import tables_object

        return None if self._tables is None else tables_object(self._tables, self._without_source)

    def show(self) -> None:
        """The same as text."""
        from syncengine.cli.rejects_out import show_tables

        if self._tables is not None:
            show_tables(self._invocation.output, self._tables, self._without_source)
