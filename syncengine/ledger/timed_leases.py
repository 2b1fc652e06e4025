"""The lease on PostgreSQL: timed by the database's clock, renewed by a thread, fenced by its epoch.

A runner that was paused beyond its lease finds that it expired, and can commit no intent. A dead runner's lease is free
once it expires; no row is deleted. The lane's row names the session that commits for the lease. A process that takes an
expired lease ends that session first, since the former holder may have been stopped while it held locks. A former
holder that is alive reconnects, records the answers it has, and sends nothing more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from syncengine.core.errors import LeaseHeld, LeaseLost, LedgerLocked, LedgerTrouble
from syncengine.ledger.chain import ORIGIN
from syncengine.ledger.engine import Applicant, Ask, LockedLane, Row, first
from syncengine.ledger.file_leases import held_by
from syncengine.ledger.postgres import PostgresEngine
from syncengine.ledger.rows import SHARED

_POLL = 0.1
_LAST_RENEWAL = 5.0
"""Seconds that the end of a lease waits for a renewal in progress."""


class TimedLease:
    """The lease of one account or lane, for as long as it is renewed."""

    def __init__(self, engine: PostgresEngine, account: str, lane: str, *, epoch: int, span: int) -> None:
        self._engine = engine
        self.account = account
        self.lane = lane
        self.epoch = epoch
        self._span = span

    def renew(self) -> None:
        """Extend the lease. Raises LeaseLost where it expired or another holder took over."""
        if not self.renew_on(self._engine):
            raise LeaseLost(
                f"the lease of account {self.account} ran out, or another runner took over",
                hint="run the same command again once the other runner is done",
            )

    def renew_on(self, engine: PostgresEngine) -> bool:
        """Extend the lease on this connection, if it is still held. Doing it twice is harmless, so a commit without
        acknowledgement is repeated, and the result is what the server says now."""
        return engine.write(
            lambda: renewed(engine, self.account, self.lane, self.epoch, self._span), landed=lambda _: False
        )

    def give_back(self) -> None:
        """Release the lease. If the server cannot be reached, the lease ends when it expires."""
        with contextlib.suppress(LedgerTrouble):
            self._engine.write(
                lambda: self._engine.run("give_lane_back", account=self.account, lane=self.lane, epoch=self.epoch),
                # The epoch is never given out again, so repeating it cannot touch the lease of another holder.
                landed=lambda _: False,
            )


def renewed(engine: PostgresEngine, account: str, lane: str, epoch: int, span: int) -> bool:
    """Inside a transaction: extend a lease that has not run out. The row stays locked until the transaction ends."""
    return engine.run("renew_lane", account=account, lane=lane, epoch=epoch, span=span) == 1


class TimedLeases:
    """Leases in the table lanes. `seconds` is how long a lease lasts without renewal."""

    def __init__(self, engine: PostgresEngine, applicant: Applicant, seconds: float) -> None:
        self._engine = engine
        self._applicant = applicant
        self._seconds = seconds
        self._span = int(seconds * 1000)

    @contextlib.contextmanager
    def take(self, account: str, lane: str, *, wait: float) -> Iterator[TimedLease]:
        """Take the lease. Raises LeaseHeld after `wait` seconds. A lease of the whole account excludes those of its
        lanes."""
        epoch = self._take(account, lane, wait)
        lease = TimedLease(self._engine, account, lane, epoch=epoch, span=self._span)
        stop = threading.Event()
        renewal = threading.Thread(target=self._keep, args=(lease, stop), name=f"lease of {account}", daemon=True)
        renewal.start()
        try:
            yield lease
        finally:
            stop.set()
            # It may wait for a server that hangs. It releases only the lease that was taken here.
            renewal.join(timeout=_LAST_RENEWAL)
            lease.give_back()

    def _take(self, account: str, lane: str, wait: float) -> int:
        clock = self._applicant.clock
        deadline = clock.monotonic() + wait
        token = self._applicant.token(8)
        while True:
            taken = self._attempt(account, lane, token)
            if isinstance(taken, int):
                return taken
            if clock.monotonic() >= deadline:
                raise taken
            time.sleep(_POLL)

    def _attempt(self, account: str, lane: str, token: str) -> int | LeaseHeld:
        self._engine.look("end_expired_sessions", account=account, lane=lane)
        try:
            return self._engine.write(
                lambda: self._try(account, lane, token),
                landed=lambda taken: isinstance(taken, LeaseHeld) or self._epoch_of(account, lane, token) is not None,
            )
        except LedgerLocked:
            rows = _lane_rows(self._engine.look("see_lanes", account=account))
            holders: list[Row] = [row for row in rows if row.holder and row.covers(lane)]
            if not holders:
                raise
            return held_by(holders)

    def _try(self, account: str, lane: str, token: str) -> int | LeaseHeld:
        engine, who = self._engine, self._applicant
        # Read before locking: a holder that was stopped inside a transaction keeps the rows locked.
        if holders := _in_the_way(_lane_rows(engine.rows("see_lanes", account=account)), lane):
            return held_by(holders)
        for name in {"", lane}:
            engine.run("add_lane", account=account, lane=name, head=ORIGIN)
        rows = _lane_rows(
            engine.rows("lock_two_lanes", account=account, lane=lane)
            if lane
            else engine.rows("lock_lanes", account=account)
        )
        if holders := _in_the_way(rows, lane):
            return held_by(holders)
        if not lane and (shared := first(engine.rows("open_shared_run", account=account, lane=SHARED))):
            return _worked_on(account, shared)
        engine.run(
            "take_lane",
            account=account,
            lane=lane,
            holder=who.holder,
            host=who.host,
            pid=who.pid,
            since=who.clock.now(),
            token=token,
            span=self._span,
            **engine.session(),
        )
        epoch = self._epoch_of(account, lane, token)
        if epoch is None:
            raise LedgerTrouble(f"the lane of account {account} vanished from the ledger at {engine.url}")
        if lane:
            self._inherit(account, next(row.epoch for row in rows if row.lane == lane))
        return epoch

    def _inherit(self, account: str, epoch: int) -> None:
        """Mark requests that the holder of this epoch left without an answer as in doubt.

        Done in the transaction that ends its right to the lane: the next holder may die before it does anything, and
        the epoch would then be lost.
        """
        self._engine.run("take_over_doubts_of_lease", account=account, epoch=epoch)
        self._engine.run("take_over_pending_of_lease", account=account, epoch=epoch)

    def _epoch_of(self, account: str, lane: str, token: str) -> int | None:
        row = first(self._engine.rows("find_token", account=account, lane=lane, token=token))
        return None if row is None else int(row[0])

    def _keep(self, lease: TimedLease, stop: threading.Event) -> None:
        """Renew on a separate connection, so that a slow answer or a long wait does not lose the lease."""
        engine: PostgresEngine | None = None
        try:
            while not stop.wait(self._seconds / 3):
                with contextlib.suppress(LedgerTrouble):
                    engine = engine or self._engine.twin()
                    if not lease.renew_on(engine):
                        return
        finally:
            if engine is not None:
                engine.close()

    def live_epochs(self) -> dict[tuple[str, str], int]:
        """Leases that have not expired."""
        rows = self._engine.look("live_lanes")
        return {(account, lane): epoch for account, lane, epoch in rows}

    def lock(self, account: str, lane: str, epoch: int, asks: Sequence[Ask] = ()) -> LockedLane:
        """See Leases."""
        row = {"account": account, "lane": lane, "epoch": epoch, "span": self._span}
        rows, *answers = self._engine.rows_each([("lock_lease", {**row, **self._engine.session()}), *asks])
        step, head, held = rows[0]
        return LockedLane(held=held, step=step, head=head, answers=answers)

    def accept_position(self, ledger_id: str, position: int) -> None:
        """Nothing is noted outside of the server."""

    def release(self, account: str) -> int:
        """Fence off every holder of the account: a holder that is still alive can commit no intent."""
        fenced = 0
        for _, lane, epoch, *_ in self._engine.rows("lock_lanes", account=account):
            if self._engine.run("fence_lane", account=account, lane=lane):
                self._inherit(account, epoch)
                fenced += 1
        return fenced


def _worked_on(account: str, shared: Row) -> LeaseHeld:
    run, machine, since = shared
    return LeaseHeld(
        f"account {account} is being worked on by run {run}, submitted on {machine} at {since}: its shards are open",
        hint=f"`syncengine status` shows its shards and workers; `syncengine cancel {run}` stops it",
    )


class LaneRow(NamedTuple):
    """A row of see_lanes, lock_lanes or lock_two_lanes."""

    account: str
    lane: str
    epoch: int
    holder: str
    host: str
    pid: int
    since: str
    live: bool

    def covers(self, lane: str) -> bool:
        """Whether it shares leads with `lane`: the lane "" is the whole account."""
        return not lane or self.lane in ("", lane)


def _lane_rows(rows: Iterable[Row]) -> list[LaneRow]:
    return [LaneRow(*row) for row in rows]


def _in_the_way(rows: Iterable[LaneRow], lane: str) -> list[Row]:
    """Rows that are held and cover the same leads."""
    return [row for row in rows if row.live and row.covers(lane)]
