"""One plan for each changeset, into a folder: `plan --each DIR`. Built on `api.plan`, which makes each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.core.digests import parts_about, parts_of
from syncengine.core.errors import InputError, Problem
from syncengine.core.plan import Selection
from syncengine.expected_plans import PlansComparison
from syncengine.make_plan import Planned, account_of, input_warnings, unsent_of
from syncengine.planning.plans_file import ListedPlan, PlansFile, listed, write_plans_file
from syncengine.planning.plans_folder import PlansFolder
from syncengine.planning_inputs import PlanningInputs, planning_inputs
from syncengine.project import Project
from syncengine.reports.facts import progress_words

if TYPE_CHECKING:
    from syncengine.changeset.load import Changeset, Loaded
    from syncengine.planning import Identities
    from syncengine.planning.expectation import ExpectedPlans
    from syncengine.planning.unsent import UnsentOperations

_NAMED = 1_000
"""Problems that the error of a failed command lists."""

MakePlan = Callable[["Loaded", Path, Selection, "UnsentOperations | None", PlanningInputs], Planned]
"""Plans one changeset into one file: `api.plan` with everything else already given."""


@contextmanager
def emptied(folder: Path) -> Iterator[PlansFolder]:
    """The folder without the plans of an earlier run; without those of this one too, where the block fails."""
    found = PlansFolder(folder)
    found.prepare()
    try:
        yield found
    except BaseException:
        found.clear()
        raise


def expected_before(folder: Path, file: Path) -> ExpectedPlans:
    """The plans that are expected, read before anything is removed from the folder, which may hold `file`. Where they
    cannot be read, the folder is left without plans, as by everything that fails."""
    from syncengine.planning.expectation import expected_plans

    try:
        return expected_plans(file)
    except InputError:
        if folder.is_dir():
            PlansFolder(folder).clear()
        raise


def plan_each(
    loaded: Loaded,
    project: Project,
    folder: PlansFolder,
    *,
    make: MakePlan,
    variables: Mapping[str, str],
    offline: bool,
    observed: Path | None,
    observed_at: str | None,
    shown: Callable[[Planned], None],
    expected: ExpectedPlans | None = None,
    identities: Identities | None = None,
) -> PlansFile:
    """Plan each changeset alone, and write plans.json last. `shown` receives each plan that stays.

    Raises InputError with the problems of all changesets, and Refusal where the plans are not the `expected` ones.
    The caller removes what was written then: see `emptied`. `identities` open plans that are sealed.
    """
    account = account_of(loaded, project)
    offline = offline or project.through is not None
    with ExitStack() as stack:
        inputs = stack.enter_context(
            planning_inputs(project, account, offline=offline, observed=observed, observed_at=observed_at)
        )
        ledger = inputs.ledger
        compared = None if expected is None else PlansComparison(expected, ledger, identities)
        making = _Making(folder, make, variables, shown, compared)
        unsent = None
        if len(loaded.changesets) + len(loaded.left_out) > 1:
            unsent = stack.enter_context(unsent_of(loaded.left_out, project, account, ledger))
        known = frozenset() if ledger is None else ledger.changesets_of(account.identity)
        for changeset in _unsettled(loaded, unsent, known, compared, offline=offline):
            making.plan(loaded, changeset, unsent, inputs)
        making.raise_problems()
        if compared is not None:
            compared.finish(account)
    content = PlansFile(
        account=account.name,
        plans=tuple(making.listed),
        warnings=(*making.shown_by_no_plan(), *_about_no_changeset(loaded)),
    )
    write_plans_file(folder.path, content)
    return content


def _unsettled(
    loaded: Loaded,
    unsent: UnsentOperations | None,
    known: frozenset[str],
    compared: PlansComparison | None,
    *,
    offline: bool,
) -> tuple[Changeset, ...]:
    """The changesets that may need a plan. All of them are read before the first is planned, as each plan tells what
    the others mean to do to its leads."""
    if unsent is None:
        return loaded.changesets
    found: list[Changeset] = []
    for changeset in loaded.changesets:
        reading = changeset.offline() if offline else changeset.apart()
        # One that the ledger does not know may be blocked by a finding, or is named in the warnings.
        if unsent.read(reading) or changeset.id not in known:
            found.append(changeset)
        elif compared is not None:
            facts = reading.facts()
            compared.settled(facts.id, facts.file, parts_of(facts), known=True)
    return tuple(found)


def _about_no_changeset(loaded: Loaded) -> tuple[str, ...]:
    """Warnings that no single plan shows: about skipped folders, and the like."""
    files = {file for changeset in loaded.changesets for file in changeset.files}
    return input_warnings(problem for problem in loaded.problems if problem.file not in files)


class _Making:
    """What was planned so far."""

    def __init__(
        self,
        folder: PlansFolder,
        make: MakePlan,
        variables: Mapping[str, str],
        shown: Callable[[Planned], None],
        compared: PlansComparison | None,
    ) -> None:
        self._folder = folder
        self._make = make
        self._variables = variables
        self._shown = shown
        self._compared = compared
        self._problems: list[Problem] = []
        self._faulty = 0
        self._ledger_note = ""
        self._resumed: list[str] = []
        self._idle: list[str] = []
        self.listed: list[ListedPlan] = []

    def plan(
        self, loaded: Loaded, changeset: Changeset, unsent: UnsentOperations | None, inputs: PlanningInputs
    ) -> None:
        """Plan one changeset; its problems are kept until all were planned."""
        path = self._folder.place_for(changeset.id)
        declared = changeset.facts().vars
        variables = {name: value for name, value in self._variables.items() if name in declared}
        selection = Selection(variables=variables, each=changeset.id)
        try:
            planned = self._make(loaded.alone(changeset), path, selection, unsent, inputs)
        except InputError as error:
            if not error.problems:
                raise
            self._faulty += 1
            self._problems += error.problems[: _NAMED - len(self._problems)]
            return
        self._ledger_note = planned.provenance.ledger_note
        if planned.left or planned.summary.blocked:
            self.listed.append(listed(changeset.id, planned.summary, settled=planned.settled, left=planned.left))
            if words := progress_words(planned.progress):
                self._resumed.append(f"changeset {changeset.id}: {words}")
            if self._compared is not None:
                self._compared.planned(changeset.id, changeset.facts().file, path, planned.summary)
            self._shown(planned)
            return
        path.unlink(missing_ok=True)
        known = changeset.id in planned.recorded
        if self._compared is not None:
            own = parts_about(planned.summary.parts, (changeset.id,))
            self._compared.settled(changeset.id, changeset.facts().file, own, known=known)
        if not known:
            self._idle.append(
                f"changeset {changeset.id} ({changeset.facts().file}) has nothing to send, and the ledger does not "
                "know it: is something missing in it?"
            )

    def shown_by_no_plan(self) -> tuple[str, ...]:
        """Warnings beside those of the plans themselves."""
        note = (self._ledger_note,) if self._ledger_note and not self.listed else ()
        return (*self._resumed, *note, *self._idle)

    def raise_problems(self) -> None:
        """Raise the problems of all changesets together."""
        if not self._faulty:
            return
        errors = [problem for problem in self._problems if problem.severity == "error"]
        what = "1 changeset" if self._faulty == 1 else f"{self._faulty} changesets"
        raise InputError(
            f"{what} cannot be planned: {len(errors)} problem{'s' if len(errors) > 1 else ''}",
            code=errors[0].code,
            problems=self._problems,
            hint="no plan was written",
        )
