"""The public Python API, and the one place where the real parts are put together: load, plan, apply.

    from syncengine import Project, load, plan, apply

    project = Project.open()                      # syncengine.yaml here or in a parent folder
    loaded = load(["specs/"], project)            # raises InputError with every problem
    plan(loaded, project, out="release.plan")     # writes the file that is reviewed
    result = apply("release.plan", project)       # sends exactly what the file says

Errors are `syncengine.core.errors.SyncError`; `exit` on an error or a result is the command line's exit code.
"""

from __future__ import annotations

import os
import random
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from syncengine import __version__
from syncengine.core.codes import CODES
from syncengine.core.errors import InputError, LedgerTrouble, Problem
from syncengine.core.events import RunEvent
from syncengine.core.guards import check_host, key_warning, lost_records
from syncengine.core.plan import MadeFrom, PlanHeader, PlanProgress, PlanSummary, Provenance, Selection
from syncengine.core.ports import GatewayFactory, LedgerIdentity, Listener
from syncengine.core.repeats import contradiction_in_words
from syncengine.core.results import FolderResult, RunResult, UnfinishedPlan
from syncengine.core.settings import Account, ApprovalRule
from syncengine.project import Project

# Modules that only some commands need are imported in the functions below: imports take most of the time of a short
# command.
if TYPE_CHECKING:
    from syncengine.applying import RuntimeDependencies
    from syncengine.applying.apply_directory import FolderEntry
    from syncengine.applying.stopping import StopSignal
    from syncengine.changeset.load import Changeset, Loaded
    from syncengine.findings.conflict import UnsentClaims
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, PlanFile, Seal
    from syncengine.planning.approvals import ApprovalRequest
    from syncengine.planning.build import PlanRequest, Watcher
    from syncengine.planning.export import ObservedExport
    from syncengine.planning.listed_plans import FolderPlan
    from syncengine.planning.unsent import UnsentOperations
    from syncengine.resuming import NotResumed, Resumption

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

_SHOWN = 10
"""Maximum number of contradictions named in a plan; the rest is counted."""

TOOL = f"syncengine {__version__}"


class Quiet:
    """A listener that ignores all events."""

    def note(self, text: str) -> None:
        """Ignored."""

    def tell(self, event: RunEvent) -> None:
        """Ignored."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A completed plan: everything but its operations, which are in the file.

    `progress.run` is the run that the plan goes on after; None for a new plan.
    """

    header: PlanHeader
    provenance: Provenance
    summary: PlanSummary
    path: Path | None
    progress: PlanProgress
    recorded: frozenset[str] = frozenset()
    """Its changesets that have records in the ledger."""

    @property
    def settled(self) -> int:
        """Operations that need nothing more; the others are `left`."""
        return self.progress.settled

    @property
    def left(self) -> int:
        """Operations still to be sent, in doubt, held or blocked."""
        return self.progress.left


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
    """
    account = account_of(loaded, project)
    offline = offline or project.through is not None
    if offline:
        loaded = loaded.offline()
    with ExitStack() as stack:
        export = _export(account, stack, observed, observed_at)
        ledger, note = ledger_for_planning(project, account, stack, offline=offline)
        if unsent is None and loaded.left_out:
            unsent = stack.enter_context(unsent_of(loaded.left_out, project, account, ledger))
        planning = _Planning(
            loaded=loaded,
            project=project,
            account=account,
            ledger=ledger,
            identity=None if ledger is None else ledger.identity(),
            note=note,
            export=export,
            offline=offline,
            seal=seal,
            selection=selection,
            unsent=unsent,
            unfinished=() if ledger is None else ledger.unfinished(account.identity),
            accept=accept,
        )
        path = None if out is None else Path(out)
        if ledger is None:
            return planning.make(path, watchers)
        return _make_or_resume(planning, ledger, path, watchers)


class _Planning(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of one `plan`; `make` may be called more than once."""

    loaded: Loaded
    project: Project
    account: Account
    ledger: Ledger | None
    identity: LedgerIdentity | None
    note: str
    export: ObservedExport | None
    offline: bool
    seal: Seal | None
    selection: Selection
    unsent: UnsentClaims | None
    unfinished: Sequence[UnfinishedPlan]
    accept: Callable[[Path, PlanSummary, Ledger | None], None] | None

    def make(
        self,
        path: Path | None,
        watchers: Sequence[Watcher] = (),
        *,
        resumption: Resumption | None = None,
        not_resumed: NotResumed | None = None,
    ) -> Planned:
        """Plan, and write the plan to `path`.

        With `resumption`, an interrupted plan is worked out again: raises CannotResume where that is not possible.
        """
        from syncengine.planning import PlanWriter, build_plan

        header = self._header()
        provenance = self._provenance()
        if resumption is not None:
            provenance = msgspec.structs.replace(provenance, ledger_position=resumption.position)

        def accept(file: Path, summary: PlanSummary) -> None:
            if resumption is not None:
                resumption.accept(file, summary)
            if self.accept is not None:
                self.accept(file, summary, self.ledger)

        with ExitStack() as stack:
            request = self._request(stack, watchers, resumption, not_resumed)
            with PlanWriter(path, header, provenance, seal=self.seal, accept=accept) as writer:
                summary = build_plan(request, writer)
        return Planned(
            header=header,
            provenance=provenance,
            summary=summary,
            path=path,
            progress=PlanProgress.of_new(summary.counts) if resumption is None else resumption.progress,
            recorded=request.recorded,
        )

    def _header(self) -> PlanHeader:
        from syncengine.core.digests import wire_digest
        from syncengine.planning.planfile import FORMAT

        account, identity = self.account, self.identity
        return PlanHeader(
            format=FORMAT,
            account=account.name,
            identity=account.identity,
            host=account.host,
            policy_digest=self.project.settings.policy.digest,
            wire_digest=wire_digest(account.wire),
            observed="" if self.export is None else self.export.digest,
            partial=self.selection.partial,
            generation=identity.generation if identity is not None and identity.generation else msgspec.UNSET,
        )

    def _provenance(self) -> Provenance:
        identity = self.identity
        return Provenance(
            created=self.project.clock.now(),
            tool=TOOL,
            ledger_id=None if identity is None else identity.id,
            ledger_position=0 if identity is None else identity.position,
            ledger_note=self.note,
            selection=self.selection,
            made_from=_made_from(self.loaded, self.project, self.account),
        )

    def _request(
        self,
        stack: ExitStack,
        watchers: Sequence[Watcher],
        resumption: Resumption | None,
        not_resumed: NotResumed | None,
    ) -> PlanRequest:
        from syncengine.applying.gate import moment_notes
        from syncengine.documents.claims import ClaimStore
        from syncengine.findings.conflict import Conflict
        from syncengine.planning import PlanRequest
        from syncengine.planning.authors import asking_git
        from syncengine.planning.policy import PolicyJudge
        from syncengine.reviewing import ReviewRequest, prepare_review

        project, account, ledger, loaded = self.project, self.account, self.ledger, self.loaded
        policy = project.settings.policy
        past = None if resumption is None else resumption.records
        explained = {} if not_resumed is None else {not_resumed.plan: not_resumed.reason}
        review = prepare_review(
            ReviewRequest(
                changesets=loaded.changesets,
                account=account,
                policy=policy,
                environ=project.environ,
                clock=project.clock,
                ledger=ledger,
                export=self.export,
                # Values read from the service now say nothing about those read then.
                offline=self.offline or past is not None,
                partial=self.selection.partial,
                past=past,
                unfinished=self.unfinished,
                not_resumed=explained if resumption is None else {resumption.found.run.plan: ""},
            ),
            stack,
        )
        return PlanRequest(
            account=account,
            policy=policy,
            judge=PolicyJudge(policy, account, tuple(changeset.id for changeset in loaded.changesets)),
            changesets=loaded.changesets,
            ledger=ledger if past is None else past,
            claims=lambda: stack.enter_context(ClaimStore()),
            watchers=(*review.watchers, *watchers),
            observed=review.observed,
            authors=asking_git(policy.approvals, Path(project.settings.root), project.environ),
            notes=(
                *input_warnings(loaded.problems),
                *_converted_files(loaded, project, account),
                *review.notes,
                *_contradictions(ledger, account),
                *moment_notes(policy, account, ledger, project.clock.now()),
            ),
            undeclared=review.undeclared,
            rules=review.rules if self.unsent is None else (*review.rules, Conflict(self.unsent)),
            known_lead=review.known_lead,
            late_findings=review.late_findings,
            late_notes=review.late_notes,
            parts=_parts(account, project, self.export),
            recorded=review.recorded,
            selection=self.selection,
        )


def _export(
    account: Account, stack: ExitStack, observed: Path | str | None, observed_at: str | None
) -> ObservedExport | None:
    from syncengine.reviewing import open_export

    return open_export(account, stack, observed, observed_at)


def _make_or_resume(planning: _Planning, ledger: Ledger, path: Path | None, watchers: Sequence[Watcher]) -> Planned:
    """Go on with an interrupted plan of the same changesets where that is possible; else make a new plan."""
    from syncengine.core.digests import parts_of
    from syncengine.resuming import CannotResume, Interrupted, Resumption, find_interrupted

    project, account = planning.project, planning.account
    changesets = [changeset.facts() for changeset in planning.loaded.changesets]
    parts = dict(ChainMap(_parts(account, project, planning.export), *map(parts_of, changesets)))
    ids = [changeset.id for changeset in changesets]
    found = find_interrupted(ledger, planning.unfinished, ids, parts, planning.selection)
    if not isinstance(found, Interrupted):
        return planning.make(path, watchers, not_resumed=found)
    resumption = Resumption(
        found=found,
        ledger=ledger,
        account=account,
        policy=project.settings.policy,
        clock=project.clock,
        identities=_identities(project) if planning.seal is None else planning.seal.identities,
        reads=account.reads.leads and not planning.offline,
    )
    with TemporaryDirectory(prefix="syncengine-") as folder:
        target = Path(folder) / "plan" if path is None else path
        try:
            planned = planning.make(target, resumption=resumption)
        except (CannotResume, InputError) as error:
            # What is wrong with the files now is reported by the new plan.
            reason = error.reason if isinstance(error, CannotResume) else "its changesets cannot be planned any more"
            return planning.make(path, watchers, not_resumed=found.refused(reason))
        resumption.show(target, watchers)
    return msgspec.structs.replace(planned, path=path)


def input_warnings(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The warnings about a plan's input files, for its reviewer."""
    from syncengine.documents.misread import QUOTING

    found: list[str] = []
    for problem in problems:
        if problem.severity == "warning":
            # A plan's views mask values, and these messages quote them.
            quotes = problem.code in QUOTING
            text = f"{CODES[problem.code]} `validate` shows it." if quotes else problem.message
            place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
            found.append(f"{place}: {text}" if place else text)
    return tuple(found)


def _made_from(loaded: Loaded, project: Project, account: Account) -> MadeFrom:
    from syncengine.planning.made_from import made_from

    return made_from(Path(project.settings.root), project.environ, _files_read(loaded, project, account))


def _files_read(loaded: Loaded, project: Project, account: Account) -> list[str]:
    """The plan's input files, relative to the repository."""
    settings, root = project.settings, Path(project.settings.root)
    rule = settings.policy.approvals
    others = [settings.file, account.lead_schema, None if rule is None else rule.allowed_signers]
    files = [file for changeset in loaded.changesets for file in changeset.files if (root / file).is_file()]
    files += [Path(os.path.relpath(Path(file).resolve(), root)).as_posix() for file in others if file]
    return list(dict.fromkeys(files))


def _converted_files(loaded: Loaded, project: Project, account: Account) -> list[str]:
    """Notes on input files whose line endings git changed: the same commit gives another plan elsewhere."""
    from syncengine.planning.line_endings import converted

    found = converted(Path(project.settings.root), project.environ, _files_read(loaded, project, account))
    return [f"{file.message}; doctor says what to do" for file in found]


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
        saved = stack.enter_context(open_plan(path, identities or _identities(project)))
        account = project.planned_account(saved)
        ledger = stack.enter_context(project.ledger(account, known=saved.provenance.ledger_id))
        sound = listener or Quiet()
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
    keys, sound = identities or _identities(project), listener or Quiet()
    plans = read_folder(Path(directory), keys)
    if not plans:
        return FolderResult(account="")
    with plans[0].open(keys) as saved:
        account, known = project.planned_account(saved), saved.provenance.ledger_id
    with project.ledger(account, known=known) as ledger:
        result = apply_entries(
            [_folder_entry(plan, keys, ledger) for plan in plans],
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


def _folder_entry(plan: FolderPlan, identities: Identities, ledger: Ledger) -> FolderEntry:
    from syncengine.applying.apply_directory import FolderEntry
    from syncengine.moved_inputs import naming_moves

    @contextmanager
    def opened() -> Iterator[PlanFile]:
        with plan.open(identities) as saved, naming_moves(saved, ledger):
            yield saved

    return FolderEntry(changeset=plan.changeset, digest=plan.digest, path=str(plan.path), open=opened)


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
    with open_plan(path, identities or _identities(project)) as saved:
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


def _identities(project: Project) -> Identities:
    from syncengine.planning import Identities

    return Identities(environ=project.environ)


def account_of(loaded: Loaded, project: Project) -> Account:
    """The account that changesets are planned for. Raises InputError where there is none, or more than one."""
    names = sorted({changeset.account for changeset in loaded.changesets})
    if not names:
        # Everything was left out: the plan is empty.
        names = sorted({changeset.account for changeset in loaded.left_out})[:1]
    if not names:
        raise InputError(
            "there is no changeset to plan", code="SE105", hint="name files or folders that hold *.yaml changesets"
        )
    if len(names) > 1:
        firsts = [next(c for c in loaded.changesets if c.account == name) for name in names]
        problems = [
            Problem(
                code="SE408",
                message=f"changeset {changeset.id} is for account {changeset.account}",
                file=changeset.facts().file,
                line=changeset.facts().line,
                column=1,
            )
            for changeset in firsts
        ]
        raise InputError(
            f"a plan is for one account, and these changesets are for {', '.join(names)}",
            code="SE408",
            hint="plan them apart, with --changeset or by folder",
            problems=problems,
        )
    return project.account(names[0])


@contextmanager
def unsent_of(
    left_out: Iterable[Changeset], project: Project, account: Account, ledger: Ledger | None
) -> Iterator[UnsentOperations]:
    """What changesets of the account that are not planned still have to send. No connection is opened for them, and
    what is wrong in them is passed over."""
    from syncengine.documents.claims import ClaimStore
    from syncengine.planning.unsent import UnsentOperations

    with ClaimStore() as store:
        unsent = UnsentOperations(store, account=account, policy=project.settings.policy, ledger=ledger)
        for changeset in left_out:
            if changeset.account == account.name:
                unsent.read(changeset.offline())
        yield unsent


def ledger_for_planning(
    project: Project, account: Account, stack: ExitStack, *, offline: bool
) -> tuple[Ledger | None, str]:
    """The ledger to compare with, and the note that every view shows first (empty: none)."""
    pin = project.settings.ledger
    if offline and not pin.url.startswith("sqlite:"):
        return None, "planned offline: the ledger was not read, and everything counts as never applied"
    ledger = stack.enter_context(project.view())
    if ledger is None:
        return None, project.missing_ledger(account)
    ledger.require_sound()
    identity = ledger.identity()
    lost = lost_records(account, pin, identity)
    check_host(account, ledger.hosts())
    return ledger, lost or key_warning(identity)


def _parts(account: Account, project: Project, export: ObservedExport | None) -> dict[str, str]:
    """Digests of the plan's inputs besides its changesets, their sources and the ledger's facts."""
    from syncengine.core.digests import CONFIGURATION, OBSERVED, POLICY, SIGNERS, policy_digest

    policy = project.settings.policy
    unsigned = policy
    if policy.approvals is not None:
        unsigned = msgspec.structs.replace(policy, approvals=msgspec.structs.replace(policy.approvals, signers=""))
    return {
        CONFIGURATION: configuration_now(account),
        POLICY: policy_digest(unsigned),
        SIGNERS: "" if policy.approvals is None else policy.approvals.signers,
        OBSERVED: "" if export is None else export.digest,
    }


def configuration_now(account: Account) -> str:
    """Digest of what a plan depends on of an account's configuration, as it is now."""
    from syncengine.core.digests import configuration_digest

    schema = None if account.lead_schema is None else Path(account.lead_schema).read_bytes()
    return configuration_digest(account, schema)


def _contradictions(ledger: Ledger | None, account: Account) -> tuple[str, ...]:
    """Answers that contradict a person's earlier resolution."""
    found = () if ledger is None else tuple(ledger.contradictions(account.identity))
    more = (f"and {len(found) - _SHOWN} more contradictions; 'syncengine status' lists them",)
    return tuple(contradiction_in_words(attempt) for attempt in found[:_SHOWN]) + more * (len(found) > _SHOWN)
