"""Makes one plan from loaded changesets: reads what it needs, and writes it. `api.plan` is the call for it."""

from __future__ import annotations

import os
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine import __version__
from syncengine.core.codes import CODES
from syncengine.core.errors import InputError, Problem
from syncengine.core.plan import MadeFrom, PlanHeader, PlanProgress, PlanSummary, Provenance, Selection
from syncengine.core.ports import LedgerIdentity
from syncengine.core.repeats import contradiction_in_words
from syncengine.core.results import UnfinishedPlan
from syncengine.core.settings import Account
from syncengine.planning_inputs import PlanningInputs
from syncengine.project import Project

# Modules that only some commands need are imported in the functions below: imports take most of the time of a short
# command.
if TYPE_CHECKING:
    from syncengine.changeset.load import Changeset, Loaded
    from syncengine.findings.conflict import UnsentClaims
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, Seal
    from syncengine.planning.build import PlanRequest, Watcher
    from syncengine.planning.export import ObservedExport
    from syncengine.planning.unsent import UnsentOperations
    from syncengine.resuming import Interrupted, NotResumed, Resumption

_SHOWN = 10
"""Maximum number of contradictions named in a plan; the rest is counted."""


TOOL = f"syncengine {__version__}"


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


class Planning(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The inputs of one `plan`; `make` may be called more than once."""

    loaded: Loaded
    project: Project
    account: Account
    inputs: PlanningInputs
    offline: bool
    seal: Seal | None
    selection: Selection
    unsent: UnsentClaims | None
    accept: Callable[[Path, PlanSummary, Ledger | None], None] | None

    @property
    def ledger(self) -> Ledger | None:
        """The ledger to compare with."""
        return self.inputs.ledger

    @property
    def export(self) -> ObservedExport | None:
        """The observed file."""
        return self.inputs.export

    @cached_property
    def identity(self) -> LedgerIdentity | None:
        """The ledger's, with its position before anything is read for the plan."""
        return None if self.ledger is None else self.ledger.identity()

    @cached_property
    def unfinished(self) -> Sequence[UnfinishedPlan]:
        """The account's unfinished plans, newest first."""
        return () if self.ledger is None else self.ledger.unfinished(self.account.identity)

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
            request = _with_moved_since(self._request(stack, watchers, resumption, not_resumed), provenance.made_from)
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
            ledger_note=self.inputs.note,
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
        from syncengine.applying.windows_and_budgets import moment_notes
        from syncengine.documents.claims import ClaimStore
        from syncengine.findings.conflict import Conflict
        from syncengine.planning import PlanRequest
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
            authors=self.inputs.authors,
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


def _with_moved_since(request: PlanRequest, made_from: MadeFrom) -> PlanRequest:
    from syncengine.findings.moved_since import moved_since

    late = request.late_findings
    return msgspec.structs.replace(request, late_findings=lambda: (*moved_since(made_from), *late()))


def make_or_resume(planning: Planning, ledger: Ledger, path: Path | None, watchers: Sequence[Watcher]) -> Planned:
    """Go on with an interrupted plan of the same changesets where that is possible; else make a new plan."""
    from syncengine.core.digests import parts_of
    from syncengine.resuming import CannotResume, Interrupted, find_interrupted

    changesets = [changeset.facts() for changeset in planning.loaded.changesets]
    parts = dict(ChainMap(_parts(planning.account, planning.project, planning.export), *map(parts_of, changesets)))
    ids = [changeset.id for changeset in changesets]
    found = find_interrupted(ledger, planning.unfinished, ids, parts, planning.selection)
    if not isinstance(found, Interrupted):
        return planning.make(path, watchers, not_resumed=found)
    try:
        return _resumed(planning, ledger, found, path, watchers)
    except CannotResume as error:
        reason = error.reason
    except InputError:
        # What is wrong with the files now is reported by the new plan.
        reason = "its changesets cannot be planned any more"
    return planning.make(path, watchers, not_resumed=found.refused(reason))


def _resumed(
    planning: Planning, ledger: Ledger, found: Interrupted, path: Path | None, watchers: Sequence[Watcher]
) -> Planned:
    """The interrupted plan, worked out again. Raises CannotResume."""
    from tempfile import TemporaryDirectory

    from syncengine.resuming import Resumption

    project, account = planning.project, planning.account
    resumption = Resumption(
        found=found,
        ledger=ledger,
        account=account,
        policy=project.settings.policy,
        clock=project.clock,
        identities=identities_of(project) if planning.seal is None else planning.seal.identities,
        reads=account.reads.leads and not planning.offline,
    )
    with TemporaryDirectory(prefix="syncengine-") as folder:
        target = Path(folder) / "plan" if path is None else path
        planned = planning.make(target, resumption=resumption)
        resumption.show(target, watchers)
    return msgspec.structs.replace(planned, path=path)


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

    policy = project.settings.policy
    with (
        ClaimStore() as store,
        closing(UnsentOperations(store, account=account, policy=policy, ledger=ledger)) as unsent,
    ):
        for changeset in left_out:
            if changeset.account == account.name:
                unsent.read(changeset.offline())
        yield unsent


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


def _contradictions(ledger: Ledger | None, account: Account) -> tuple[str, ...]:
    """Answers that contradict a person's earlier resolution."""
    found = () if ledger is None else tuple(ledger.contradictions(account.identity))
    more = (f"and {len(found) - _SHOWN} more contradictions; 'syncengine status' lists them",)
    return tuple(contradiction_in_words(attempt) for attempt in found[:_SHOWN]) + more * (len(found) > _SHOWN)


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


def identities_of(project: Project) -> Identities:
    from syncengine.planning import Identities

    return Identities(environ=project.environ)
