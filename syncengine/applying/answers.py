"""Processes answers: judges each one, settles operations, and decides what is sent again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import not_

from syncengine.applying.jobs import Job
from syncengine.applying.request_queue import RequestQueue
from syncengine.applying.resending import jobs_again
from syncengine.applying.run_context import RunContext, SendingLimits
from syncengine.applying.run_results import WORDS, RunResults
from syncengine.applying.senders import Received
from syncengine.applying.stopping import Waves
from syncengine.core.events import SentAgain, StopCause, answered
from syncengine.core.message_redaction import declared_in, without_values
from syncengine.core.outcomes import (
    Judgement,
    LeadEntry,
    Lost,
    NotSent,
    Outcome,
    Redirected,
    Ruling,
    SentOperation,
    Verdict,
    judge,
)
from syncengine.core.ports import Answered
from syncengine.core.values import OperationId


class AnswerHandler:
    """`stopped` is set to the sentence that ends the run where an answer, or a stop rule, requires it; `cause` is set
    with it."""

    def __init__(
        self,
        context: RunContext,
        limits: SendingLimits,
        *,
        queue: RequestQueue,
        unknown: set[OperationId],
        waves: Waves,
        board: RunResults,
    ) -> None:
        self._terms, self._clock, self._random = context.terms, context.clock, context.random
        self._listener = context.listener
        self._pace, self._rules = limits.pace, limits.rules
        self._requests = queue
        self._unknown = unknown
        self._waves = waves
        self._board = board
        self.stopped = ""
        self.cause: StopCause = "bug"

    def receive(self, received: Received, job: Job, *, ending: bool) -> Answered:
        """The record for an answer. With `ending` nothing is sent again, because the run is stopping."""
        verdict = received.verdict
        if verdict is None:
            verdict = Lost(f"an error in syncengine itself: {type(received.crash).__name__}")
            self._stop("an error in syncengine itself; please report it", "bug")
        judgement = judge(verdict, job.entries, self._terms.wire.refusals)
        self._tell_of(received, job, verdict, judgement)
        self._rules.request(unanswered=judgement.counts_as_unanswered)
        if judgement.stop:
            words = without_values(judgement.stop, declared_in(judgement.stop, job.entries))
            self._stop(words, "redirect" if isinstance(verdict, Redirected) else "key refused")
        again = self._again(job, judgement, ending=ending)
        self._tell_again(received.ticket, again)
        self._requests.jobs.extend(again)
        repeated = {part.id for each in again for entry in each.entries for part in entry.parts}
        self._settle_all(job.entries, judgement.rulings, repeated)
        self._stop(self._rules.verdict() or "", "stop rule")
        return self._record(received, verdict, judgement)

    def withdraw(self, job: Job, reason: str) -> Answered | None:
        """Settle the operations of a request that will not leave. Returns a record where its intents were committed
        already."""
        for entry in job.entries:
            for part in entry.parts:
                unknown = part.id in self._unknown
                self._board.settle(part, Outcome.UNKNOWN if unknown else Outcome.NOT_SENT, reason)
        if job.request is None:
            return None
        ruling = Ruling(Outcome.NOT_SENT, reason)
        return Answered(
            request=job.request,
            rulings=tuple((ruling,) * len(entry.parts) for entry in job.entries),
            verdict=NotSent.recorded,
            status=0,
            message=reason,
            at=self._clock.now(),
        )

    def _stop(self, reason: str, cause: StopCause) -> None:
        if reason and not self.stopped:
            self.stopped, self.cause = reason, cause

    def _tell_of(self, received: Received, job: Job, verdict: Verdict, judgement: Judgement) -> None:
        self._listener.tell(
            answered(
                received.ticket,
                status=received.status,
                verdict=verdict.recorded,
                seconds=self._clock.monotonic() - job.left,
                rulings=judgement.rulings,
            )
        )

    def _tell_again(self, request: int, again: Sequence[Job]) -> None:
        now = self._clock.monotonic()
        for job in again:
            self._listener.tell(
                SentAgain(
                    request=request,
                    entries=len(job.entries),
                    operations=sum(len(entry.parts) for entry in job.entries),
                    wait=max(0.0, job.not_before - now),
                )
            )

    def _record(self, received: Received, verdict: Verdict, judgement: Judgement) -> Answered:
        return Answered(
            request=received.ticket,
            rulings=judgement.rulings,
            verdict=verdict.recorded,
            status=received.status,
            message=verdict.message,
            at=self._clock.now(),
        )

    def _again(self, job: Job, judgement: Judgement, *, ending: bool) -> list[Job]:
        """Requests for what may be sent again; none once tries or time are used up, or the run stops."""
        limits = self._terms.limits
        now = self._clock.monotonic()
        if judgement.retry_after is not None:
            self._hold(judgement.retry_after, now)
        if ending or self.stopped:
            return []
        return jobs_again(job, judgement, limits, now=now, random=self._random)

    def _hold(self, seconds: float, now: float) -> None:
        """Do what Retry-After asks for; end the run where that takes too long."""
        most = self._terms.limits.max_wait
        if seconds > most:
            self._stop(f"the service asks to wait {seconds:g} s, over max_wait ({most:g} s)", "long wait")
        else:
            self._pace.hold(now + seconds)

    def _settle_all(
        self, entries: tuple[LeadEntry, ...], rulings: tuple[tuple[Ruling, ...], ...], repeated: set[OperationId]
    ) -> None:
        """Settle applied operations in one call, and the rest entry by entry."""
        done = list(map(_is_plainly_applied, rulings))
        applied = list(compress(entries, done))
        if applied:
            self._board.settle_applied([part for entry in applied for part in entry.parts])
            self._rules.entries(len(applied))
            self._requests.pass_all_on([entry.lead for entry in applied])
        if len(applied) == len(entries):
            return
        rest = list(map(not_, done))
        self._settle_each(tuple(compress(entries, rest)), tuple(compress(rulings, rest)), repeated)

    def _settle_each(
        self, entries: tuple[LeadEntry, ...], rulings: tuple[tuple[Ruling, ...], ...], repeated: set[OperationId]
    ) -> None:
        for entry, group in zip(entries, _without_values(entries, rulings), strict=True):
            self._settle(entry, group, repeated)

    def _settle(self, entry: LeadEntry, rulings: Sequence[Ruling], repeated: set[OperationId]) -> None:
        trouble = ""
        for part, ruling in zip(entry.parts, rulings, strict=True):
            self._note(entry, part, ruling)
            if part.id not in repeated:
                trouble = self._settle_part(part, ruling) or trouble
        if trouble:
            self._requests.stop_lead(entry.lead, trouble)
            self._waves.failed()
        if any(part.id in repeated for part in entry.parts):
            return
        outcomes = {ruling.outcome for ruling in rulings}
        if Outcome.REJECTED in outcomes or outcomes == {Outcome.APPLIED}:
            self._rules.entry(rejected=Outcome.REJECTED in outcomes)
        self._requests.pass_on(entry.lead)

    def _note(self, entry: LeadEntry, part: SentOperation, ruling: Ruling) -> None:
        for warning in ruling.warnings:
            self._board.warn(f"lead {entry.lead}: {warning}")
        if ruling.outcome is Outcome.UNKNOWN:
            self._unknown.add(part.id)

    def _settle_part(self, part: SentOperation, ruling: Ruling) -> str:
        """Settle one operation. Returns why later ones of its lead must wait, or ""."""
        outcome = ruling.outcome
        if outcome is not Outcome.APPLIED and part.id in self._unknown:
            # A rejection settles only the attempt that it answers.
            outcome = Outcome.UNKNOWN
        self._board.settle(part, outcome, ruling.message)
        return "" if outcome is Outcome.APPLIED else f"an earlier operation of this lead is {WORDS[outcome]}"


def _is_plainly_applied(rulings: Sequence[Ruling]) -> bool:
    return all(ruling.outcome is Outcome.APPLIED and not ruling.warnings for ruling in rulings)


def _without_values(
    entries: tuple[LeadEntry, ...], rulings: tuple[tuple[Ruling, ...], ...]
) -> tuple[tuple[Ruling, ...], ...]:
    """The rulings in the form for results: reports mask personal values, also where the service repeats them."""
    each = {id(ruling): ruling for group in rulings for ruling in group}
    values = declared_in("\n".join(text for r in each.values() for text in (r.message, *r.warnings)), entries)
    if not values:
        return rulings
    told = {
        number: Ruling(
            ruling.outcome,
            without_values(ruling.message, values),
            tuple(without_values(warning, values) for warning in ruling.warnings),
        )
        for number, ruling in each.items()
    }
    return tuple(tuple(told[id(ruling)] for ruling in group) for group in rulings)
