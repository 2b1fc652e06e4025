"""What the ledger asks of a database: named statements inside transactions. SQLite and PostgreSQL implement it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from syncengine.core.ports import Clock, Lease
from syncengine.ledger.statements import Dialect

T = TypeVar("T")
Row = tuple[Any, ...]


class Engine(Protocol):
    """One connection. Every method raises LedgerTrouble where the database fails."""

    @property
    def dialect(self) -> Dialect:
        """Which database this is."""
        ...

    @property
    def url(self) -> str:
        """Address without secrets."""
        ...

    def write(self, work: Callable[[], T], *, landed: Callable[[T], bool] | None = None) -> T:
        """Run `work` in one durable transaction. It may run again after a lost connection, so it changes nothing else.

        `landed` is asked on a new connection where nobody knows whether the commit took place.
        """
        ...

    def read(self, work: Callable[[], T]) -> T:
        """Run `work` over one consistent snapshot; inside `write` it sees the transaction's own rows."""
        ...

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """All rows of a named statement. A list parameter stands for a set of values."""
        ...

    def run(self, name: str, /, **parameters: Any) -> int:
        """Number of rows that a named statement changed."""
        ...

    def put(self, name: str, /, **parameters: Any) -> None:
        """Run a named statement; nobody asks what it changed, so nobody waits for it before the transaction's end."""
        ...

    def many(self, name: str, rows: Sequence[Row]) -> None:
        """Run a named statement for each row; the row's values are in the statement's order of parameters."""
        ...

    def execute(self, sql: str) -> None:
        """One statement of a schema or migration."""
        ...

    def damage(self, most: int) -> list[str]:
        """What is wrong with the database's own structure and with the twins of rows, `most` findings at most.

        Empty on PostgreSQL, whose server checks its pages itself where it was set up to.
        """
        ...

    def structure(self) -> str:
        """What stands for the definitions of all tables, as `damage` compares them; empty where it does not."""
        ...

    def highest_position(self, ledger_id: str) -> int:
        """The highest position that was noted outside of the database, before it was opened; 0 where none was."""
        ...

    def backup(self, target: Path) -> None:
        """A consistent copy as a new file, while others write. InputError where there is none of this database."""
        ...

    def scrub(self) -> None:
        """After an erasure: make sure that erased text is gone from the database's own files."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


def first(rows: list[T]) -> T | None:
    """The one row that a look-up by key gives, or None."""
    return rows[0] if rows else None


class Applicant(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for a lease, as others will read it; `token` gives so many random bytes as hexadecimal text."""

    holder: str
    host: str
    pid: int
    clock: Clock
    token: Callable[[int], str]


class Leases(Protocol):
    """How the exclusive right to apply is held on this kind of database."""

    def take(self, account: str, lane: str, *, wait: float) -> AbstractContextManager[Lease]:
        """The lease, for as long as the context lasts; raises LeaseHeld after `wait` seconds."""
        ...

    def live_epochs(self) -> dict[tuple[str, str], int]:
        """(account, lane) to the epoch of its lease, for the leases whose holder is alive right now."""
        ...

    def holds(self, account: str, lane: str, epoch: int) -> bool:
        """Inside a transaction: whether this epoch may commit intents until the transaction ends."""
        ...

    def accept_position(self, ledger_id: str, position: int) -> None:
        """What was noted outside of the database becomes this position. LeaseHeld where a runner is alive."""
        ...

    def release(self, account: str) -> int:
        """Inside a transaction: fence off every holder of the account, and count them. LeaseHeld where one lives."""
        ...
