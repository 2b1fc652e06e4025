"""Entry point of planning: turns items, the ledger's view and the policy into a plan, streamed to its file."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

import msgspec

from syncengine.core.changes import ChangeFacts, ChangesetFacts, Item, data_files
from syncengine.core.digests import LedgerFacts, parts_of
from syncengine.core.errors import InputError, Problem
from syncengine.core.finding import Finding
from syncengine.core.history import NO_HISTORY, LeadHistory
from syncengine.core.operations import Kind, kind_of
from syncengine.core.plan import (
    Blocker,
    ChangesetHeader,
    PlannedOperation,
    PlanSummary,
    Selection,
    State,
)
from syncengine.core.problem_limit import ProblemLimit
from syncengine.core.settings import Account, Policy
from syncengine.core.values import LeadId
from syncengine.documents.claims import ClaimStore as DiskClaims
from syncengine.documents.disk_spool import DiskSpool
from syncengine.findings.fold import FindingsFold, facts_by_change, findings_of
from syncengine.findings.lead_unknown import LeadUnknown
from syncengine.findings.operations import OPEN
from syncengine.findings.rows_taken import rows_taken
from syncengine.findings.rule import Rule
from syncengine.findings.shared_lead import SharedLead
from syncengine.planning.authors import AskedAuthors, Authorship
from syncengine.planning.conflicts import ClaimRegistry, Conflicts
from syncengine.planning.diff import Differ, Generation, Observed, StoredValues
from syncengine.planning.entry_numbers import EntryNumbers
from syncengine.planning.findings_policy import FindingsPolicy, with_findings
from syncengine.planning.part import PartOfPlan
from syncengine.planning.planfile import PlanWriter
from syncengine.planning.policy import PolicyJudge
from syncengine.planning.tally import OperationCounter
from syncengine.planning.undeclared import Undeclared

BATCH = 1_000
"""Items compared with the ledger at once."""

_LISTED = 1000
"""Blocked operations listed in the summary; the rest is counted."""

_VALUES_BETWEEN_COLLECTIONS = 50_000


class PlannableChangeset(Protocol):
    """A loaded changeset, as the changeset package provides it."""

    def facts(self) -> ChangesetFacts:
        """Id, file, variables; source digests once the items were read to the end."""
        ...

    def items(self, report: Callable[[Problem], None]) -> Iterator[Item]:
        """Its items in declared order; problems go to `report`."""
        ...


class Watcher(Protocol):
    """Receives every operation as it is planned.

    A watcher with an attribute `kinds` receives only operations of those kinds.
    """

    def see(self, planned: PlannedOperation) -> None:
        """Receive one operation, in order."""
        ...


class PlanningRecords(StoredValues, Protocol):
    """What planning reads from the ledger. See LedgerView."""

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads; a lead without any is left out."""
        ...

    def names(self, account: str) -> Mapping[tuple[str, str, str], str]:
        """(changeset, kind, name) to the id that the name resolved to when that changeset was first applied with it."""
        ...


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs of a plan. `authors` names who wrote a changeset's file and its data files."""

    account: Account
    policy: Policy
    judge: PolicyJudge
    changesets: Sequence[PlannableChangeset]
    ledger: PlanningRecords | None
    claims: Callable[[], ClaimRegistry]
    watchers: tuple[Watcher, ...] = ()
    observed: Observed | None = None
    authors: AskedAuthors | None = None
    notes: tuple[str, ...] = ()
    undeclared: Undeclared | None = None
    """Each receives every operation with its lead's history."""
    rules: tuple[Rule, ...] = ()
    """Finding rules that need more than the plan's lines."""
    known_lead: Callable[[LeadId], bool] | None = None
    """Whether the observed export holds a lead."""
    late_findings: Callable[[], Iterable[Finding]] = tuple
    """Called after the last operation: findings that the digest does not cover."""
    late_notes: Callable[[], tuple[str, ...]] | None = None
    """Called after the last operation: remarks that are not findings."""
    parts: Mapping[str, str] = {}
    """Digests of the plan's inputs other than changesets, sources and the ledger's facts."""
    selection: Selection = Selection()
    """Restricts what is planned to a part."""
    recorded: frozenset[str] = frozenset()
    """The plan's changesets that have records in the ledger."""


def build_plan(request: PlanRequest, writer: PlanWriter) -> PlanSummary:
    """Stream every operation to `writer`. Raises InputError with all problems, in which case no file appears."""
    with _collecting_seldom():
        return _Build(request, writer).run()


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Run the cyclic garbage collector less often. Rows are created and freed by the million and hold no reference
    cycles; collecting every 700 values takes a tenth of the time."""
    before = gc.get_threshold()
    gc.set_threshold(_VALUES_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Build:
    def __init__(self, request: PlanRequest, writer: PlanWriter) -> None:
        self._request = request
        self._writer = writer
        self._problems: list[Problem] = []
        self._tally = OperationCounter()
        self._numbers = EntryNumbers(request.account.wire.deliveries)
        self._findings = ProblemLimit(self._problems.append)
        self._conflicts = Conflicts(request.claims(), self._findings.add, several=len(request.changesets) > 1)
        self._changes: list[ChangeFacts] = []
        self._open: set[str] = set()
        self._facts = LedgerFacts()
        self._parts: dict[str, str] = dict(request.parts)
        self._known_leads = None if request.known_lead is None else LeadUnknown(request.known_lead)
        self._fold = self._make_fold()
        self._watching = {
            kind: tuple(watcher.see for watcher in request.watchers if kind in getattr(watcher, "kinds", Kind))
            for kind in Kind
        }
        self._blocked: list[Blocker] = []
        self._undeclared = request.undeclared
        self._differ = self._make_differ()
        self._judge = request.judge
        self._part = PartOfPlan(request.selection) if request.selection.partial else None
        self._spool = DiskSpool(PlannedOperation) if request.judge.needs_totals else None
        self._first_tally = OperationCounter()
        self._first_leads = SharedLead(DiskClaims()) if self._spool is not None else None

    def _make_fold(self) -> FindingsFold:
        request, known = self._request, self._known_leads
        more = request.rules if known is None else (*request.rules, known)
        return FindingsFold(more=more, new_lead=None if known is None else known.meet)

    def run(self) -> PlanSummary:
        headers = [self._changeset(changeset) for changeset in self._request.changesets]
        if self._part is not None:
            for operation in self._part.take():
                self._put(operation)
            self._problems += self._part.problems(self._changes)
        self._conflicts.finish()
        self._findings.finish()
        self._judge_again()
        errors = [problem for problem in self._problems if problem.severity == "error"]
        if errors:
            raise InputError(
                f"the changesets cannot be planned: {len(errors)} problem{'s' if len(errors) > 1 else ''}",
                code=errors[0].code,
                problems=self._problems,
            )
        return self._finish(tuple(headers))

    def _make_differ(self) -> Differ:
        request = self._request
        ledger = request.ledger
        moved: Mapping[tuple[str, str, str], str] = {}
        if ledger is not None:
            moved = ledger.names(request.account.identity)
        return Differ(
            account=request.account.identity,
            policy=request.policy,
            values=ledger,
            moved=moved,
            observed=request.observed,
            report=self._findings.add,
        )

    def _changeset(self, changeset: PlannableChangeset) -> ChangesetHeader:
        begins = changeset.facts()
        self._writer.begin(begins.id, begins.line)
        items = changeset.items(self._problems.append)
        while batch := list(islice(items, BATCH)):
            histories = self._histories(batch)
            for item in batch:
                self._item(item, histories.get(item.lead, NO_HISTORY))
        facts = changeset.facts()
        self._changes += facts.changes
        self._parts |= parts_of(facts)
        wrote = self._authors(facts)
        return ChangesetHeader(
            id=facts.id,
            title=facts.title,
            description=facts.description,
            file=facts.file,
            vars=dict(facts.vars),
            sources=facts.sources,
            authors=tuple(sorted(wrote)),
            commits=dict(wrote),
            line=facts.line,
        )

    def _authors(self, facts: ChangesetFacts) -> Authorship:
        if self._request.authors is None:
            return {}
        return self._request.authors(facts.file, data_files(facts.id, facts.changes))

    def _histories(self, batch: Iterable[Item]) -> Mapping[LeadId, LeadHistory]:
        ledger = self._request.ledger
        if ledger is None:
            return {}
        return ledger.histories(self._request.account.identity, list({item.lead for item in batch}))

    def _item(self, item: Item, history: LeadHistory) -> None:
        planned: list[PlannedOperation] = []
        for compared in self._differ.compare(item, history, self._numbers.following):
            if isinstance(compared, Generation):
                self._conflicts.lowered(compared)
                compared = msgspec.structs.replace(  # noqa: PLW2901
                    compared.declared,
                    state=State.ALREADY_APPLIED,
                    reason=f"generation {compared.on_record} is on record",
                )
            if self._undeclared is not None:
                self._undeclared.compare(compared, history)
            planned.append(self._judged(self._conflicts.check(compared)))
        # What is not planned was compared all the same: it must not contradict what is.
        if self._part is not None and not self._part.holds(item):
            return
        if item.skipped:
            self._tally.skip(item.skipped)
        numbered = self._numbers.number(planned)
        if self._part is not None and self._part.limited:
            self._part.keep(numbered)
            return
        for operation in numbered:
            self._put(operation)

    def _put(self, operation: PlannedOperation) -> None:
        if self._spool is not None and self._first_leads is not None:
            self._first_tally.add(operation, new_lead=self._first_leads.is_new(operation))
            self._spool.put(operation)
            return
        self._tally.add(operation, new_lead=self._fold.see(operation))
        if operation.state in OPEN:
            self._open.add(operation.changeset)
        if operation.facts:
            self._facts.add(operation)
        if operation.state is State.BLOCKED:
            self._note_blocked(operation)
        for see in self._watching[kind_of(operation.operation)]:
            see(operation)
        self._writer.write(operation)

    def _judge_again(self) -> None:
        """Rules over the whole plan: count it first, then evaluate every operation again."""
        spool, self._spool = self._spool, None
        if spool is None:
            return
        counts = self._first_tally.counts()
        with spool:
            for operation in spool.read():
                reason = self._judge.look_again(operation, counts)
                self._put(operation if reason is None else _blocked(operation, reason))

    def _judged(self, planned: PlannedOperation) -> PlannedOperation:
        reason = self._judge.look(planned)
        return planned if reason is None else _blocked(planned, reason)

    def _note_blocked(self, planned: PlannedOperation) -> None:
        if len(self._blocked) < _LISTED:
            operation = planned.operation
            self._blocked.append(
                Blocker(operation=planned.id, lead=operation.lead, kind=kind_of(operation).value, reason=planned.reason)
            )

    def _finish(self, headers: tuple[ChangesetHeader, ...]) -> PlanSummary:
        counts = self._tally.counts()
        blocked = self._blocked
        if counts.blocked > len(blocked):
            blocked = [*blocked, Blocker(reason=f"and {counts.blocked - len(blocked)} more operations are blocked")]
        by_change = facts_by_change(self._changes)
        found = self._fold.finish(by_change)
        settled = self._request.recorded - self._open
        covered = (*found["covered"], *findings_of(rows_taken(self._changes, settled), by_change))
        recorded = (*found["recorded"], *self._request.late_findings())
        ruled = FindingsPolicy(self._request.policy)
        late = self._request.late_notes or tuple
        notices = [_in_words(problem) for problem in self._problems if _is_notice(problem)]
        summary = self._writer.finish(
            counts=counts,
            blocked=(*ruled.blockers((*found["lines"], *covered)), *self._judge.findings(counts), *blocked),
            warnings=(*self._judge.warnings(), *notices),
            notes=(*self._request.notes, *late()),
            changesets=headers,
            changes=tuple(self._changes),
            covered_findings=covered,
            recorded_findings=recorded,
            parts={**self._parts, **self._facts.part()},
        )
        return with_findings(summary, found["lines"], self._request.policy)


def _blocked(planned: PlannedOperation, reason: str) -> PlannedOperation:
    return msgspec.structs.replace(planned, state=State.BLOCKED, reason=reason, send=())


def _is_notice(problem: Problem) -> bool:
    """Whether the problem is a notice. SE321 (a change took no rows) is not one: a finding reports it."""
    return problem.severity != "error" and problem.code != "SE321"


def _in_words(problem: Problem) -> str:
    row = f" row {problem.row}" if problem.row is not None else ""
    line = f":{problem.line}" if problem.line else ""
    return f"{problem.file}{line}{row}: {problem.message}"
