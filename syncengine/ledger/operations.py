"""Ledger operations behind operators' commands: doubts, counts, history, resolutions, erasure, keys, checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from syncengine.core.errors import InputError
from syncengine.core.history import Attempt
from syncengine.core.operations import IRREVERSIBLE, delivery_among
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling
from syncengine.core.ports import (
    Answered,
    CheckFinding,
    Forgotten,
    Lease,
    OperationRecord,
    OutgoingRequest,
    RunStart,
)
from syncengine.core.results import Doubt, Totals, UnfinishedPlan
from syncengine.core.values import LeadId, PlanDigest, RunId
from syncengine.ledger import checking, erasure, operation_records
from syncengine.ledger.chain import append_to, seal
from syncengine.ledger.commit_batch import SALT_CHARACTERS
from syncengine.ledger.damage import blaming_damage
from syncengine.ledger.engine import Applicant, Engine, Leases
from syncengine.ledger.key import ValueForms, ensure_key
from syncengine.ledger.past import PastLedger
from syncengine.ledger.record_encoding import event_content, resolution_content
from syncengine.ledger.rows import SHARED, BegunRow, begun_rows, run_rows
from syncengine.ledger.status_counts import open_attempts
from syncengine.ledger.writer import Writer

T = TypeVar("T")

BASELINE_BATCH = 500
_BROKEN_PLACES = 100
"""Maximum number of locations that the database's own check reports."""


class Ledger(Writer):
    """The complete ledger: the ports of planning and applying (core.ports), plus what operators' commands need.

    `key_path` is the path of its key.
    """

    def __init__(self, engine: Engine, leases: Leases, forms: ValueForms, applicant: Applicant, key_path: Path) -> None:
        super().__init__(engine, leases, forms, applicant)
        self._key_path = key_path

    # Unresolved operations and unfinished plans

    def doubts(self, account: str | None = None, *, run: RunId | None = None) -> Sequence[Doubt]:
        """Operations of unknown outcome, oldest first. Repeatable ones are listed until a later value is confirmed."""
        found: list[Doubt] = []
        for owner, attempts in self._open_operations():
            if account in (None, owner) and (run is None or any(attempt.run == run for attempt in attempts)):
                found.append(_doubt(owner, attempts))
        return sorted(found, key=lambda doubt: doubt.attempts)

    def _open_operations(self) -> Iterator[tuple[str, list[Attempt]]]:
        live = self.live_runs()
        for account, leads in self._leads_of("open_leads"):
            histories = self.snapshot(account, leads, live)
            for attempts in operation_records.operations_of(histories):
                opened = open_attempts(attempts)
                if opened:
                    yield account, opened

    def _leads_of(self, statement: str) -> list[tuple[str, list[LeadId]]]:
        """The leads that a statement returns, by account."""
        leads: dict[str, list[LeadId]] = {}
        for account, lead in self.engine.look(statement):
            leads.setdefault(account, []).append(LeadId(lead))
        return sorted(leads.items())

    def totals(self, account: str | None = None, *, run: RunId | None = None) -> Totals:
        """Counts of operations, of one account, of one run, or of the whole ledger."""
        rows = self.engine.look("get_tallies")
        scope = run or ""
        counted = [counts for owner, of, *counts in rows if of == scope and account in (None, owner)]
        applied, rejected, not_sent = map(sum, zip(*counted, strict=True)) if counted else (0, 0, 0)
        return Totals(
            applied=applied,
            rejected=rejected,
            not_sent=not_sent,
            in_doubt=len(self.doubts(account, run=run)),
        )

    def unfinished(self, account: str | None = None) -> Sequence[UnfinishedPlan]:
        """Plans that were begun and not settled, newest first."""
        plans: dict[str, list[BegunRow]] = {}
        counted = self.engine.look("settled_by_plan")
        settled = {plan: int(count) for plan, count in counted}
        for row in begun_rows(self.engine.look("begun_plans")):
            if account in (None, row.account):
                plans.setdefault(row.plan, []).append(row)
        live = {run for run, _ in self.live_runs()}
        return operation_records.open_plans([(runs, settled.get(plan, 0)) for plan, runs in plans.items()], live)

    def is_tried_in_full(self, plan: PlanDigest, total: int) -> bool:
        """Whether each of a plan's `total` operations was sent at least once, and none of them is repeatable and of
        unknown outcome."""
        tried = int(self.engine.read(lambda: self.engine.rows("operations_tried", plan=plan)[0][0]))
        return tried >= total and not any(
            attempt.plan == plan and attempt.kind not in IRREVERSIBLE
            for _, attempts in self._open_operations()
            for attempt in attempts
        )

    def at_position(self, account: str, position: int) -> PastLedger:
        """An account's records up to a position."""
        return PastLedger(self, account, position)

    def open_shared_runs(self) -> Sequence[tuple[RunId, str]]:
        """Shared runs that have not ended, each with its account."""
        rows = run_rows(self.engine.look("open_runs"))
        return [(RunId(row.id), row.account) for row in rows if row.lane == SHARED]

    def requests_sent(self, run: RunId) -> int:
        """Number of requests of a run that left, according to the records."""
        return int(self.engine.look("requests_sent", run=run)[0][0])

    def is_taken_over(self, lease: Lease) -> bool:
        """Whether another holder had the lease since, or an operator released it."""
        rows = self.engine.look("get_epoch", account=lease.account, lane=lease.lane)
        return not rows or rows[0][0] != lease.epoch

    def held_lanes(self, account: str) -> Mapping[str, int]:
        """Lanes of an account whose lease is held now, each with its epoch."""
        return {lane: epoch for (owner, lane), epoch in self._leases.live_epochs().items() if owner == account}

    def contradictions(self, account: str | None = None) -> Sequence[Attempt]:
        """Attempts whose recorded answer contradicts a person's resolution."""
        found: list[Attempt] = []
        for owner, leads in self._leads_of("resolved_contradictions"):
            if account in (None, owner):
                for history in self.snapshot(owner, leads, self.live_runs()).values():
                    found.extend(attempt for attempt in history.attempts if attempt.contradicted)
        return found

    def history(
        self,
        *,
        account: str | None = None,
        lead: LeadId | None = None,
        changeset: str | None = None,
        run: RunId | None = None,
        operation: str = "",
    ) -> Iterator[OperationRecord]:
        """Operations by their first attempt, oldest first, streamed. `operation` is an id or the beginning of one."""
        chosen = operation_records.Choice(account=account, lead=lead, changeset=changeset, run=run, operation=operation)
        return operation_records.stream(self, chosen)

    # Decisions by people

    def resolve(self, lease: Lease, attempts: Sequence[int], *, applied: bool, by: str, note: str) -> None:
        """Record a person's decision about these attempts. Raises InputError where one is not in doubt."""
        numbers = sorted(set(attempts))
        at = self._applicant.clock.now()
        salts = [self._applicant.token(SALT_CHARACTERS // 2) for _ in numbers]

        def work() -> None:
            self._take_over(lease.account, lease.lane)
            leads = self._doubtful_leads(lease.account, numbers)
            rows = [(number, int(applied), by, at, note, salt) for number, salt in zip(numbers, salts, strict=True)]
            self._recount(lease.account, leads, lambda: self.engine.many("insert_resolution", rows))
            entries = [
                (
                    "resolution",
                    str(number),
                    resolution_content(number, applied=applied, by=by, at=at, note=seal(salt, note)),
                )
                for number, salt in zip(numbers, salts, strict=True)
            ]
            append_to(self.engine, lease.account, lease.lane, entries)

        if numbers:
            self.engine.write(work, landed=lambda _: bool(self.engine.rows("resolutions_of", numbers=numbers[-1:])))

    def _doubtful_leads(self, account: str, numbers: Sequence[int]) -> list[LeadId]:
        """Leads of these attempts. Raises InputError where one is unknown, another account's, or not in doubt."""
        rows = self.engine.rows("attempts_numbered", numbers=list(numbers))
        leads = sorted({LeadId(lead) for owner, lead, _ in rows if owner == account})
        opened = {
            attempt.number
            for attempts in operation_records.operations_of(self.snapshot(account, leads, frozenset()))
            for attempt in open_attempts(attempts)
        }
        wrong = [number for number in numbers if number not in opened]
        if wrong:
            raise InputError(
                f"attempt {wrong[0]} of account {account} is not in doubt, so there is nothing to resolve",
                hint="`syncengine status` lists what is in doubt",
            )
        return leads

    def baseline(self, lease: Lease, start: RunStart, entries: Iterable[LeadEntry], *, by: str, note: str) -> RunId:
        """Record operations as already done by other means. Sends nothing and rechecks nothing."""
        run = self.begin(lease, start)
        ruling = Ruling(Outcome.APPLIED, f"recorded by {by} as already done: {note}" if note else f"recorded by {by}")
        batch: list[LeadEntry] = []
        for entry in entries:
            batch.append(entry)
            if len(batch) >= BASELINE_BATCH:
                self._baseline(lease, run, batch, ruling)
                batch = []
        if batch:
            self._baseline(lease, run, batch, ruling)
        self.end(run, exit_code=0, stopped="")
        return run

    def _baseline(self, lease: Lease, run: RunId, entries: Sequence[LeadEntry], ruling: Ruling) -> None:
        outgoing = OutgoingRequest(tuple(entries))
        committed = self.commit(lease, run, [outgoing], [], lambda _entry, _history: {})
        rulings = tuple((ruling,) * len(entry.parts) for entry in entries)
        at = self._applicant.clock.now()
        for request in committed.requests:
            if request is not None:
                answer = Answered(request=request, rulings=rulings, verdict="baseline", status=0, message="", at=at)
                self.commit(lease, run, [], [answer], lambda _entry, _history: {})

    def cancel(self, run: RunId, *, by: str) -> None:
        """Set the cancel flag that the run reads before every request. Raises InputError where it is unknown or has
        ended."""
        at = self._applicant.clock.now()

        def work() -> None:
            row = self.run_row(run)
            if row is None:
                raise InputError(f"there is no run {run}", code="SE904", hint="`syncengine status` lists the runs")
            if row.ended is not None:
                raise InputError(
                    f"run {run} has ended at {row.ended}; there is nothing to cancel",
                    code="SE904",
                    hint="'syncengine status' shows what is unresolved",
                )
            if self.engine.run("cancel_run", run=run, by_whom=by, at=at):
                append_to(self.engine, row.account, row.lane, [("cancel", run, [run, by, at])])

        self.engine.write(work)

    # Maintenance of the whole ledger

    def head(self) -> str:
        """A short digest of every record so far; it changes with each record."""
        return checking.head(self.engine)

    def check(self, *, head: str | None = None) -> Sequence[CheckFinding]:
        """Recompute the hash chains and the counts; with `head`, also check that the ledger once had that head."""
        # One snapshot: records that a run commits meanwhile would look like tampering.
        return self.at_once(lambda: self._check(head))

    def blaming_damage(self) -> AbstractContextManager[None]:
        """Within the context, an unexpected error is raised as LedgerDamaged if the ledger is damaged."""
        return blaming_damage(self.engine, self.check)

    def _check(self, head: str | None) -> list[CheckFinding]:
        broken = self.engine.damage(_BROKEN_PLACES)
        if broken:
            # Reads beyond this point may return anything.
            return [CheckFinding(where="the file", message=message) for message in broken]
        return [*checking.check(self.engine, head), *checking.check_counts(self)]

    def at_once(self, work: Callable[[], T]) -> T:
        """Run `work` on one snapshot, unaffected by concurrent writers."""
        return self.engine.read(work)

    def export(self) -> Iterator[str]:
        """Every record as one line of JSON, in the order of their positions."""
        return checking.export(self.engine)

    def rekey(self, *, by: str, note: str) -> None:
        """Adopt the configured key (created if missing). Older digests can no longer be compared."""
        key = ensure_key(self._key_path, self._applicant.token)
        forms = ValueForms(plain=self._forms.plain, key=key)
        if forms.state(self._id, self._meta("key_check")) == "right":
            self._forms = forms
            return
        check = forms.check_value(self._id)

        def work() -> None:
            last = self.engine.rows("last_attempt")[0][0]
            self.engine.run("set_meta", name="key_check", value=check)
            self.engine.run("set_meta", name="rekeyed", value=str(last))
            self._event("", "rekeyed", by, note, f"{last} {check}")

        self.engine.write(work)
        self._forms = forms

    def forget(self, lease: Lease, lead: LeadId, *, by: str, note: str = "") -> Forgotten:
        """Erase values, digests, amounts and messages of one lead. Ids and outcomes stay, and the chain stays valid.

        A `note` is recorded as an event with the erasure.
        """
        at = self._applicant.clock.now()

        def work() -> Forgotten:
            forgotten = erasure.forget(self.engine, lease, lead, by=by, at=at)
            if note:
                self._event(lease.account, "forgotten", by, note, lead)
            return forgotten

        self.engine.write(lambda: self._take_over(lease.account, lease.lane))
        forgotten = self.engine.write(work)
        self.engine.scrub()
        return forgotten

    def backup(self, target: Path) -> None:
        """Write a consistent copy of the ledger to a new file, during concurrent writes. The key is not part of it."""
        self.engine.backup(target)

    def accept_position(self, *, by: str, note: str, pinned: int | None) -> bool:
        """Accept that records were lost; False where none are missing. Plans made before are then refused.

        A PostgreSQL server does not reveal a restore, so there every call counts as one unless the last record says so
        already.
        """
        before = self.identity()
        behind = before.position < max(before.highest, pinned or 0) or self.engine.dialect == "postgres"
        if not behind or self.engine.read(self._was_accepted):
            return False
        self._leases.accept_position(before.id, before.position)
        generation = before.generation + 1
        lost = f"generation {generation} after position {before.position}; {before.highest} was known"

        def work() -> None:
            self.engine.run("set_meta", name="generation", value=str(generation))
            self._event("", "accepted", by, note, lost)

        self.engine.write(work)
        return True

    def _was_accepted(self) -> bool:
        last = self.engine.rows("last_position")[0][0]
        kind, ref = self.engine.rows("page_of_chain", after=last - 1, count=1)[0][4:6]
        return kind == "event" and any(row[2] == "accepted" for row in self.engine.rows("events_of", ids=[ref]))

    def release(self, account: str, *, by: str, note: str) -> bool:
        """Release a dead holder's lease; False where there was none. Raises LeaseHeld where the holder is alive on this
        machine."""

        def work() -> bool:
            count = self._leases.release(account)
            if count:
                self._event(account, "released", by, note, str(count))
            return count > 0

        return self.engine.write(work)

    def _event(self, account: str, kind: str, by: str, note: str, detail: str) -> None:
        event = (self._applicant.token(8), account, kind, by, note, detail, self._applicant.clock.now())
        self.engine.many("insert_event", [event])
        append_to(self.engine, account, "", [("event", event[0], event_content(event))])


def _doubt(account: str, attempts: Sequence[Attempt]) -> Doubt:
    start, last = attempts[0], attempts[-1]
    in_flight = last.live and last.answer is None
    message = f"in flight in run {last.run}" if in_flight else "no answer was recorded"
    return Doubt(
        operation=last.operation,
        lead=last.lead,
        kind=last.kind,
        changeset=last.changeset,
        run=last.run,
        since=start.at,
        last=last.at,
        delivery=delivery_among(last.kind, last.delivery),
        message=last.answer.message if last.answer else message,
        in_flight=in_flight,
        account=account,
        attempts=tuple(attempt.number for attempt in attempts),
    )
