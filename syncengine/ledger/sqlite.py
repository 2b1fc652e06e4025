"""The ledger in a file: SQLite in WAL mode with full synchronisation, one connection, immediate transactions."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from syncengine.core.errors import InputError, LedgerDamaged, LedgerTrouble, WrongLedger
from syncengine.ledger.engine import Ask, Row
from syncengine.ledger.position_marks import PositionMark, read_marks
from syncengine.ledger.statements import Dialect, in_batches, script, sql_text, statements

T = TypeVar("T")

APPLICATION_ID = 0x53594E43
"""Marks the file as a syncengine ledger ("SYNC"), so that another program's database is never taken for one."""

BUSY_SECONDS = 20.0
_COMPANIONS = ("-wal", "-shm", "-journal")

_ADVICE = {
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space, then run the same command again"),
    sqlite3.SQLITE_READONLY: ("it is read-only", "make the file and its folder writable, then run the command again"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "check that the file and its folder may be read and written"),
    sqlite3.SQLITE_BUSY: ("another process keeps it locked", "end the other process, or wait, and run it again"),
    sqlite3.SQLITE_IOERR: ("reading or writing the disk failed", "check the disk, then run the same command again"),
}


# All statements are part of the product and tested: if one does not fit the file, the file was changed. 0 is the code
# of the driver's own errors, such as text (or an error message about text) that is not UTF-8.
_DAMAGE = {
    0: "a value cannot be read",
    sqlite3.SQLITE_ERROR: "a table or column is not as it was made",
    sqlite3.SQLITE_INTERNAL: "the file contradicts itself",
    sqlite3.SQLITE_NOMEM: "a size in it is impossible",
    sqlite3.SQLITE_CORRUPT: "the file contradicts itself",
    sqlite3.SQLITE_SCHEMA: "a table or column is not as it was made",
    sqlite3.SQLITE_TOOBIG: "a size in it is impossible",
    sqlite3.SQLITE_CONSTRAINT: "a record is there twice",
    sqlite3.SQLITE_MISMATCH: "a value is of the wrong type",
    sqlite3.SQLITE_FORMAT: "the file contradicts itself",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database",
}
_HEADER = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN})
"""Error codes of a damaged header in a writable file."""


def trouble(error: sqlite3.Error | UnicodeDecodeError, path: Path, *, read_only: bool = False) -> LedgerTrouble:
    """A LedgerTrouble that describes the database's failure and what to do next."""
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if code in _DAMAGE and not isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return LedgerDamaged(str(path), f"{_DAMAGE[code]} ({error})")
    if extended == sqlite3.SQLITE_IOERR_SHORT_READ:
        return LedgerDamaged(str(path), f"it is shorter than it was ({error})")
    if code in _HEADER and not read_only and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return LedgerDamaged(str(path), f"its header says that it cannot be written ({error})")
    what, hint = _ADVICE.get(code, ("the database reports an error", "see the message above"))
    return LedgerTrouble(f"ledger {path}: {what} ({error})", hint=hint)


class SqliteEngine:
    """One connection to a ledger file. Threads may share it; calls are serialised."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path, connection: sqlite3.Connection, *, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        self.url = f"sqlite:///{path}"
        self.marks: list[PositionMark] = []
        """Receives the last position after each commit."""
        self._known = read_marks(path)
        self._connection = connection
        self._statements = statements("sqlite")
        self._lock = threading.RLock()

    def write(self, work: Callable[[], T], *, landed: Callable[[T], bool] | None = None) -> T:  # noqa: ARG002
        """See Engine. A local commit either happened or raised, so `landed` is never needed."""
        return self._transaction("BEGIN IMMEDIATE", work)

    def read(self, work: Callable[[], T]) -> T:
        """See Engine. A snapshot of its own, or that of the transaction in progress."""
        with self._lock:
            return work() if self._connection.in_transaction else self._transaction("BEGIN", work)

    def _transaction(self, begin: str, work: Callable[[], T]) -> T:
        with self._lock:
            try:
                self._connection.execute(begin)
                try:
                    result = work()
                    position = self._position() if self.marks else 0
                    self._connection.execute("COMMIT")
                except BaseException:
                    self._roll_back()
                    raise
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise trouble(error, self.path, read_only=self._read_only) from error
            for mark in self.marks:
                mark.reach(position)
            return result

    def _position(self) -> int:
        return int(self._connection.execute("SELECT coalesce(max(position), 0) FROM chain").fetchone()[0])

    def highest_position(self, ledger_id: str) -> int:
        """See Engine."""
        return self._known.get(ledger_id, 0)

    def backup(self, target: Path) -> None:
        """See Engine."""
        draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}.new")
        try:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            try:
                with self._lock, contextlib.closing(_connect(draft, "rw")) as copy:
                    # All pages in one step: one snapshot, unaffected by concurrent commits.
                    self._connection.backup(copy)
                    copy.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                os.link(draft, target)
            finally:
                for name in ("", *_COMPANIONS):
                    draft.with_name(draft.name + name).unlink(missing_ok=True)
            _sync_folder(target.parent)
        except FileExistsError as error:
            raise InputError(f"{target} is there already: it stays as it is", code="SE902") from error
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise trouble(error, self.path, read_only=self._read_only) from error

    def _roll_back(self) -> None:
        # A full disk may have rolled back already. A failing rollback must not hide the first error.
        if self._connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def rows(self, name: str, /, **parameters: Any) -> list[Row]:
        """See Engine."""
        statement = self._statements[name]
        values = [_bound(parameters[parameter]) for parameter in statement.parameters]
        return self._connection.execute(statement.sql, values).fetchall()

    def rows_each(self, asks: Sequence[Ask]) -> list[list[Row]]:
        """See Engine."""
        return [self.rows(name, **parameters) for name, parameters in asks]

    def look(self, name: str, /, **parameters: Any) -> list[Row]:
        """See Engine."""
        return self.read(lambda: self.rows(name, **parameters))

    def run(self, name: str, /, **parameters: Any) -> int:
        """See Engine."""
        statement = self._statements[name]
        values = [_bound(parameters[parameter]) for parameter in statement.parameters]
        return self._connection.execute(statement.sql, values).rowcount

    def put(self, name: str, /, **parameters: Any) -> None:
        """See Engine."""
        self.run(name, **parameters)

    def many(self, name: str, rows: Sequence[Row]) -> None:
        """See Engine."""
        # One call for many rows: each call releases the interpreter lock and has to acquire it again.
        for sql, values in in_batches(self._statements[name], rows):
            self._connection.execute(sql, values)

    def execute(self, sql: str) -> None:
        """See Engine."""
        self._connection.execute(sql)

    def damage(self, most: int) -> list[str]:
        """See Engine."""
        return self.read(lambda: self._damage(most))

    def _damage(self, most: int) -> list[str]:
        connection = self._connection
        said = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({most})")]
        found = [] if said == ["ok"] else said
        # A changed column type or collation would make look-ups miss rows that exist.
        stored = connection.execute("SELECT value FROM meta WHERE name = 'structure'").fetchone()
        if stored is None or stored[0] != self.structure():
            found.append("the definitions of its tables are not as they were made")
        return found[:most]

    def structure(self) -> str:
        """Digest of the definitions of all tables and indexes."""
        rows = self._connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY name"
        ).fetchall()
        return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()

    def scrub(self) -> None:
        """Rewrite the file without its free pages, and empty the write-ahead log."""
        with self._lock:
            try:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise trouble(error, self.path) from error

    def close(self) -> None:
        """See Engine."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()


def _bound(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, list) else value


def open_file(path: Path, *, read_only: bool) -> SqliteEngine:
    """The engine for an existing ledger file. Raises LedgerTrouble or WrongLedger where it is not a healthy ledger."""
    _check_file(path)
    try:
        connection = _connect(path, "ro" if read_only else "rw")
        try:
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta_twin'").fetchone()[0]:
                    raise LedgerDamaged(str(path), "its header does not say whose file it is")
                raise WrongLedger(
                    f"{path} is a database of another program, not a syncengine ledger",
                    hint="check `ledger.url` in syncengine.yaml",
                )
            _tune(connection, read_only=read_only)
            connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise trouble(error, path, read_only=read_only) from error
    return SqliteEngine(path, connection, read_only=read_only)


def _check_file(path: Path) -> None:
    """Check the path without opening the file: closing any descriptor of it drops every lock that this process holds on
    it, and SQLite's own connections rely on theirs. SQLite itself checks the file's content."""
    try:
        size, readable = path.stat().st_size, os.access(path, os.R_OK)
    except OSError as error:
        raise LedgerTrouble(
            f"ledger {path} cannot be read: {error.strerror}", hint="check the file and its permissions"
        ) from error
    if not readable or not path.is_file():
        why = "permission denied" if path.is_file() else "it is not a regular file"
        raise LedgerTrouble(f"ledger {path} cannot be read: {why}", hint="check the file and its permissions")
    # SQLite writes into these files and follows links. A link that another user planted must not redirect it.
    linked = next((name for end in _COMPANIONS if (name := path.with_name(path.name + end)).is_symlink()), None)
    if linked is not None:
        raise LedgerTrouble(f"{linked}, beside the ledger, is a symbolic link", hint="find out who put it there")
    if not size:
        raise LedgerDamaged(str(path), "the file is empty")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    def connect(options: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(path))}?{options}"
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )

    connection = connect(f"mode={mode}")
    log = path.with_name(path.name + "-wal")
    if mode == "ro" and not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size):
        # Reading a WAL database needs files beside it. In a read-only folder nothing can change either.
        connection.close()
        return connect("immutable=1")
    return connection


def _tune(connection: sqlite3.Connection, *, read_only: bool) -> None:
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("PRAGMA cache_size = -16384")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA temp_store = MEMORY")


def create_file(path: Path, fill: Callable[[SqliteEngine], None]) -> None:
    """A new ledger file, mode 0600, created completely or not at all. Raises WrongLedger where the path is taken."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            _write_draft(draft, fill)
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise WrongLedger(
            f"{path} exists already; a new ledger never replaces a file", hint="point `ledger.url` elsewhere"
        ) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise trouble(error, path) from error
    except OSError as error:
        raise LedgerTrouble(
            f"ledger {path} cannot be created: {error.strerror}", hint="check the folder and the space on its disk"
        ) from error


def _write_draft(draft: Path, fill: Callable[[SqliteEngine], None]) -> None:
    connection = _connect(draft, "rw")
    engine = SqliteEngine(draft, connection)
    try:
        _tune(connection, read_only=False)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

        def build() -> None:
            for statement in script(sql_text("schema.sql"), "sqlite"):
                engine.execute(statement)
            fill(engine)

        engine.write(build)
    finally:
        # Closing the last connection moves the write-ahead log into the file.
        connection.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
