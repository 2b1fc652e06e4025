"""The ledger on a PostgreSQL server, in a schema of its own. A lost connection is opened again and the work repeated.

A commit whose acknowledgement was lost is looked for before it is repeated, so that nothing is recorded twice.
Statements of a transaction travel in a pipeline: only those whose answer is needed are waited for.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from syncengine.core.errors import ConfigError, LedgerTrouble, WrongLedger
from syncengine.ledger.address import ServerAddress
from syncengine.ledger.engine import Engine, Row
from syncengine.ledger.statements import Dialect, in_batches, script, sql_text, statements

if TYPE_CHECKING:
    import psycopg

T = TypeVar("T")

SCHEMA = "syncengine"
CONNECT_SECONDS = 10
RETRY_DELAYS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)
"""Seconds between attempts to reach the server again, some twenty in all: less than a lease lasts."""

_SESSION = (
    f"SET search_path TO {SCHEMA}",
    "SET synchronous_commit TO on",
    # A runner that was stopped inside a transaction must not keep its lane locked for good.
    "SET idle_in_transaction_session_timeout TO '15s'",
    "SET lock_timeout TO '30s'",
    "SET client_encoding TO 'UTF8'",
    # Every statement looks up rows by key. A plan made while the tables were empty would go on reading them whole.
    "SET enable_seqscan TO off",
    "SET enable_hashjoin TO off",
    "SET enable_mergejoin TO off",
    "SET enable_material TO off",
    "SET jit TO off",
)


class PostgresEngine:
    """One connection to a server. Threads may share it; they take turns."""

    dialect: Dialect = "postgres"

    def __init__(self, address: ServerAddress, *, read_only: bool) -> None:
        self.address = address
        self.url = address.shown
        self._read_only = read_only
        self._statements = statements("postgres")
        self._lock = threading.RLock()
        self._inside = False
        self._pipeline: psycopg.Pipeline | None = None
        self._connection = _connect(address, read_only=read_only)

    def twin(self) -> PostgresEngine:
        """Another connection to the same ledger."""
        return PostgresEngine(self.address, read_only=self._read_only)

    def write(self, work: Callable[[], T], *, landed: Callable[[T], bool] | None = None) -> T:
        """See Engine."""
        with self._lock:
            return self._repeat("BEGIN", work, landed)

    def read(self, work: Callable[[], T]) -> T:
        """See Engine."""
        with self._lock:
            if self._inside:
                return work()
            return self._repeat("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work, lambda _: True)

    def _repeat(self, begin: str, work: Callable[[], T], landed: Callable[[T], bool] | None) -> T:
        import psycopg

        for _ in RETRY_DELAYS:
            results: list[T] = []
            try:
                return self._transaction(begin, work, results)
            except psycopg.Error as error:
                if isinstance(error, _repeatable_errors()):
                    continue
                if not self._connection.closed:
                    raise self._trouble(error) from error
                self._reconnect(error)
                if results and self._took_place(results[0], landed):
                    return results[0]
        raise LedgerTrouble(f"the ledger at {self.url} keeps failing", hint="check the server and its log")

    def _took_place(self, result: T, landed: Callable[[T], bool] | None) -> bool:
        """Whether a commit that nobody answered is in the records."""
        if landed is None:
            raise LedgerTrouble(
                f"the connection to {self.url} broke during a commit; nobody knows whether it took place",
                hint="look with `syncengine status` before you repeat it",
            )
        return self.read(lambda: landed(result))

    def _transaction(self, begin: str, work: Callable[[], T], results: list[T]) -> T:
        self._inside = True
        try:
            with self._pipelined():
                self._connection.execute(begin.encode(), prepare=False)
                result = work()
                results.append(result)
                self._connection.execute("COMMIT", prepare=False)
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._inside = False
        return result

    @contextlib.contextmanager
    def _pipelined(self) -> Iterator[None]:
        import psycopg

        if not psycopg.Pipeline.is_supported():
            yield
            return
        try:
            with self._connection.pipeline() as self._pipeline:
                yield
        finally:
            self._pipeline = None

    def _roll_back(self) -> None:
        import psycopg

        # On a broken connection the server rolls back by itself; the first error is the one to be heard.
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK", prepare=False)

    def _reconnect(self, cause: Exception) -> None:
        for delay in RETRY_DELAYS:
            time.sleep(delay)
            with contextlib.suppress(LedgerTrouble):
                self._connection = _connect(self.address, read_only=self._read_only)
                return
        raise LedgerTrouble(
            f"the connection to the ledger at {self.url} is lost ({_first_line(cause)})",
            hint="once the server is back, run the same command again",
        ) from cause

    def _trouble(self, error: Exception) -> LedgerTrouble:
        return LedgerTrouble(
            f"the ledger at {self.url} reports: {_first_line(error)}", hint="see the server's log for more"
        )

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """See Engine."""
        return self._put(name, parameters).fetchall()

    def run(self, name: str, /, **parameters: Any) -> int:
        """See Engine."""
        cursor = self._put(name, parameters)
        if self._pipeline is not None:
            self._pipeline.sync()
        return cursor.rowcount

    def put(self, name: str, /, **parameters: Any) -> None:
        """See Engine."""
        self._put(name, parameters)

    def _put(self, name: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        statement = self._statements[name]
        return self._connection.execute(statement.sql, [parameters[parameter] for parameter in statement.parameters])

    def many(self, name: str, rows: Sequence[Row]) -> None:
        """See Engine. A statement that takes `rows` gets them all at once, as JSON."""
        if not rows:
            return
        statement = self._statements[name]
        if statement.parameters == ("rows",):
            self._connection.execute(statement.sql, [msgspec.json.encode(rows).decode()])
            return
        for sql, values in in_batches(statement, rows):
            self._connection.execute(sql, values)

    def execute(self, sql: str) -> None:
        """See Engine."""
        self._connection.execute(sql.encode())

    def scrub(self) -> None:
        """Remove the dead rows that still hold the erased text."""
        import psycopg

        with self._lock:
            try:
                self._connection.execute("VACUUM attempts, answers, outcomes, resolutions")
            except psycopg.Error as error:
                raise self._trouble(error) from error

    def close(self) -> None:
        """See Engine."""
        with self._lock:
            self._connection.close()


def _repeatable_errors() -> tuple[type[Exception], ...]:
    import psycopg

    return (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def _connect(address: ServerAddress, *, read_only: bool) -> psycopg.Connection[Row]:
    try:
        import psycopg
    except ImportError as error:
        raise ConfigError(
            "a PostgreSQL ledger needs the extra [postgres]",
            hint="install it: pip install 'leadbyte-syncengine[postgres]'",
        ) from error
    # What it warns of when a pipeline breaks off is reported by whoever hears the first error.
    logging.getLogger("psycopg").addHandler(logging.NullHandler())
    try:
        connection = psycopg.connect(address.dsn, autocommit=True, connect_timeout=CONNECT_SECONDS)
        try:
            for statement in _SESSION:
                connection.execute(statement.encode(), prepare=False)
            if read_only:
                connection.execute("SET default_transaction_read_only TO on", prepare=False)
        except BaseException:
            connection.close()
            raise
    except psycopg.Error as error:
        raise LedgerTrouble(
            f"the ledger's server at {address.shown} cannot be reached ({_first_line(error)})",
            hint="check `ledger.url` and that the server runs",
        ) from error
    return connection


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def open_server(address: ServerAddress, *, read_only: bool) -> PostgresEngine | None:
    """The engine for a ledger on a server, or None where the database holds no ledger."""
    engine = PostgresEngine(address, read_only=read_only)
    found = False
    try:
        found = bool(engine.read(lambda: engine.rows("has_schema")[0][0]))
    finally:
        if not found:
            engine.close()
    return engine if found else None


def create_on_server(address: ServerAddress, fill: Callable[[Engine], None]) -> None:
    """A new ledger in the schema `syncengine`, complete or not there at all. WrongLedger where there is one."""
    engine = PostgresEngine(address, read_only=False)

    def build() -> None:
        engine.execute("SELECT pg_advisory_xact_lock(hashtext('syncengine ledger'))")
        if engine.rows("has_schema")[0][0]:
            raise WrongLedger(
                f"{address.shown} holds a ledger already; a new one never replaces it",
                hint="point `ledger.url` at another database",
            )
        engine.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for statement in script(sql_text("schema.sql"), "postgres"):
            engine.execute(statement)
        fill(engine)

    try:
        engine.write(build)
    finally:
        engine.close()
