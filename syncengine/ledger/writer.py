"""Write access while applying: the lease, runs, and the commits of answers and intents. See LedgerWriter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import msgspec

from syncengine.core.errors import LeaseLost, LedgerTrouble, WrongLedger
from syncengine.core.history import NO_HISTORY, LeadHistory, settled_as
from syncengine.core.operations import Kind, recalled
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.ports import Answered, Committed, Lease, OutgoingRequest, Recheck, RunStart
from syncengine.core.values import ChangesetId, LeadId, OperationId, RunId
from syncengine.ledger.chain import Entry, Lane, append, append_to
from syncengine.ledger.commit_batch import (
    Batch,
    RunState,
    Sent,
    leads_in,
    leads_of,
    to_recheck,
    without_stopped,
)
from syncengine.ledger.engine import Applicant, Ask, Engine, Leases, Row
from syncengine.ledger.histories import histories_from, history_asks
from syncengine.ledger.key import ValueForms
from syncengine.ledger.record_encoding import event_content, run_content
from syncengine.ledger.rows import SHARED, SPAN, RunRow, plain_values
from syncengine.ledger.status_counts import Stand, add_tallies, by_operation, tallies_of
from syncengine.ledger.view import BATCH, Reader

_encode = msgspec.json.Encoder().encode


class _Done(msgspec.Struct, frozen=True):
    batch: Batch
    committed: Committed
    lost: bool
    step: int


class Writer(Reader):
    """A LedgerWriter over any engine."""

    def __init__(self, engine: Engine, leases: Leases, forms: ValueForms, applicant: Applicant) -> None:
        super().__init__(engine, leases, forms)
        self._applicant = applicant
        self._running: dict[str, RunState] = {}

    def lease(self, account: str, *, wait: float, lane: str = "") -> AbstractContextManager[Lease]:
        """Take the lease of an account, or on PostgreSQL of one lane of its leads."""
        return self._leases.take(account, lane, wait=wait)

    def begin(self, lease: Lease, start: RunStart) -> RunId:
        """Record that a run begins, and the host and names it uses."""
        return self._begun(lease, start, lease.lane)

    def begin_shared(self, lease: Lease, start: RunStart) -> RunId:
        """Record the start of a run that several processes execute until `end`, each under the lease of a lane."""
        return self._begun(lease, start, SHARED)

    def join(self, lease: Lease, run: RunId) -> None:
        """Join a shared run: afterwards `commit` uses this lease and run. Requests that the lane's last holder left
        without an answer become doubts. Raises LedgerTrouble where the run has ended."""
        state = RunState(account=lease.account, lane=lease.lane, run=run, epoch=lease.epoch)
        state.step = self.engine.write(lambda: self._join(state), landed=lambda _: True)
        self._running[run] = state

    def _begun(self, lease: Lease, start: RunStart, covers: str) -> RunId:
        self._require_key()
        now = self._applicant.clock.now()
        run = self._run_row(lease, start, now, covers)
        state = RunState(account=start.account, lane=lease.lane, run=run.id, epoch=lease.epoch)
        state.step = self.engine.write(
            lambda: self._begin(state, run, start), landed=lambda _: bool(self.engine.rows("get_run", run=run.id))
        )
        self._running[run.id] = state
        self._plans[run.id] = run.plan
        return RunId(run.id)

    def _require_key(self) -> None:
        state = self.identity().key
        if state == "right":
            return
        found = "is missing" if state == "missing" else "is not the one that this ledger was made with"
        raise WrongLedger(
            f"the ledger key {found}: values on record cannot be compared",
            hint="put the right key file back, or run `syncengine ledger migrate --rekey --by NAME --note TEXT`",
        )

    def _run_row(self, lease: Lease, start: RunStart, now: str, covers: str) -> RunRow:
        who = self._applicant
        moment = now[:19].replace("-", "").replace(":", "").replace("T", "-")
        return RunRow(
            id=f"{moment}-{who.token(3)}",
            position=0,
            account=start.account,
            lane=covers,
            epoch=lease.epoch,
            plan=start.plan,
            plan_path=start.plan_path,
            changesets=_encode(start.changesets).decode(),
            total=start.total,
            host=start.host,
            policy_digest=start.policy_digest,
            wire_digest=start.wire_digest,
            tool=start.tool,
            approvals=_encode(start.approvals).decode(),
            planned="" if start.planned is None else _encode(start.planned).decode(),
            claimed=start.claimed,
            machine=who.host,
            pid=who.pid,
            started=now,
            ended=None,
            exit_code=None,
            stopped=None,
            cancelled_by=None,
            cancelled_at=None,
        )

    def _begin(self, state: RunState, run: RunRow, start: RunStart) -> int:
        engine = self.engine
        lane = self._held_lane(state)
        self._take_over(state.account, state.lane)
        for scope in ("", run.id):
            engine.run("add_tally_row", account=run.account, run=scope)
        self._load(state)
        entries: list[Entry] = [("run", run.id, run_content(run)), *self._associations(run, start)]
        engine.put("insert_run", **msgspec.structs.asdict(run))
        step = append(engine, lane, entries)
        engine.put("place_run", run=run.id, after=len(entries) - 1)
        return step

    def _held_lane(self, state: RunState) -> Lane:
        """The lane, locked by this transaction. Raises LeaseLost where its lease is not held."""
        locked = self._leases.lock(state.account, state.lane, state.epoch)
        if not locked.held:
            raise _lost(state.account)
        return Lane(state.account, state.lane, locked.step, locked.head)

    def _join(self, state: RunState) -> int:
        engine = self.engine
        lane = self._held_lane(state)
        run = self.run_row(state.run)
        if run is None or run.ended is not None:
            raise LedgerTrouble(f"run {state.run} of account {state.account} has ended, or is not in this ledger")
        self._plans[state.run] = run.plan
        self._load(state)
        who, now = self._applicant, self._applicant.clock.now()
        detail = f"{state.run} lane {state.lane} epoch {state.epoch}"
        event = (who.token(8), state.account, "joined", f"{who.holder}@{who.host}/{who.pid}", "", detail, now)
        engine.many("insert_event", [event])
        append(engine, lane, [("event", event[0], event_content(event))])
        return lane.step + 1

    def _associations(self, run: RunRow, start: RunStart) -> Iterable[Entry]:
        """The account's host and the targets of names, where they are new. The first recorded target is kept."""
        account, since = run.account, run.started
        if self.engine.run("add_account", account=account, host=run.host, since=since):
            yield "host", account, [account, run.host, since]
        for name in start.names:
            row = {"changeset": name.changeset, "kind": name.kind, "name": name.name}
            if self.engine.run("add_name", account=account, **row, target=name.target, run=run.id):
                key = [name.changeset, name.kind, name.name]
                yield "name", _encode([account, *key]).decode(), [account, *key, name.target, run.id]

    def _take_over(self, account: str, lane: str) -> None:
        """Mark requests that a dead run left without an answer as doubts."""
        every = 0 if lane else 1
        self.engine.run("take_over_doubts", account=account, lane=lane, every=every)
        self.engine.run("take_over_pending", account=account, lane=lane, every=every)

    def _load(self, state: RunState) -> None:
        engine, account = self.engine, state.account
        state.changesets = {changeset for (changeset,) in engine.rows("get_changesets", account=account)}
        state.erased = frozenset(lead for (lead,) in engine.rows("get_erased", account=account))
        state.doubts = self._open_doubts(account)

    def _open_doubts(self, account: str) -> dict[str, tuple[int, ...]]:
        doubts: dict[str, tuple[int, ...]] = {}
        for number, operation in self.engine.rows("get_doubts_of_account", account=account):
            doubts[operation] = (*doubts.get(operation, ()), number)
        return doubts

    def _refresh(self, state: RunState) -> None:
        """Reload the state in memory after another process added records, such as a late answer."""
        leads = sorted({entry.lead for sent in state.sent.values() for entry in sent.entries})
        stands: dict[str, Stand] = {}
        for history in self.snapshot(state.account, leads, frozenset()).values():
            for operation, attempts in by_operation(history).items():
                settled = [attempt for attempt in attempts if attempt.number // SPAN not in state.sent]
                own = [attempt for attempt in settled if attempt.run == state.run]
                if settled:
                    stands[operation] = Stand(settled_as(settled), settled_as(own), tried=bool(own))
        state.stands = stands
        state.doubts = self._open_doubts(state.account)

    def commit(
        self,
        lease: Lease,
        run: RunId,
        outgoing: Sequence[OutgoingRequest],
        answers: Sequence[Answered],
        recheck: Recheck,
    ) -> Committed:
        """In one durable transaction: answers, then intents under the current lease epoch."""
        state = self._running[run]
        if lease.epoch != state.epoch:
            raise _lost(state.account)
        done = self.engine.write(
            lambda: self._commit(state, outgoing, answers, recheck),
            landed=lambda done: done.batch.landed(self.engine),
        )
        done.batch.remember()
        state.step = done.step
        if done.lost:
            raise _lost(state.account)
        return done.committed

    def _commit(
        self, state: RunState, outgoing: Sequence[OutgoingRequest], answers: Sequence[Answered], recheck: Recheck
    ) -> _Done:
        engine = self.engine
        questions = _asks(state, outgoing)
        # Histories must include these answers: where any is about the same leads, they are read once it is written.
        early = questions if _are_about_others(state, answers, outgoing) else []
        asks = [("is_cancelled", {"run": state.run}), *early]
        locked = self._leases.lock(state.account, state.lane, state.epoch, asks)
        lane = Lane(state.account, state.lane, locked.step, locked.head)
        if locked.held and lane.step != state.step:
            self._refresh(state)
        batch = Batch(state, self._forms, self._applicant.token)
        for answered in answers:
            batch.answer(answered, state.sent.get(answered.request) or self._recall(answered.request))
        cancelled, *told = locked.answers
        committed = Committed(requests=(None,) * len(outgoing), stopped={}, cancelled=_is_set(cancelled))
        if not locked.held:
            # Another process may have continued with these leads: count from the records, not from memory.
            leads = {entry.lead for a in answers for entry in self._sent_entries(state, a.request)}
            self._recount(state.account, sorted(leads), lambda: batch.write_answers(engine))
        else:
            batch.write_answers(engine)
            if outgoing:
                told = told or engine.rows_each(questions)
                committed = self._intend(batch, outgoing, recheck, told, cancelled=committed.cancelled)
            batch.write_intents(engine)
            batch.write_counts(engine)
        if batch.entries:
            append(engine, lane, batch.entries)
        return _Done(batch, committed, not locked.held, lane.step + len(batch.entries))

    def _sent_entries(self, state: RunState, request: int) -> tuple[LeadEntry, ...]:
        sent = state.sent.get(request) or self._recall(request)
        return sent.entries

    def is_cancelled(self, run: RunId) -> bool:
        """Whether the run's cancel flag is set. A run reads it before every request."""
        return _is_set(self.engine.look("is_cancelled", run=run))

    def _intend(
        self,
        batch: Batch,
        outgoing: Sequence[OutgoingRequest],
        recheck: Recheck,
        told: Sequence[list[Row]],
        *,
        cancelled: bool,
    ) -> Committed:
        state = batch.state
        (ids, *looked) = told
        known: dict[LeadId, LeadHistory] = {}
        for start in range(0, len(looked), 2):
            own = frozenset({(state.run, state.epoch)})
            known.update(histories_from(self.engine, looked[start : start + 2], self._plans_of, own))
        stopped = _all_stopped(outgoing) if cancelled else _stopped(state, outgoing, recheck, known)
        leaving = [without_stopped(request, stopped) for request in outgoing]
        prior = _prior(state, known) if any(leaving) else {}
        now = self._applicant.clock.now()
        requests: list[int | None] = []
        fresh = iter(sorted(number for (number,) in ids))
        for entries in leaving:
            request = next(fresh) if entries else None
            requests.append(request)
            if request is not None:
                batch.intend(request, entries, now, prior)
        return Committed(requests=tuple(requests), stopped=stopped, cancelled=cancelled)

    def _recall(self, request: int) -> Sent:
        """A request that another process sent, read from the ledger; its values are no longer known."""
        rows = self.engine.rows("attempts_of_request", low=request * SPAN, high=(request + 1) * SPAN)
        if not rows:
            raise LedgerTrouble(f"ledger {self.engine.url} holds no request {request}")
        entries: list[LeadEntry] = []
        for _, _, lead, operation, changeset, kind, delivery, generation, vals, _, _ in rows:
            shape = recalled(Kind(kind), LeadId(lead), delivery, generation, tuple(plain_values(vals)))
            part = SentOperation(OperationId(operation), ChangesetId(changeset), shape)
            if entries and entries[-1].lead == lead:
                entries[-1] = LeadEntry(entries[-1].lead, 0, (*entries[-1].parts, part))
            else:
                entries.append(LeadEntry(LeadId(lead), 0, (part,)))
        return Sent(tuple(entries))

    def _recount(self, account: str, leads: Sequence[LeadId], work: Callable[[], None]) -> None:
        """Run `work`, then correct tallies and doubts of these leads by comparing their records before and after."""
        engine = self.engine
        before, opened = tallies_of(self.snapshot(account, leads, frozenset()).values())
        work()
        histories = self.snapshot(account, leads, frozenset())
        counts, still = tallies_of(histories.values())
        counts.subtract(before)
        add_tallies(engine, account, counts)
        engine.many("delete_doubt", [(number,) for number in sorted(opened.keys() - still.keys())])
        answered = {a.number for history in histories.values() for a in history.attempts if a.answer is not None}
        engine.many("insert_doubt", [(number, account, still[number]) for number in sorted(still.keys() & answered)])

    def end(self, run: RunId, *, exit_code: int, stopped: str) -> None:
        """Record that the run ended. Idempotent."""
        state = self._running.pop(run, None)
        at = self._applicant.clock.now()

        def work() -> None:
            row = self.run_row(run)
            if row is None:
                raise LedgerTrouble(f"ledger {self.engine.url} holds no run {run}")
            lane = "" if row.lane == SHARED else row.lane
            if self.engine.run("end_run", run=run, at=at, exit_code=exit_code, stopped=stopped):
                append_to(self.engine, row.account, lane, [("end", run, [run, at, exit_code, stopped])])

        try:
            self.engine.write(work, landed=lambda _: self._has_ended(run))
        except BaseException:
            if state is not None:
                self._running[run] = state
            raise

    def _has_ended(self, run: str) -> bool:
        row = self.run_row(run)
        return row is not None and row.ended is not None


def _asks(state: RunState, outgoing: Sequence[OutgoingRequest]) -> list[Ask]:
    """What must be known to commit these intents: numbers for the requests, and the histories of their leads."""
    if not outgoing:
        return []
    leads = leads_of(outgoing) if state.changesets else leads_in(to_recheck(outgoing, state.erased))
    asks: list[Ask] = [("take_requests", {"count": len(outgoing)})]
    for start in range(0, len(leads), BATCH):
        asks.extend(history_asks(state.account, leads[start : start + BATCH]))
    return asks


def _are_about_others(state: RunState, answers: Sequence[Answered], outgoing: Sequence[OutgoingRequest]) -> bool:
    """Whether no answer is about a lead of these requests."""
    sent = [state.sent.get(answered.request) for answered in answers]
    answered = {entry.lead for each in sent if each is not None for entry in each.entries}
    return None not in sent and (not answered or answered.isdisjoint(leads_of(outgoing)))


def _is_set(cancelled: list[Row]) -> bool:
    return bool(cancelled) and cancelled[0][0] is not None


def _all_stopped(outgoing: Sequence[OutgoingRequest]) -> dict[OperationId, str]:
    entries = [entry for request in outgoing for entry in request.entries]
    return {part.id: "the run was cancelled" for entry in entries for part in entry.parts}


def _stopped(
    state: RunState, outgoing: Sequence[OutgoingRequest], recheck: Recheck, known: Mapping[LeadId, LeadHistory]
) -> dict[OperationId, str]:
    stopped: dict[OperationId, str] = {}
    for entry in to_recheck(outgoing, state.erased):
        stopped.update(recheck(entry, known.get(entry.lead, NO_HISTORY)))
    return stopped


def _prior(state: RunState, known: Mapping[LeadId, LeadHistory]) -> dict[str, Stand]:
    """The present state of these leads' operations, from the records."""
    prior: dict[str, Stand] = {}
    for history in known.values():
        for operation, attempts in by_operation(history).items():
            own = [attempt for attempt in attempts if attempt.run == state.run]
            prior[operation] = Stand(settled_as(attempts), settled_as(own), tried=bool(own))
    return prior


def _lost(account: str) -> LeaseLost:
    return LeaseLost(
        f"the lease of account {account} is lost: another runner took over, or it ran out",
        hint="run the same command again once the other runner is done",
    )
