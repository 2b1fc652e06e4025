"""The queue's tables in PostgreSQL beside the ledger: one connection, reopened after it is lost.

Statements have names and live in sql/queue.sql. Every write is idempotent.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from syncengine.core.errors import ConfigError, LedgerTrouble
from syncengine.core.settings import LedgerPin

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")
Row = dict[str, Any]

SCHEMA = "syncengine_queue"
_VERSION = "1"
_CONNECT_SECONDS = 10
_DELAYS = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 4.0)
_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*$", re.MULTILINE)


def sql_text(name: str) -> str:
    """A file of the sql folder."""
    return files(__package__).joinpath("sql", name).read_text(encoding="utf-8")


@cache
def _statements() -> dict[str, str]:
    pieces = _NAME.split(sql_text("queue.sql"))[1:]
    return {name: _COMMENT.sub("", text).strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True)}


def require_server(pin: LedgerPin) -> str:
    """The address of the ledger's server. Raises ConfigError where the ledger is a file."""
    if pin.url.startswith(("postgresql://", "postgres://")):
        return pin.url
    raise ConfigError(
        f"workers share a ledger on PostgreSQL, and the configuration names {pin.url.partition(':')[0]}",
        code="SE557",
        hint='name one under ledger: url: "postgresql://HOST/DATABASE", or use `syncengine apply`',
    )


class WorkerStore:
    """`durable` False: a crash of the server's machine may lose a commit. That is acceptable for pace and counts."""

    def __init__(self, dsn: str, *, durable: bool = True) -> None:
        self.dsn = dsn
        self._durable = durable
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Row] | None = None

    def write(self, work: Callable[[psycopg.Connection[Row]], T]) -> T:
        """Run `work` in one transaction, and again if the connection was lost. Raises LedgerTrouble if it stays
        lost."""

        def transaction(connection: psycopg.Connection[Row]) -> T:
            with connection.transaction():
                return work(connection)

        return self._repeat(transaction)

    def _repeat(self, work: Callable[[psycopg.Connection[Row]], T]) -> T:
        import psycopg

        with self._lock:
            trouble: Exception | None = None
            for delay in _DELAYS:
                time.sleep(delay)
                try:
                    return work(self._opened())
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    trouble = error
                    self.close()
                except psycopg.Error as error:
                    raise _trouble(error) from error
            raise _trouble(trouble) from trouble

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """Rows of one statement in a transaction of its own."""
        return self._repeat(lambda connection: rows(connection, name, **parameters))

    def run(self, name: str, /, **parameters: Any) -> int:
        """Number of rows that one statement changed."""
        return self._repeat(lambda connection: run(connection, name, **parameters))

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                connection.close()

    def _opened(self) -> psycopg.Connection[Row]:
        if self._connection is None:
            self._connection = _connect(self.dsn, durable=self._durable)
        return self._connection


def rows(connection: psycopg.Connection[Row], name: str, /, **parameters: Any) -> list[Row]:
    """All rows of a named statement, inside a transaction."""
    return connection.execute(_statements()[name].encode(), parameters).fetchall()


def run(connection: psycopg.Connection[Row], name: str, /, **parameters: Any) -> int:
    """Number of rows that a named statement changed, inside a transaction."""
    return connection.execute(_statements()[name].encode(), parameters).rowcount


def first(found: list[Row]) -> Row | None:
    """The one row that a look-up by key returns, or None."""
    return found[0] if found else None


def has_schema(store: WorkerStore) -> bool:
    """Whether the schema exists, that is, anything was ever submitted. Raises LedgerTrouble where it has another
    version."""
    if not store.rows("has_schema")[0]["found"]:
        return False
    found = first(store.rows("get_setting", name="version"))
    if found is None or found["value"] != _VERSION:
        raise LedgerTrouble(
            f"schema {SCHEMA} was made by another version of syncengine "
            f"({'none' if found is None else found['value']}, and this one uses {_VERSION})",
            hint=f"use that version, or drop the schema {SCHEMA} once `syncengine status` shows no open shards",
        )
    return True


def found_schema(store: WorkerStore, engine_schema: Callable[[], str]) -> None:
    """Create the schema and the engine's tables if they are missing."""

    def work(connection: psycopg.Connection[Row]) -> None:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('syncengine queue'))")
        if rows(connection, "has_schema")[0]["found"]:
            return
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
        connection.execute(engine_schema().encode())
        connection.execute(_COMMENT.sub("", sql_text("schema.sql")).encode())
        run(connection, "set_setting", name="version", value=_VERSION)

    if not has_schema(store):
        store.write(work)


def _connect(dsn: str, *, durable: bool) -> psycopg.Connection[Row]:
    import psycopg
    from psycopg.rows import dict_row

    connection = psycopg.connect(dsn, autocommit=True, connect_timeout=_CONNECT_SECONDS, row_factory=dict_row)
    try:
        for statement in (
            f"SET search_path TO {SCHEMA}",
            f"SET synchronous_commit TO {'on' if durable else 'off'}",
            # A worker that was stopped inside a transaction must not block the others indefinitely.
            "SET idle_in_transaction_session_timeout TO '15s'",
            "SET lock_timeout TO '30s'",
        ):
            connection.execute(statement.encode())
    except BaseException:
        connection.close()
        raise
    return connection


def _trouble(error: Exception | None) -> LedgerTrouble:
    lines = str(error).splitlines()
    return LedgerTrouble(
        f"the database of the workers reports: {lines[0] if lines else type(error).__name__}",
        hint="check `ledger.url` and that the server runs; nothing is lost meanwhile",
    )
