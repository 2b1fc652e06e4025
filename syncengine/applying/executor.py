"""Send loop. For each request: commit intents, send, commit outcomes. Depends on ports only.

The caller's thread owns the ledger and every decision; sender threads only carry requests. Each turn commits everything
gathered since the last one in one transaction, so requests share commits and commits overlap the network. The intents
of repeatable requests are committed a little ahead of time; while the last commit is fresh, these requests leave before
the next one. The intent of a request with irreversible operations is committed only when it can leave at once, so that
a crash leaves at most concurrency x irreversible_per_request operations in doubt.

Threads, not asyncio: with 50 to 100 leads a request the HTTP library is not the bottleneck, and one deciding thread
leaves no races between stop rules, waves and the order of a lead's operations. See
docs/decisions/0002-one-thread-owns-the-ledger.md.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from syncengine.applying.answer_backlog import AnswerBacklog
from syncengine.applying.answers import AnswerHandler
from syncengine.applying.jobs import Job
from syncengine.applying.remaining import Feed
from syncengine.applying.request_queue import RequestQueue
from syncengine.applying.run_context import RunContext, SendingLimits
from syncengine.applying.run_results import RunResults
from syncengine.applying.senders import Event, Received, Senders
from syncengine.applying.stopping import Waves
from syncengine.core.errors import LeaseLost, LedgerTrouble, SyncError
from syncengine.core.events import RequestLeft, RunStopped, StopCause, call_of, operations_of
from syncengine.core.outcomes import LeadEntry, Outcome
from syncengine.core.ports import OutgoingRequest, Recheck
from syncengine.core.results import OperationLine
from syncengine.core.values import OperationId

_RENEW = 5.0
"""Seconds between renewals of the lease; a timed lease lasts several times longer."""

_SHARE = 0.05
"""Seconds for which an answer may wait for others to share its commit, while nothing depends on that commit."""

_SLOW = _SHARE
"""Seconds between requests from which on no connection waits for intents: those of repeatable requests then wait for
the commit of an answer."""

_LAST_COMMITS = 5
"""Attempts to record received answers when the ledger fails at the end."""

DEADLINE_PASSED = "the deadline has passed (--deadline)"
_CANCELLED = "cancelled with 'syncengine cancel'"


class Executor:
    """Runs one plan, or one shard of it, to its end.

    Afterwards, `stopped` is the reason for an early end (empty: none), `cause` its kind, `trouble` says whether the
    ledger or an internal error was the reason, and `unrecorded` lists the operations that were answered without this
    being recorded.
    """

    def __init__(
        self, context: RunContext, *, feed: Feed[Any], senders: Senders, limits: SendingLimits, recheck: Recheck
    ) -> None:
        self._ledger, self._lease, self._run = context.ledger, context.lease, context.run
        self._terms, self._leave = context.terms, context.leave
        self._clock, self._listener, self._signal = context.clock, context.listener, context.signal
        self._senders = senders
        self._pace, self._guard = limits.pace, limits.guard
        self._recheck = recheck
        self._flying: dict[int, Job] = {}
        self._arrived: deque[Event] = deque()
        self._answers = AnswerBacklog()
        self._held = -math.inf
        """Time of the last commit that found the lease held."""
        self._share = max(1, self._terms.limits.concurrency // 2)
        self._renewed = self._clock.monotonic()
        self._waves = Waves(self._terms.policy.waves)
        self.board = RunResults(self._listener)
        self._requests = RequestQueue(
            feed,
            terms=self._terms,
            waves=self._waves,
            board=self.board,
            monotonic=self._clock.monotonic,
            closed=limits.closed,
        )
        self._answer_handler = AnswerHandler(
            context,
            limits,
            queue=self._requests,
            unknown=feed.unknown,
            waves=self._waves,
            board=self.board,
        )
        self.stopped = ""
        self.cause: StopCause | None = None
        self.trouble: Exception | None = None
        self.requests = 0

    @property
    def unrecorded(self) -> tuple[OperationLine, ...]:
        """Operations that were answered, or withdrawn, without this being recorded: the ledger takes them for doubts.
        Those that the run itself counts as in doubt are not among them."""
        return self._answers.lines({line.operation for line in self.board.in_doubt})

    @property
    def has_unrecorded(self) -> bool:
        """Whether the outcome of anything that was sent is not on record."""
        return bool(self._answers or self._flying)

    def execute(self) -> None:
        """Send everything that may be sent. Returns when every answer is received and recorded."""
        self._signal.on_change(self._senders.wake)
        while True:
            self._look_for_reasons_to_stop()
            if self.stopped:
                break
            self._requests.fill()
            self._turn()
            if self._is_done():
                break
            self._absorb(self._senders.wait(self._patience()))
        self._finish()

    def abandon(self, error: Exception) -> None:
        """Clean up after `execute` raised: await and record what is in flight, and account for the rest."""
        self.trouble = error
        words = error.message if isinstance(error, SyncError) else f"an error in syncengine: {type(error).__name__}"
        cause: StopCause = "ledger trouble" if isinstance(error, LedgerTrouble) else "bug"
        self._stop(f"{words}; nothing more is sent", cause)
        try:
            self._finish()
        except Exception as another:  # noqa: BLE001 - what was sent must be accounted for whatever else goes wrong
            self._listener.note(f"the run could not be ended in order: {type(another).__name__}")
        for job in self._flying.values():
            for entry in job.entries:
                for part in entry.parts:
                    self.board.settle(part, Outcome.UNKNOWN, self.stopped)

    # Sending

    def _turn(self) -> None:
        """One commit: the answers so far, the intents of what leaves now, and some repeatable ones ahead."""
        now = self._clock.monotonic()
        leaving = self._choose(now)
        # Soon after a commit the lease is known to be held, so what is on record may leave without another one.
        if not self.stopped and now - self._held < self._leave / 2:
            leaving = self._hurry(leaving)
        if self.stopped:
            return
        ahead = self._ahead(leaving)
        if not leaving and self._can_wait(ahead, now):
            return
        if not self._commit([job for job in leaving if job.request is None] + ahead, now) or self.stopped:
            return
        for job in leaving:
            self._send(job)

    def _hurry(self, leaving: list[Job]) -> list[Job]:
        """Send requests whose intents were committed ahead, so that no connection waits for a commit. Returns the
        rest."""
        ready = [job for job in leaving if job.request is not None]
        if not ready:
            return leaving
        try:
            cancelled = self._ledger.is_cancelled(self._run)
        except LedgerTrouble as error:
            self._stop(f"{error.message}; nothing more is sent", "ledger trouble")
            return leaving
        if cancelled:
            self._stop(_CANCELLED, "cancelled")
            return leaving
        for job in ready:
            self._send(job)
        return [job for job in leaving if job.request is None]

    def _can_wait(self, ahead: Sequence[Job], now: float) -> bool:
        """Whether to wait for more answers before the next commit: nothing depends on it, and few answers would share
        it."""
        if not self._answers and (not ahead or (self._flying and self._pace.gap > _SLOW)):
            return True
        few = max(len(self._answers), len(ahead)) < self._share
        return few and bool(self._flying) and not (self._answers and now - self._answers.since >= _SHARE)

    def _send(self, job: Job) -> None:
        """Send a request whose intents are durable; nothing where all of its entries were left out."""
        if job.request is None or not job.entries:
            return
        self._requests.jobs.remove(job)
        self._flying[job.request] = job
        self._senders.send(job.request, job.entries, self._held + self._leave)
        self.requests += 1
        self._tell_of(job, job.request)

    def _tell_of(self, job: Job, request: int) -> None:
        job.left = self._clock.monotonic()
        self._listener.tell(
            RequestLeft(
                request=request,
                call=call_of(job.entries),
                entries=len(job.entries),
                operations=operations_of(job.entries),
                tries=job.tries,
            )
        )

    def _choose(self, now: float) -> list[Job]:
        """Requests that may leave now, oldest first: as many as idle connections and the pace allow."""
        leaving: list[Job] = []
        for job in list(self._requests.jobs):
            if len(leaving) >= self._senders.idle or self._pace.delay(now) > 0:
                break
            if job.not_before <= now:
                reason = self._guarded(job)
                if reason is not None:
                    # What was allowed leaves first. If the guard still refuses when nothing else is left to send, the
                    # run ends.
                    self._stop("" if leaving else reason, "window or budget")
                    break
                leaving.append(job)
                self._pace.left(now)
        return leaving

    def _guarded(self, job: Job) -> str | None:
        """Why the request must not leave. A request that exceeds a budget is cut down to what fits."""
        if self._guard is None:
            return None
        while (reason := self._guard(job.entries)) is not None:
            if job.request is not None or len(job.entries) == 1:
                return reason
            self._requests.split(job, len(job.entries) // 2)
        return None

    def _ahead(self, leaving: Sequence[Job]) -> list[Job]:
        """Repeatable requests whose intents to commit before a connection is free; none that a guard may still cut
        down."""
        jobs = self._requests.jobs if self._guard is None else []
        room = self._terms.limits.concurrency - sum(job.request is not None for job in jobs)
        ahead: list[Job] = []
        for job in jobs:
            if len(ahead) >= room:
                break
            fresh = job.request is None and not job.tries and not job.not_before
            if fresh and not job.irreversible and job not in leaving:
                ahead.append(job)
        return ahead

    def _commit(self, intended: Sequence[Job], now: float) -> bool:
        """Commit, and return whether the intents are durable. Answers are recorded first, even after the lease was
        lost."""
        outgoing = [OutgoingRequest(job.entries) for job in intended]
        try:
            committed = self._ledger.commit(self._lease, self._run, outgoing, self._answers.records, self._recheck)
        except LeaseLost as error:
            self._answers.clear()
            self.trouble = error
            self._stop(f"{error.message}; nothing more is sent", "lease lost")
            return False
        except LedgerTrouble as error:
            self.trouble = error
            self._stop(f"{error.message}; nothing more is sent", "ledger trouble")
            return False
        self._answers.clear()
        # A commit renews the lease as well.
        self._held = self._renewed = now
        for job, request in zip(intended, committed.requests, strict=True):
            job.request = request
            if committed.stopped:
                self._leave_out(job, committed.stopped)
        if committed.cancelled:
            self._stop(_CANCELLED, "cancelled")
        return True

    def _leave_out(self, job: Job, refused: Mapping[OperationId, str]) -> None:
        """Remove from a request the operations that the recheck inside the transaction refused."""
        kept: list[LeadEntry] = []
        for entry in job.entries:
            parts = tuple(part for part in entry.parts if part.id not in refused)
            if len(parts) == len(entry.parts):
                kept.append(entry)
                continue
            for part in entry.parts:
                if part.id in refused:
                    self.board.settle(part, Outcome.NOT_SENT, refused[part.id])
            self._requests.stop_lead(entry.lead, "an earlier operation of this lead was not sent")
            if parts:
                kept.append(LeadEntry(entry.lead, entry.number, parts))
            else:
                self._requests.pass_on(entry.lead)
        job.entries = tuple(kept)
        if not kept:
            self._requests.jobs.remove(job)

    # Receiving

    def _absorb(self, events: Sequence[Event]) -> None:
        self._arrived.extend(events)
        while self._arrived:
            event = self._arrived.popleft()
            if isinstance(event, Received):
                job = self._flying[event.ticket]
                answered = self._answer_handler.receive(event, job, ending=bool(self.stopped))
                self._answers.add(answered, job.entries, self._clock.monotonic())
                del self._flying[event.ticket]
                self._stop(self._answer_handler.stopped, self._answer_handler.cause)

    # Stopping

    def _stop(self, reason: str, cause: StopCause) -> None:
        if reason and not self.stopped:
            self.stopped, self.cause = reason, cause
            self._listener.tell(RunStopped(cause))

    def _look_for_reasons_to_stop(self) -> None:
        now = self._clock.monotonic()
        if self._signal.cause is not None:
            self._stop(self._signal.reason, "interrupted")
        if self._terms.deadline is not None and now >= self._terms.deadline:
            self._stop(DEADLINE_PASSED, "deadline")
        if not self.stopped and self._is_idle() and self._waves.room() == 0:
            self._stop(self._requests.open_wave() or "", "wave")
        if now - self._renewed >= _RENEW:
            self._renew(now)

    def _renew(self, now: float) -> None:
        try:
            self._lease.renew()
            self._renewed = now
        except LedgerTrouble as error:
            self.trouble = error
            cause: StopCause = "lease lost" if isinstance(error, LeaseLost) else "ledger trouble"
            self._stop(f"{error.message}; nothing more is sent", cause)

    def _is_idle(self) -> bool:
        return self._requests.is_empty and not self._flying

    def _is_done(self) -> bool:
        return self._requests.exhausted and self._is_idle() and not self._answers

    def _patience(self) -> float:
        """Seconds to wait for events; 0 where there is work to do at once."""
        now = self._clock.monotonic()
        waits = [_RENEW]
        if self._terms.deadline is not None:
            waits.append(self._terms.deadline - now)
        if self._answers:
            waits.append(self._answers.since + _SHARE - now)
        if self._senders.idle > 0:
            gap = self._pace.delay(now)
            waits.extend(max(job.not_before - now, gap) for job in self._requests.jobs)
            if self._is_idle():
                waits.append(0.0)
        return max(0.0, min(waits))

    def _finish(self) -> None:
        """Send nothing new: await what is in flight, record it, and account for the rest."""
        self._absorb(())
        while self._flying and self._senders.in_flight:
            self._absorb(self._senders.wait(_RENEW))
            self._commit_answers()
        for job in self._requests.jobs:
            answered = self._answer_handler.withdraw(job, self.stopped)
            if answered is not None:
                self._answers.add(answered, job.entries, self._clock.monotonic())
        self._requests.jobs.clear()
        # The first commit empties the backlog; the others are for a ledger that does not answer at once.
        for _ in range(_LAST_COMMITS):
            self._commit_answers()
        if self.stopped:
            self._requests.leave_the_rest(self.stopped)

    def _commit_answers(self) -> None:
        if not self._answers:
            return
        try:
            self._ledger.commit(self._lease, self._run, [], self._answers.records, self._recheck)
        except LeaseLost:
            pass
        except LedgerTrouble as error:
            self._listener.note(f"{error.message}; trying again to record what was answered")
            return
        self._answers.clear()
