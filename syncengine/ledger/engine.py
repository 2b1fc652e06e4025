"""Database interface of the ledger: named statements inside transactions. SQLite and PostgreSQL implement it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from syncengine.core.ports import Clock, Lease
from syncengine.ledger.statements import Dialect

T = TypeVar("T")
Row = tuple[Any, ...]
Ask = tuple[str, Mapping[str, Any]]
"""Name and parameters of a statement."""


class Engine(Protocol):
    """One connection. Every method raises LedgerTrouble where the database fails."""

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        ...

    @property
    def url(self) -> str:
        """Address without secrets."""
        ...

    def write(self, work: Callable[[], T], *, landed: Callable[[T], bool] | None = None) -> T:
        """Run `work` in one durable transaction. It may run again after a lost connection, so it must have no other
        effects.

        `landed` is called on a new connection where it is unknown whether the commit succeeded.
        """
        ...

    def read(self, work: Callable[[], T]) -> T:
        """Run `work` over one consistent snapshot; inside `write` it sees the transaction's own rows."""
        ...

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """All rows of a named statement. A list parameter stands for a set of values."""
        ...

    def rows_each(self, asks: Sequence[Ask]) -> list[list[Row]]:
        """`rows` of several statements, run in this order: inside `write` one round trip for all of them."""
        ...

    def look(self, name: str, /, **parameters: Any) -> list[Row]:
        """`rows` in a transaction of its own, in one round trip."""
        ...

    def run(self, name: str, /, **parameters: Any) -> int:
        """Number of rows that a named statement changed."""
        ...

    def put(self, name: str, /, **parameters: Any) -> None:
        """Run a named statement whose result is not needed. It may be deferred until the end of the transaction."""
        ...

    def many(self, name: str, rows: Sequence[Row]) -> None:
        """Run a named statement for each row; the row's values are in the statement's order of parameters."""
        ...

    def execute(self, sql: str) -> None:
        """One statement of a schema or migration."""
        ...

    def damage(self, most: int) -> list[str]:
        """Defects in the database's structure, and rows that differ from their covering indexes, `most` findings at
        most.

        Empty on PostgreSQL, whose server checks its pages itself if configured to.
        """
        ...

    def structure(self) -> str:
        """Digest of the definitions of all tables, for `damage` to compare; empty where the engine keeps none."""
        ...

    def highest_position(self, ledger_id: str) -> int:
        """The highest position recorded outside the database before it was opened; 0 where none was."""
        ...

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file, during concurrent writes. Raises InputError where the database has no
        such copy."""
        ...

    def scrub(self) -> None:
        """After an erasure, make sure that the erased text is gone from the database's own files."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def first(rows: list[T]) -> T | None:
    """The one row that a look-up by key returns, or None."""
    return rows[0] if rows else None


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """The process that requests a lease, as messages describe it. `token` returns so many random bytes as hexadecimal
    text."""

    holder: str
    host: str
    pid: int
    clock: Clock
    token: Callable[[int], str]


class LockedLane(msgspec.Struct, frozen=True, kw_only=True):
    """A lane whose row this transaction locks. `held`: the epoch's lease may commit intents until the transaction ends.

    `step` and `head` are the end of its chain; `answers` are the rows of each statement that was asked with it.
    """

    held: bool
    step: int
    head: str
    answers: list[list[Row]] = []


class Leases(Protocol):
    """Leases on this kind of database: the exclusive right to apply."""

    def take(self, account: str, lane: str, *, wait: float) -> AbstractContextManager[Lease]:
        """The lease, for the duration of the context. Raises LeaseHeld after `wait` seconds."""
        ...

    def live_epochs(self) -> dict[tuple[str, str], int]:
        """(account, lane) to the epoch of its lease, for leases whose holder is alive."""
        ...

    def lock(self, account: str, lane: str, epoch: int, asks: Sequence[Ask] = ()) -> LockedLane:
        """Inside a transaction: lock the lane's row until it ends, then run `asks`. Extends a timed lease."""
        ...

    def accept_position(self, ledger_id: str, position: int) -> None:
        """Set the position recorded outside the database to this one. Raises LeaseHeld where a runner is alive."""
        ...

    def release(self, account: str) -> int:
        """Inside a transaction: fence off every holder of the account, and return their number. Raises LeaseHeld where
        one is alive."""
        ...
