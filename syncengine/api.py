"""The public Python API, and the one place where the real parts are put together: load, plan, apply.

    from syncengine import Project, load, plan, apply

    project = Project.open()                      # syncengine.yaml here or in a parent folder
    loaded = load(["specs/"], project)            # raises InputError with every problem
    plan(loaded, project, out="release.plan")     # writes the file that is reviewed
    result = apply("release.plan", project)       # sends exactly what the file says

Errors are `syncengine.core.errors.SyncError`; `exit` on an error or a result is the command line's exit code.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import InputError, LedgerTrouble
from syncengine.core.events import RunEvent
from syncengine.core.plan import PlanSummary, Selection
from syncengine.core.ports import GatewayFactory, Listener
from syncengine.core.results import FolderResult, RunResult
from syncengine.core.settings import Account, ApprovalRule
from syncengine.make_plan import (
    TOOL,
    Planned,
    Planning,
    account_of,
    configuration_now,
    identities_of,
    make_or_resume,
    unsent_of,
)
from syncengine.planning_inputs import PlanningInputs, planning_inputs
from syncengine.project import Project

# Modules that only some commands need are imported in the functions below: imports take most of the time of a short
# command.
if TYPE_CHECKING:
    from syncengine.applying import RuntimeDependencies
    from syncengine.applying.apply_directory import FolderEntry
    from syncengine.applying.stopping import StopSignal
    from syncengine.changeset.load import Loaded
    from syncengine.findings.conflict import UnsentClaims
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, PlanFile, Seal
    from syncengine.planning.approvals import ApprovalRequest
    from syncengine.planning.build import Watcher
    from syncengine.planning.listed_plans import FolderPlan

__all__ = [
    "Planned",
    "Project",
    "Quiet",
    "apply",
    "apply_directory",
    "approval_request",
    "configuration_now",
    "load",
    "needed_approvals",
    "plan",
    "record_baseline",
]


class Quiet:
    """A listener that ignores all events."""

    def note(self, text: str) -> None:
        """Ignored."""

    def tell(self, event: RunEvent) -> None:
        """Ignored."""


def load(
    paths: Iterable[Path | str],
    project: Project,
    *,
    variables: Mapping[str, str] | None = None,
    only: Iterable[str] = (),
    command: str = "validate",
    sql_from: Iterable[Path | str] = (),
) -> Loaded:
    """Read changesets from files and folders. Raises InputError with every problem of their text.

    `variables` override declared `vars`; `only` selects changesets by id. Data is read when planning. `command` is the
    command that messages say to repeat. With `sql_from`, SQL sources are refused unless a changeset in these folders
    has the same database and statement.
    """
    from syncengine.changeset.known_sql import known_sql
    from syncengine.changeset.load import load as load_changesets

    chosen = frozenset(only)
    reviewed = [Path(folder) for folder in sql_from]
    loaded = load_changesets(
        [Path(path) for path in paths],
        project.settings,
        variables=variables or {},
        only=chosen or None,
        environ=project.environ,
        command=command,
        known_sql=known_sql(reviewed) if reviewed else None,
    )
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    if errors:
        count = f"{len(errors)} problem{'s' if len(errors) > 1 else ''}"
        raise InputError(
            f"the changesets have {count}",
            code=errors[0].code,
            problems=loaded.problems,
            hint="'syncengine validate' shows them all",
        )
    return loaded


def plan(
    loaded: Loaded,
    project: Project,
    *,
    out: Path | str | None = None,
    offline: bool = False,
    observed: Path | str | None = None,
    observed_at: str | None = None,
    watchers: Sequence[Watcher] = (),
    seal: Seal | None = None,
    selection: Selection = Selection(),  # noqa: B008 - frozen
    unsent: UnsentClaims | None = None,
    accept: Callable[[Path, PlanSummary, Ledger | None], None] | None = None,
    inputs: PlanningInputs | None = None,
) -> Planned:
    """Compute what would be sent and write it to `out` (mode 0600; None: no file). Sends nothing, creates no ledger.

    `offline` opens no connection, and is true for a project that was found through a path only. `observed` is a dated
    export of leads; `observed_at` is the time of its rows without one. Where the account allows it, and not offline,
    current values are read from the service. Raises InputError with every problem of the data, WrongLedger where the
    ledger is not the pinned one. A plan may be blocked: see `summary.blocked`. Where an earlier plan of the same
    changesets was interrupted and can be worked out again, the result is that plan, with its digest. `selection` is
    recorded with it. With `seal` (`syncengine.planning.Seal.to([...])`) only its recipients can read the values.
    `unsent` is what other changesets still have to send, for findings; by default, what those that were left out do.
    `accept` receives the complete file before it gets its name at `out`; what it raises leaves `out` as it was.
    `inputs` were opened before for several plans, in place of the ledger and `observed`.
    """
    account = account_of(loaded, project)
    offline = offline or project.through is not None
    if offline:
        loaded = loaded.offline()
    with ExitStack() as stack:
        if inputs is None:
            opened = planning_inputs(project, account, offline=offline, observed=observed, observed_at=observed_at)
            inputs = stack.enter_context(opened)
        ledger = inputs.ledger
        if unsent is None and loaded.left_out:
            unsent = stack.enter_context(unsent_of(loaded.left_out, project, account, ledger))
        planning = Planning(
            loaded=loaded,
            project=project,
            account=account,
            inputs=inputs,
            offline=offline,
            seal=seal,
            selection=selection,
            unsent=unsent,
            accept=accept,
        )
        path = None if out is None else Path(out)
        if ledger is None:
            return planning.make(path, watchers)
        return make_or_resume(planning, ledger, path, watchers)


def apply(
    plan_path: Path | str,
    project: Project,
    *,
    lock_timeout: float = 0.0,
    deadline: float | None = None,
    listener: Listener | None = None,
    signal: StopSignal | None = None,
    approvals: Sequence[Path | str] = (),
    claimed_approval: str | None = None,
    identities: Identities | None = None,
) -> RunResult:
    """Send what a saved plan lists and has not been sent yet. Returns the result; its `exit` is the exit code.

    Raises InputError or Refusal before anything was sent. `deadline` and `lock_timeout` are in seconds. `approvals` are
    files besides PLAN.approval and the repository's approvals/DIGEST.approval, which are always read.
    `claimed_approval` is what CI says about who approved: it is recorded, and counts as no approval. `identities` open
    a sealed plan (default: those of the environment).
    """
    from syncengine.applying import ApplyRequest, apply_plan
    from syncengine.moved_inputs import naming_moves
    from syncengine.planning import open_plan
    from syncengine.planning.approvals import authorize, checked_claim, missing_named

    path = Path(plan_path)
    claimed = checked_claim(claimed_approval)
    named = [Path(file) for file in approvals]
    missing_named(named)
    with ExitStack() as stack:
        saved = stack.enter_context(open_plan(path, identities or identities_of(project)))
        account = project.planned_account(saved)
        ledger = stack.enter_context(project.ledger(account, known=saved.provenance.ledger_id))
        sound = listener or Quiet()
        _note_moved(saved, project, sound)
        stack.enter_context(naming_moves(saved, ledger))
        result = apply_plan(
            saved,
            ledger,
            ApplyRequest(
                account=account,
                policy=project.settings.policy,
                plan_path=str(path),
                tool=TOOL,
                lock_timeout=lock_timeout,
                deadline=deadline,
                authorize=lambda: authorize(approval_request(saved, project, named), sound.note),
                claimed=claimed,
            ),
            _runtime(project, account, sound, signal),
        )
        return msgspec.structs.replace(result, pin_line=_pin_line(ledger, sound))


def apply_directory(
    directory: Path | str,
    project: Project,
    *,
    lock_timeout: float = 0.0,
    deadline: float | None = None,
    listener: Listener | None = None,
    signal: StopSignal | None = None,
    approvals: Sequence[Path | str] = (),
    claimed_approval: str | None = None,
    identities: Identities | None = None,
) -> FolderResult:
    """Apply the plans that `directory/plans.json` lists, under one lease, in the order of their changesets' ids.

    Raises InputError or Refusal before anything was sent: see `syncengine.planning.listed_plans`. The parameters are
    those of `apply`; `deadline` holds for all plans together.
    """
    from syncengine.applying import ApplyRequest
    from syncengine.applying.apply_directory import FolderRequest
    from syncengine.applying.apply_directory import apply_directory as apply_entries
    from syncengine.planning.approvals import authorize, checked_claim, missing_named
    from syncengine.planning.listed_plans import read_folder

    claimed = checked_claim(claimed_approval)
    named = [Path(file) for file in approvals]
    missing_named(named)
    keys, sound = identities or identities_of(project), listener or Quiet()
    plans = read_folder(Path(directory), keys)
    if not plans:
        return FolderResult(account="")
    with plans[0].open(keys) as saved:
        account, known = project.planned_account(saved), saved.provenance.ledger_id
    with project.ledger(account, known=known) as ledger:
        result = apply_entries(
            [_folder_entry(plan, keys, ledger, lambda saved: _note_moved(saved, project, sound)) for plan in plans],
            ledger,
            FolderRequest(
                apply=ApplyRequest(
                    account=account,
                    policy=project.settings.policy,
                    plan_path=str(directory),
                    tool=TOOL,
                    lock_timeout=lock_timeout,
                    deadline=deadline,
                    claimed=claimed,
                ),
                authorize=lambda saved: authorize(approval_request(saved, project, named), sound.note),
            ),
            _runtime(project, account, sound, signal),
        )
        return msgspec.structs.replace(result, pin_line=_pin_line(ledger, sound))


def _folder_entry(
    plan: FolderPlan, identities: Identities, ledger: Ledger, first_opened: Callable[[PlanFile], None]
) -> FolderEntry:
    from syncengine.applying.apply_directory import FolderEntry
    from syncengine.moved_inputs import naming_moves

    calls = [first_opened]

    @contextmanager
    def opened() -> Iterator[PlanFile]:
        with plan.open(identities) as saved, naming_moves(saved, ledger):
            while calls:
                calls.pop()(saved)
            yield saved

    return FolderEntry(changeset=plan.changeset, digest=plan.digest, path=str(plan.path), open=opened)


def _note_moved(saved: PlanFile, project: Project, listener: Listener) -> None:
    """Note which of a plan's files differ from its commit now."""
    from syncengine.core.changes import data_files
    from syncengine.findings.moved_since import named_files
    from syncengine.planning.made_from import differing_by_now

    commit, summary = saved.provenance.made_from.commit, saved.summary
    files = [
        file
        for changeset in summary.changesets
        for file in (changeset.file, *data_files(changeset.id, summary.changes))
    ]
    differing = differing_by_now(Path(project.settings.root), project.environ, commit, files)
    if differing:
        differ = "differs" if len(differing) == 1 else "differ"
        listener.note(
            f"{named_files(differing, len(differing))} {differ} now from commit {commit[:12]}, which plan "
            f"{summary.digest[:12]} was made from; what is sent is what the plan holds"
        )


def _runtime(project: Project, account: Account, listener: Listener, signal: StopSignal | None) -> RuntimeDependencies:
    """The real parts of a run. The API key is read once, when something is to be sent."""
    from functools import cache

    from syncengine.applying import RuntimeDependencies
    from syncengine.applying.stopping import StopSignal

    @cache
    def connect() -> GatewayFactory:
        # The HTTP client takes a tenth of a second to import, which no other command needs.
        from syncengine.leadbyte import gateway_factory, resolve_key

        key = resolve_key(account.api_key, project.environ, account=account.name, warn=listener.note)
        return gateway_factory(account, key, project.clock, ca_file=project.environ.get("SYNCENGINE_CA_FILE"))

    return RuntimeDependencies(
        connect=connect,
        clock=project.clock,
        random=random.random,
        listener=listener,
        signal=signal or StopSignal(),
    )


def record_baseline(
    plan_path: Path | str,
    project: Project,
    *,
    by: str,
    note: str,
    lock_timeout: float = 0.0,
    identities: Identities | None = None,
) -> int:
    """Record what a saved plan would send as already done by other means. Returns the number of operations.

    Nothing is sent. Raises Refusal as apply does.
    """
    from syncengine.applying import ApplyRequest
    from syncengine.applying.baseline import record_baseline as baseline_of
    from syncengine.planning import open_plan

    path = Path(plan_path)
    with open_plan(path, identities or identities_of(project)) as saved:
        account = project.planned_account(saved)
        request = ApplyRequest(
            account=account,
            policy=project.settings.policy,
            plan_path=str(path),
            tool=TOOL,
            lock_timeout=lock_timeout,
        )
        with project.ledger(account, known=saved.provenance.ledger_id) as ledger:
            return baseline_of(saved, ledger, request, project.clock, by=by, note=note)


def _pin_line(ledger: Ledger, sound: Listener) -> str:
    """The pin to commit; empty where the ledger can no longer be read, since that error must not hide the run's
    result."""
    try:
        identity = ledger.identity()
    except LedgerTrouble as error:
        sound.note(f"{error.message}; the ledger's position could not be read")
        return ""
    return f'id: "{identity.id}@{identity.position}"'


def approval_request(saved: PlanFile, project: Project, files: Sequence[Path] = ()) -> ApprovalRequest:
    """The present requirements for a plan's approvals."""
    from syncengine.planning.approvals import ApprovalRequest

    return ApprovalRequest(
        summary=saved.summary,
        plan=saved.path,
        files=files,
        account=project.account(saved.header.account),
        policy=project.settings.policy,
        root=Path(project.settings.root),
        environ=project.environ,
        now=project.clock.now(),
    )


def needed_approvals(planned: Planned, project: Project) -> ApprovalRule | None:
    """The rule by which a new plan needs approvals; None where it needs none."""
    from syncengine.planning.policy import approval_rule

    changesets = tuple(changeset.id for changeset in planned.summary.changesets)
    account = project.account(planned.header.account)
    return approval_rule(project.settings.policy, planned.summary.counts, account, changesets)
