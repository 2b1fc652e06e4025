"""Rows of an SQLite file, opened read-only. The statement is untrusted: it can read tables and do nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from syncengine.changeset.databases import DatabaseTrouble
from syncengine.tables.cells import Convert, Inexact, Unusable

LONGEST_CELL = 1 << 20
_FETCHED_AT_ONCE = 1000
_PATIENCE = 10.0
"""Seconds to wait for another process that writes to the file."""

_BREATH = 1_000_000
_MOST_BREATHS = 5_000
"""Virtual machine steps between two checks, and the maximum number of checks: a statement may take minutes, not
forever."""

_ALLOWED: Final = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "random", "randomblob", "fts3_tokenizer"})


class SqliteResult:
    """SQLite types each value separately, so every cell that is not a text is converted separately."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.names = tuple(name for name, *_ in cursor.description)
        self.converts: tuple[Convert | None, ...] = (_text,) * len(self.names)

    def batches(self) -> Iterator[Sequence[Sequence[str | None]]]:
        """See Result."""
        while rows := self._cursor.fetchmany(_FETCHED_AT_ONCE):
            yield rows


def _text(cell: object) -> object:
    kind = cell.__class__
    if kind is str:
        return cell
    if kind is int:
        return str(cell)
    if kind is float:
        return Inexact(repr(cell))
    return Unusable("a blob")


class _Watch:
    """Denies everything but reading, and ends endless work; `reason` says why."""

    def __init__(self) -> None:
        self.reason = ""
        self._breaths = 0

    def authorize(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        """Authorizer callback: SQLite calls it for every action of a statement."""
        if action in _ALLOWED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            if (second or "").lower() not in _FORBIDDEN_FUNCTIONS:
                return sqlite3.SQLITE_OK
            self.reason = f"the function {second} is not available in a source"
        elif action == sqlite3.SQLITE_RECURSIVE:
            self.reason = "WITH RECURSIVE is not available in a source"
        else:
            self.reason = f"a source only reads tables and views ({first})" if first else "a source only reads"
        return sqlite3.SQLITE_DENY

    def breathe(self) -> int:
        """Progress callback: SQLite calls it at intervals; any result but 0 ends the statement."""
        self._breaths += 1
        if self._breaths <= _MOST_BREATHS:
            return 0
        self.reason = "the statement takes too long"
        return 1


@contextmanager
def run_on_sqlite(path: Path, sql: str) -> Iterator[SqliteResult]:
    """Run one SELECT on the file. Raises DatabaseTrouble."""
    watch = _Watch()
    try:
        address = f"file:{quote(str(path))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.set_authorizer(watch.authorize)
            connection.set_progress_handler(watch.breathe, _BREATH)
            yield SqliteResult(connection.execute(sql))
    except sqlite3.Error as error:
        raise DatabaseTrouble(watch.reason or str(error)) from error
