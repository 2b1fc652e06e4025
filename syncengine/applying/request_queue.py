"""Turns the plan into requests: reads entries on demand, keeps each lead's order, and fills batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from syncengine.applying.batches import Batcher
from syncengine.applying.jobs import Job, RunTerms
from syncengine.applying.lead_order import Lanes
from syncengine.applying.run_results import LISTED, RunResults
from syncengine.applying.stopping import Waves
from syncengine.core.outcomes import LeadEntry
from syncengine.core.values import LeadId

_MOST_WAITING = 10_000
"""Maximum number of entries waiting behind others of their lead; reading pauses beyond it."""

_MOST_DELAYED = 1_000
"""Maximum number of requests waiting for their time; reading pauses beyond it."""


class RequestQueue:
    """Holds the requests that have not left yet, oldest first, in `jobs`. Memory is bounded for any plan.

    `closed` are leads for which nothing is sent, each with the reason.
    """

    def __init__(
        self,
        entries: Iterable[LeadEntry],
        *,
        terms: RunTerms,
        waves: Waves,
        board: RunResults,
        monotonic: Callable[[], float],
        closed: Mapping[LeadId, str],
    ) -> None:
        self._entries: Iterator[LeadEntry] = iter(entries)
        self._terms = terms
        self._waves = waves
        self._board = board
        self._monotonic = monotonic
        self._lanes = Lanes(closed)
        self._batcher = Batcher(terms.limits)
        self._window = 2 * terms.limits.concurrency + 2
        self._stopped_leads: dict[str, str] = {}
        self.jobs: list[Job] = []
        self.exhausted = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing that was read still waits to leave."""
        return not self.jobs and self._batcher.is_empty and not self._lanes.waiting

    def fill(self) -> None:
        """Read until enough requests are ready, or nothing more may be read."""
        now = self._monotonic()
        ready, known = self._ready(now), len(self.jobs)
        while not self.exhausted and self._may_read(ready):
            entries = list(islice(self._entries, self._read_size()))
            if not entries:
                self.exhausted = True
                break
            for entry in entries:
                self._take(entry)
            if len(self.jobs) != known:
                ready, known = self._ready(now), len(self.jobs)
        if self._ready(now) < self._window:
            self.jobs.extend(Job(entries) for entries in self._batcher.flush())

    def _read_size(self) -> int:
        """Number of entries to read at once: those that complete a request, or one where delays or waves limit each
        entry."""
        return 1 if self._terms.waits or self._waves.room() is not None else self._batcher.room

    def _take(self, entry: LeadEntry) -> None:
        self._waves.started()
        closed = self._lanes.closed(entry.lead)
        if closed is not None:
            self._board.leave(entry, closed)
        elif self._lanes.admit(entry):
            self._add(entry)

    def stop_lead(self, lead: str, reason: str) -> None:
        """Send nothing more for this lead after its present entry."""
        self._stopped_leads[lead] = reason

    def pass_all_on(self, leads: Sequence[str]) -> None:
        """`pass_on` for the leads of a request that succeeded."""
        if self._stopped_leads or self._lanes.waiting:
            for lead in leads:
                self.pass_on(lead)
        else:
            self._lanes.release_all(leads)

    def pass_on(self, lead: str) -> None:
        """Mark the lead's entry as done and queue its next one, unless something went wrong."""
        reason = self._stopped_leads.pop(lead, None)
        if reason is not None:
            for entry in self._lanes.close(lead, reason):
                self._board.leave(entry, reason)
            return
        following = self._lanes.release(lead)
        if following is not None:
            self._add(following)

    def split(self, job: Job, count: int) -> None:
        """Leave the first `count` entries in the request; the others become the next one."""
        rest = Job(job.entries[count:], tries=job.tries, not_before=job.not_before)
        job.entries = job.entries[:count]
        self.jobs.insert(self.jobs.index(job) + 1, rest)

    def open_wave(self) -> str | None:
        """Start the next wave after everything of this one was answered; returns why it must not start, or None."""
        reason = self._waves.next()
        if reason is None:
            return None
        entry = next(self._entries, None)
        if entry is None:
            self.exhausted = True
            return None
        self._board.leave(entry, reason)
        return reason

    def leave_the_rest(self, reason: str) -> None:
        """Account for what will not be sent; of many operations only the first are listed."""
        for entries in self._batcher.flush():
            for entry in entries:
                self._board.leave(entry, reason)
        for entry in self._lanes.drain():
            self._board.leave(entry, reason)
        for entry in self._entries:
            self._board.leave(entry, reason)
            if len(self._board.not_sent) >= LISTED:
                break

    def _ready(self, now: float) -> int:
        return sum(job.not_before <= now for job in self.jobs)

    def _may_read(self, ready: int) -> bool:
        return (
            ready < self._window
            and len(self.jobs) < _MOST_DELAYED
            and self._lanes.waiting < _MOST_WAITING
            and self._waves.room() != 0
        )

    def _add(self, entry: LeadEntry) -> None:
        waits = self._terms.waits
        if not waits:
            for entries in self._batcher.add(entry):
                self.jobs.append(Job(entries))
            return
        until = max((waits.get(part.id, 0.0) for part in entry.parts), default=0.0)
        wait = until - self._monotonic()
        if wait <= 0:
            self.jobs.extend(Job(entries) for entries in self._batcher.add(entry))
        elif wait <= self._terms.limits.max_wait:
            self.jobs.append(Job((entry,), not_before=until))
        else:
            reason = f"another value may still land for {wait:.0f} s (settle), longer than max_wait"
            self._board.leave(entry, reason)
            self.stop_lead(entry.lead, reason)
            self.pass_on(entry.lead)
