"""The lease on one machine: a locked file per account beside the ledger. The lock dies with its process.

Lock files are never deleted. Child processes do not inherit the lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import stat
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from syncengine.core.errors import LeaseHeld, LeaseLost, LedgerTrouble
from syncengine.ledger.chain import ORIGIN
from syncengine.ledger.engine import Applicant, Ask, Engine, LockedLane, Row, first
from syncengine.ledger.position_marks import PositionMark, lease_files
from syncengine.ledger.sqlite import SqliteEngine

_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_POLL = 0.02
_GRACE = 0.25
"""Seconds for which a taken lock is retried: a reader that tests the lock holds it for an instant."""

_held: weakref.WeakSet[_LockFile] = weakref.WeakSet()


class _LockFile:
    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _forget_in_child() -> None:
    # A forked child shares the parent's lock while it holds the descriptor; closing it there does not release the lock.
    for lock in list(_held):
        lock.close()


os.register_at_fork(after_in_child=_forget_in_child)


class FileLease(msgspec.Struct, frozen=True):
    """The lease of one account. The lock file is authoritative; the epoch fences off a holder that lost it."""

    engine: Engine
    account: str
    lane: str
    epoch: int

    def renew(self) -> None:
        """File leases do not expire. Raises LeaseLost where another epoch began all the same."""
        row = first(self.engine.look("get_epoch", account=self.account, lane=self.lane))
        if row is None or row[0] != self.epoch:
            raise LeaseLost(f"the lease of account {self.account} was taken over")


class FileLeases:
    """Leases beside an SQLite ledger. `applicant` is the process that takes them."""

    def __init__(self, engine: SqliteEngine, path: Path, applicant: Applicant) -> None:
        self._engine = engine
        self._path = path
        self._applicant = applicant

    def _file(self, account: str) -> Path:
        plain = account if _PLAIN_NAME.fullmatch(account) else hashlib.sha256(account.encode()).hexdigest()[:32]
        return self._path.with_name(f"{self._path.name}.{plain}.lease")

    @contextlib.contextmanager
    def take(self, account: str, lane: str, *, wait: float) -> Iterator[FileLease]:
        """Take the lease. Raises LeaseHeld after `wait` seconds."""
        if lane:
            raise ValueError("an SQLite ledger has no lanes; runners that share an account need PostgreSQL")
        lock = self._lock(account, wait)
        _held.add(lock)
        mark = PositionMark(lambda: lock.descriptor, self._ledger_id())
        self._engine.marks.append(mark)
        try:
            epoch = self._engine.write(lambda: self._hold(account))
            yield FileLease(self._engine, account, lane, epoch)
        finally:
            self._engine.marks.remove(mark)
            lock.close()

    def _ledger_id(self) -> str:
        return str(self._engine.look("get_meta", name="id")[0][0])

    def accept_position(self, ledger_id: str, position: int) -> None:
        """Record this position in every lease file that mentions the ledger. Raises LeaseHeld where a runner is
        alive."""
        with contextlib.ExitStack() as stack:
            for path in lease_files(self._path):
                lock = self._lock_file(path, path.name.removeprefix(f"{self._path.name}.").removesuffix(".lease"), 0)
                stack.callback(lock.close)
                PositionMark(lambda lock=lock: lock.descriptor, ledger_id).put(position)  # type: ignore[misc]

    def _lock(self, account: str, wait: float) -> _LockFile:
        return self._lock_file(self._file(account), account, wait)

    def _lock_file(self, path: Path, account: str, wait: float) -> _LockFile:
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise OSError(errno.EINVAL, "it is no ordinary file")
        except OSError as error:
            raise LedgerTrouble(
                f"the lease file {path} cannot be opened: {error.strerror}", hint="make the ledger's folder writable"
            ) from error
        clock = self._applicant.clock
        deadline = clock.monotonic() + max(wait, _GRACE)
        while not _try_lock(descriptor, fcntl.LOCK_EX, path):
            if clock.monotonic() >= deadline:
                os.close(descriptor)
                raise self._refusal(account)
            time.sleep(_POLL)
        return _LockFile(descriptor)

    def _hold(self, account: str) -> int:
        who = self._applicant
        self._engine.run("add_lane", account=account, lane="", head=ORIGIN)
        self._engine.run(
            "hold_lane",
            account=account,
            lane="",
            holder=who.holder,
            host=who.host,
            pid=who.pid,
            since=who.clock.now(),
            token="",
        )
        return int(self._engine.rows("get_epoch", account=account, lane="")[0][0])

    def _refusal(self, account: str) -> LeaseHeld:
        rows = self._engine.look("get_lanes")
        return held_by([row for row in rows if row[0] == account])

    def live_epochs(self) -> dict[tuple[str, str], int]:
        """Leases whose lock file is locked at this moment."""
        rows = self._engine.look("live_lanes")
        return {(account, lane): epoch for account, lane, epoch in rows if self._is_locked(account)}

    def _is_locked(self, account: str) -> bool:
        path = self._file(account)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            return not _try_lock(descriptor, fcntl.LOCK_SH, path)
        finally:
            os.close(descriptor)

    def lock(self, account: str, lane: str, epoch: int, asks: Sequence[Ask] = ()) -> LockedLane:
        """See Leases. The lock itself lasts as long as this process."""
        current, step, head = self._engine.rows("lock_lane", account=account, lane=lane)[0]
        return LockedLane(held=current == epoch, step=step, head=head, answers=self._engine.rows_each(asks))

    def release(self, account: str) -> int:
        """Fence off a dead holder. Raises LeaseHeld where its process is alive."""
        if self._is_locked(account):
            raise self._refusal(account)
        return self._engine.run("fence_lane", account=account, lane="")


def held_by(lanes: list[Row]) -> LeaseHeld:
    """The LeaseHeld error that names the holders of these lanes (rows of get_lanes)."""
    account, lane, _, holder, host, pid, since = lanes[0][:7]
    what = f"account {account}" + (f", lane {lane}," if lane else "")
    return LeaseHeld(
        f"{what} is being applied to by {holder} on {host} (process {pid}) since {since}",
        hint="wait for it with --lock-timeout SECONDS, or see `syncengine status`",
    )


def _try_lock(descriptor: int, how: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise LedgerTrouble(
            f"the lease file {path} cannot be locked: {error.strerror}",
            hint="keep the ledger on a local disk, or use a PostgreSQL ledger",
        ) from error
    return True
