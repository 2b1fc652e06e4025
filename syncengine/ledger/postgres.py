"""The ledger on a PostgreSQL server, in its own schema. Reconnects after a lost connection and repeats the transaction.

If the acknowledgement of a commit was lost, its records are looked up before the work is repeated, so that nothing is
recorded twice.

A process can be stopped (SIGSTOP) between any two messages, and the server then keeps the locks of its transaction. Two
rules bound that. First, in a transaction that writes, every message is a complete query. The server then counts the
wait for the next message as idle and ends the session after 15 seconds; a server that waits for the rest of a pipeline,
or of a prepared statement's messages, does not count as idle. Second, statements whose result is not needed are
buffered here until the commit, which carries them all in one message. The counter of positions, the one row that all
accounts share, is thus locked and freed without a client round trip in between.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from syncengine.core.errors import ConfigError, InputError, LedgerLocked, LedgerTrouble, WrongLedger
from syncengine.ledger.address import ServerAddress
from syncengine.ledger.engine import Ask, Engine, Row
from syncengine.ledger.statements import Dialect, in_batches, script, sql_text, statements

if TYPE_CHECKING:
    import psycopg

    from syncengine.ledger.bounded_connection import BoundedConnection

T = TypeVar("T")

SCHEMA = "syncengine"
CONNECT_SECONDS = 10
WAIT_SECONDS = 30.0
"""Maximum wait for one answer of the server; a connection that takes longer counts as lost."""
RETRY_DELAYS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0, 4.0)
"""Seconds between attempts to reconnect, some twenty in all: less than a lease lasts."""
HUNG_SECONDS = 10.0
"""Maximum total time of connection attempts, not counting the delays between them. A server that refuses does so at
once; one that hangs takes half of this each time."""

GIVEN_UP_SECONDS = 5.0
"""Seconds before the next attempt to reach a server that stopped answering."""

_PATIENCE = {
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
    "application_name": "syncengine",
}
"""Connection options for a server or network that disappears silently; `ledger.url` may override them."""

_WRITE = "BEGIN"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_SESSION = (
    f"SET search_path TO {SCHEMA}",
    "SET synchronous_commit TO on",
    # A runner that was stopped inside a transaction must not keep its lane locked indefinitely.
    "SET idle_in_transaction_session_timeout TO '15s'",
    "SET lock_timeout TO '25s'",
    "SET client_encoding TO 'UTF8'",
    # Every statement looks up rows by key. A generic plan made while the tables were empty would keep scanning them.
    "SET enable_seqscan TO off",
    "SET enable_hashjoin TO off",
    "SET enable_mergejoin TO off",
    "SET enable_material TO off",
    "SET jit TO off",
)


class PostgresEngine:
    """One connection to a server. Threads may share it; calls are serialised."""

    dialect: Dialect = "postgres"

    def __init__(self, address: ServerAddress, *, read_only: bool) -> None:
        self.address = address
        self.url = address.shown
        self._read_only = read_only
        self._statements = statements("postgres")
        self._lock = threading.RLock()
        self._inside = False
        self._writing = False
        self._unsent: list[str] = []
        self._given_up: float | None = None
        self._connection, self._session = self._connected(CONNECT_SECONDS, {})

    def session(self) -> dict[str, Any]:
        """This connection's session on the server: `backend` (process id), `backend_started` and `role`."""
        return self._session

    def twin(self) -> PostgresEngine:
        """A second connection to the same ledger."""
        return PostgresEngine(self.address, read_only=self._read_only)

    def write(self, work: Callable[[], T], *, landed: Callable[[T], bool] | None = None) -> T:
        """See Engine."""
        with self._lock:
            return self._repeat(_WRITE, work, landed)

    def read(self, work: Callable[[], T]) -> T:
        """See Engine."""
        with self._lock:
            if self._inside:
                return work()
            return self._repeat(_READ, work, lambda _: True)

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
        """Whether a commit without acknowledgement is in the records."""
        if landed is None:
            raise LedgerTrouble(
                f"the connection to {self.url} broke during a commit; it is not known whether it took place",
                hint="look with `syncengine status` before you repeat it",
            )
        return self.read(lambda: landed(result))

    def _transaction(self, begin: str, work: Callable[[], T], results: list[T]) -> T:
        if not begin:
            results.append(work())
            return results[0]
        self._inside, self._writing = True, begin == _WRITE
        self._unsent = [begin]
        try:
            result = work()
            results.append(result)
            self._send("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._inside = self._writing = False
            self._unsent = []
        return result

    def _send(self, *sql: str) -> psycopg.Cursor[Row]:
        """Send the buffered statements and `sql` in one message; the cursor is then at the result of the first of
        `sql`."""
        import psycopg

        cursor = psycopg.ClientCursor(self._connection)
        before = len(self._unsent)
        message = ";".join((*self._unsent, *sql))
        self._unsent = []
        cursor.execute(message.encode(), prepare=False)
        for _ in range(before):
            cursor.nextset()
        return cursor

    def _text(self, sql: str, values: Sequence[Any]) -> str:
        """`sql` with its values inserted, quoted by the driver, so that several statements fit into one message."""
        import psycopg

        return psycopg.ClientCursor(self._connection).mogrify(sql.encode(), values)

    def _roll_back(self) -> None:
        import psycopg

        # On a broken connection the server rolls back by itself. The first error is the one to report.
        with contextlib.suppress(psycopg.Error):
            self._connection.execute("ROLLBACK", prepare=False)

    def _reconnect(self, cause: Exception) -> None:
        # After a server stopped answering, reconnect only occasionally and without waiting: a command that is ending
        # makes several calls to the ledger, and must end although none can succeed.
        delays: tuple[float, ...] = RETRY_DELAYS
        each = int(HUNG_SECONDS / 2)
        if self._given_up is not None:
            delays, each = ((0.0,) if time.monotonic() > self._given_up + GIVEN_UP_SECONDS else ()), 1
        hung = 0.0
        for delay in delays:
            time.sleep(delay)
            before = time.monotonic()
            with contextlib.suppress(LedgerTrouble):
                self._connection, self._session = self._connected(each, self._session)
                self._given_up = None
                return
            hung += time.monotonic() - before
            if hung > HUNG_SECONDS - 1:
                break
        if delays:
            self._given_up = time.monotonic()
        raise LedgerTrouble(
            f"the connection to the ledger at {self.url} is lost ({_first_line(cause)})",
            hint="once the server is back, run the same command again",
        ) from cause

    def _connected(self, seconds: int, before: Mapping[str, Any]) -> tuple[BoundedConnection, dict[str, Any]]:
        """A new connection and its session, once the session `before` is gone.

        The new connection can break as well while it is set up: LedgerTrouble, and the engine keeps the lost one. A
        connection that the engine took over while the session before may still commit could repeat that commit.
        """
        import psycopg

        connection = _connect(self.address, read_only=self._read_only, seconds=seconds)
        try:
            if before:
                self._end_session(connection, before)
            session = self._session_of(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, psycopg.Error):
                raise self._trouble(error) from error
            raise
        return connection, session

    def _end_session(self, connection: BoundedConnection, session: Mapping[str, Any]) -> None:
        """End the lost connection's session, which may still execute what it was sent. Only once it is gone can the
        client ask whether its commit succeeded."""
        end = time.monotonic() + HUNG_SECONDS
        statement = self._statements["end_session"]
        values = [session[parameter] for parameter in statement.parameters]
        while connection.execute(statement.sql, values).fetchall():
            if time.monotonic() > end:
                raise LedgerTrouble(f"an earlier connection to the ledger at {self.url} does not end")
            time.sleep(0.02)

    def _session_of(self, connection: BoundedConnection) -> dict[str, Any]:
        row = connection.execute(self._statements["own_session"].sql).fetchone()
        backend, started, role = row or (0, "", "")
        return {"backend": backend, "backend_started": started, "role": role}

    def _trouble(self, error: Exception) -> LedgerTrouble:
        import psycopg

        if isinstance(error, psycopg.errors.LockNotAvailable):
            return LedgerLocked(
                f"another process keeps records of the ledger at {self.url} locked",
                hint="`syncengine status` names who holds the lease; wait for it, or end that process",
            )
        return LedgerTrouble(
            f"the ledger at {self.url} reports: {_first_line(error)}", hint="see the server's log for more"
        )

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """See Engine."""
        return self._ask(name, parameters).fetchall()

    def rows_each(self, asks: Sequence[Ask]) -> list[list[Row]]:
        """See Engine."""
        if not asks or not (self._writing or self._unsent):
            return [self.rows(name, **parameters) for name, parameters in asks]
        cursor = self._send(*(self._filled(name, parameters) for name, parameters in asks))
        found = [cursor.fetchall()]
        while cursor.nextset():
            found.append(cursor.fetchall())
        return found

    def look(self, name: str, /, **parameters: Any) -> list[Row]:
        """See Engine."""
        with self._lock:
            if self._inside:
                return self.rows(name, **parameters)
            return self._repeat("", lambda: self.rows(name, **parameters), lambda _: True)

    def run(self, name: str, /, **parameters: Any) -> int:
        """See Engine."""
        return self._ask(name, parameters).rowcount

    def _ask(self, name: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[Row]:
        if self._writing or self._unsent:
            return self._send(self._filled(name, parameters))
        statement = self._statements[name]
        return self._connection.execute(statement.sql, [parameters[parameter] for parameter in statement.parameters])

    def _filled(self, name: str, parameters: Mapping[str, Any]) -> str:
        statement = self._statements[name]
        return self._text(statement.sql, [parameters[parameter] for parameter in statement.parameters])

    def put(self, name: str, /, **parameters: Any) -> None:
        """See Engine."""
        statement = self._statements[name]
        self._later(statement.sql, [parameters[parameter] for parameter in statement.parameters])

    def _later(self, sql: str, values: Sequence[Any]) -> None:
        if self._inside:
            self._unsent.append(self._text(sql, values))
        else:
            self._connection.execute(sql, values)

    def many(self, name: str, rows: Sequence[Row]) -> None:
        """See Engine. A statement that takes `rows` gets them all in one call, as JSON."""
        if not rows:
            return
        statement = self._statements[name]
        if statement.parameters == ("rows",):
            self._later(statement.sql, [msgspec.json.encode(rows).decode()])
            return
        for sql, values in in_batches(statement, rows):
            self._later(sql, values)

    def execute(self, sql: str) -> None:
        """See Engine."""
        if self._inside:
            self._send(sql)
        else:
            self._connection.execute(sql.encode())

    def damage(self, most: int) -> list[str]:  # noqa: ARG002
        """Nothing to check: the server's page checksums cover this."""
        return []

    def structure(self) -> str:
        """Nothing: see `damage`."""
        return ""

    def highest_position(self, ledger_id: str) -> int:  # noqa: ARG002
        """None is noted outside of the server."""
        return 0

    def backup(self, target: Path) -> None:  # noqa: ARG002
        """The server's own tools do this."""
        raise InputError(
            "a ledger on PostgreSQL is backed up with the server's own tools",
            code="SE901",
            hint=f"pg_dump --schema={SCHEMA} --format=custom --file=FILE DATABASE",
        )

    def scrub(self) -> None:
        """Remove the dead rows that still hold the erased text."""
        import psycopg

        with self._lock:
            try:
                # Its duration depends on the size of the tables.
                self._connection.patience = None
                self._connection.execute("VACUUM attempts, answers, outcomes, resolutions")
            except psycopg.Error as error:
                raise self._trouble(error) from error
            finally:
                self._connection.patience = WAIT_SECONDS

    def close(self) -> None:
        """See Engine."""
        with self._lock:
            self._connection.close()


def _repeatable_errors() -> tuple[type[Exception], ...]:
    import psycopg

    return (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def _connect(address: ServerAddress, *, read_only: bool, seconds: int = CONNECT_SECONDS) -> BoundedConnection:
    try:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        from syncengine.ledger.bounded_connection import BoundedConnection
    except ImportError as error:
        raise ConfigError(
            "a PostgreSQL ledger needs the extra [postgres]",
            hint="install it: pip install 'leadbyte-syncengine[postgres]'",
        ) from error
    session = [*_SESSION, *(("SET default_transaction_read_only TO on",) if read_only else ())]
    try:
        named = conninfo_to_dict(address.dsn)
        patience = {name: value for name, value in _PATIENCE.items() if name not in named}
        connection = BoundedConnection.connect(
            make_conninfo(address.dsn, connect_timeout=seconds, **patience), autocommit=True
        )
        connection.patience = WAIT_SECONDS
        try:
            connection.execute(";".join(session).encode(), prepare=False)
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
    """A new ledger in the schema `syncengine`, created completely or not at all. Raises WrongLedger where one
    exists."""
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
