"""Limits shared by all workers of a run, kept in PostgreSQL: pace, Retry-After, stop rules, and the run's stop flag."""

from __future__ import annotations

import contextlib

from syncengine.applying.stopping import Cause, StopSignal, stop_reason
from syncengine.core.errors import LedgerTrouble
from syncengine.core.ports import Clock
from syncengine.core.settings import StopRule
from syncengine.distributed.store import Row, WorkerStore, first

_MICRO = 1_000_000
_TURN = 0.02
_STALE = 0.25
"""Seconds after which an unused turn expires."""
_LOOK = 1.0
"""Seconds between checks of the run while waiting."""
_STOPPED = 1.0


class SharedPace:
    """Rate limit over all workers of an account: turns by the database's clock, at most so many a second.

    It also reads before every request whether the run was stopped. If so, it sets `signal` and grants no turn.
    """

    def __init__(
        self,
        store: WorkerStore,
        *,
        account: str,
        run: str,
        requests_per_second: float,
        clock: Clock,
        signal: StopSignal,
    ) -> None:
        self.gap = gap = 1.0 / requests_per_second if requests_per_second > 0 else 0.0
        self._store = store
        self._names = {"account": account, "run": run}
        self._gap = int(gap * _MICRO)
        self._slack = int(_TURN * _MICRO) if gap < _TURN else 0
        self._stale = max(gap, _STALE)
        self._clock = clock
        self._signal = signal
        self._turn: float | None = None
        self._looked = 0.0
        self._held = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next request may leave."""
        if self._signal.cause is not None:
            return _STOPPED
        if now < self._held:
            return self._held - now
        if self._turn is None or now - self._turn > self._stale:
            return self._take(now)
        waited = now - self._looked
        if waited > _LOOK or (self._turn <= now and waited > _TURN):
            return self._look(now)
        return max(0.0, self._turn - now)

    def left(self, now: float) -> None:  # noqa: ARG002
        """Use up the turn: a request leaves now."""
        self._turn = None

    def hold(self, until: float) -> None:
        """Let no request of any worker leave before this moment."""
        wait = max(0.0, until - self._clock.monotonic())
        self._turn, self._held = None, until
        # An answer is being processed and must be recorded, even if this fails.
        with contextlib.suppress(LedgerTrouble):
            self._store.run("hold_pace", account=self._names["account"], wait=int(wait * _MICRO))

    def _take(self, now: float) -> float:
        row = self._store.rows("take_turn", **self._names, gap=self._gap, slack=self._slack)[0]
        self._turn = now + row["wait"] / _MICRO
        self._looked = now
        return self._unless_stopped(row["stopping"], row["wait"] / _MICRO)

    def _look(self, now: float) -> float:
        """Check a turn that was taken a while ago. It is void where the run was stopped or all sending is on hold."""
        row = self._store.rows("look_up", **self._names)[0]
        self._looked = now
        if row["held"] > 0:
            self._turn = None
            return self._unless_stopped(row["stopping"], row["held"] / _MICRO)
        return self._unless_stopped(row["stopping"], max(0.0, (self._turn or now) - now))

    def _unless_stopped(self, stopping: str | None, delay: float) -> float:
        if stopping == "":
            return delay
        self._signal.request(Cause.STOPPED, stopping or "the run is gone from the queue's database")
        return _STOPPED


class SharedRules:
    """policy.stop_when over the answers to all workers."""

    def __init__(self, store: WorkerStore, *, run: str, worker: str, rule: StopRule) -> None:
        self._store = store
        self._names = {"run": run, "worker": worker}
        self._rule = rule
        self._answered = self._rejected = self._unanswered = self._requests = 0
        self._readable = False

    def entry(self, *, rejected: bool) -> None:
        """Count one more entry with a readable answer."""
        self._answered += 1
        self._rejected += rejected

    def entries(self, count: int) -> None:
        """Count more entries with a readable answer, none of them rejected."""
        self._answered += count

    def request(self, *, unanswered: bool) -> None:
        """Count one more request as answered or unanswered."""
        self._requests += 1
        if unanswered:
            self._unanswered += 1
        else:
            self._readable, self._unanswered = True, 0

    def verdict(self) -> str | None:
        """Why the run must stop, or None. Keeps counting while the database is unreachable; the next commit reports
        that."""
        try:
            counted = self._count()
        except LedgerTrouble:
            return None
        self._answered = self._rejected = self._unanswered = self._requests = 0
        self._readable = False
        if counted is None:
            return "the run is gone from the queue's database"
        if counted["stopping"]:
            return str(counted["stopping"])
        return stop_reason(
            self._rule,
            answered=counted["answered"],
            rejected=counted["rejected"],
            unanswered=counted["unanswered"],
        )

    def _count(self) -> Row | None:
        found = self._store.rows(
            "count_answers",
            **self._names,
            requests=self._requests,
            entries=self._answered,
            answered=self._answered,
            rejected=self._rejected,
            unanswered=self._unanswered,
            readable=self._readable,
        )
        return first(found)
