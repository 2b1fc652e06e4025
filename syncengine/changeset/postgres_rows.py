"""Rows from PostgreSQL: a server-side cursor in a read-only transaction with one snapshot.

Values are read in the server's text form, so nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from syncengine.changeset.databases import DatabaseTrouble, Server
from syncengine.tables.cells import Convert, Inexact, iso_timestamp, unusable

if TYPE_CHECKING:
    import psycopg

_FETCHED_AT_ONCE = 2000
_CONNECT_SECONDS = 10
_DECLARE = "DECLARE syncengine_rows NO SCROLL CURSOR FOR "
_SESSION = (
    "SET default_transaction_read_only TO on",
    "SET client_encoding TO 'UTF8'",
    "SET DateStyle TO 'ISO'",
    "SET TimeZone TO 'UTC'",
    "SET extra_float_digits TO 1",
    "SET lock_timeout TO '30s'",
    "SET statement_timeout TO '10min'",
)
_CATEGORIES = "SELECT oid, typname, typcategory FROM pg_catalog.pg_type WHERE oid = ANY(%s)"
_TEXTUAL: Final = frozenset("NSDEIX")
"""Type categories whose values have one text form: numbers, texts, dates and times, enumerations, networks, unknown."""

_NO_TEXT: Final = {
    "money": "of type money, which depends on the server's locale",
    "json": "a JSON document",
    "jsonb": "a JSON document",
    "bytea": "bytes",
    "interval": "an interval",
    "xml": "an XML document",
}
_GROUPS: Final = {"A": "a list", "C": "a group of values", "R": "a range"}


class PostgresResult:
    """The open cursor. `converts` follow from the columns' types."""

    def __init__(self, cursor: psycopg.Cursor[tuple[str | None, ...]], description: Sequence[psycopg.Column]) -> None:
        self._cursor = cursor
        self.names = tuple(column.name for column in description)
        self.converts = _converts(cursor, [column.type_code for column in description])

    def batches(self) -> Iterator[Sequence[Sequence[str | None]]]:
        """See Result."""
        fetch = f"FETCH FORWARD {_FETCHED_AT_ONCE} FROM syncengine_rows".encode()
        while rows := self._cursor.execute(fetch).fetchall():
            yield rows


def _converts(cursor: psycopg.Cursor[tuple[str | None, ...]], types: Sequence[int]) -> tuple[Convert | None, ...]:
    found = cursor.execute(_CATEGORIES, [list(set(types))]).fetchall()
    known = {oid: _convert(cast("str", name), cast("str", category)) for oid, name, category in found}
    return tuple(known[str(code)] for code in types)


def _convert(name: str, category: str) -> Convert | None:
    if name in ("float4", "float8"):
        return Inexact
    if name in ("timestamp", "timestamptz"):
        return iso_timestamp
    if name == "bool":
        return {"t": "true", "f": "false"}.__getitem__
    if name in _NO_TEXT:
        return unusable(_NO_TEXT[name])
    if category in _TEXTUAL or name == "uuid":
        return None
    return unusable(_GROUPS.get(category, f"of type {name}"))


@contextmanager
def run_on_postgres(server: Server, sql: str) -> Iterator[PostgresResult]:
    """Run one SELECT on the server. Raises DatabaseTrouble, which never contains the address."""
    try:
        import psycopg
    except ImportError as error:
        hint = "install it: pip install 'leadbyte-syncengine[postgres]'"
        raise DatabaseTrouble("PostgreSQL needs the extra [postgres]", hint=hint, code="SE326") from error
    connection = _connected(server)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute((_DECLARE + sql).encode())
            # The cursor knows its columns only once it is read. No row is skipped by this.
            description = cursor.execute(b"FETCH FORWARD 0 FROM syncengine_rows").description or []
            yield PostgresResult(cursor, description)
            connection.rollback()
    except psycopg.Error as error:
        raise _trouble(error) from error


def _connected(server: Server) -> psycopg.Connection[tuple[str | None, ...]]:
    import psycopg
    from psycopg.types.string import TextLoader

    try:
        connection = psycopg.connect(server.dsn, autocommit=True, connect_timeout=_CONNECT_SECONDS)
        for statement in _SESSION:
            connection.execute(statement.encode())
    except psycopg.Error:
        # The driver's messages name host, port and user, so they are kept out of errors and tracebacks.
        message = "it cannot be reached, or refuses the login"
        hint = "check its address and password, and that the server runs"
        raise DatabaseTrouble(message, hint=hint) from None
    for info in connection.adapters.types:
        connection.adapters.register_loader(info.oid, TextLoader)
        if info.array_oid:
            connection.adapters.register_loader(info.array_oid, TextLoader)
    connection.autocommit = False
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return cast("psycopg.Connection[tuple[str | None, ...]]", connection)


def _trouble(error: psycopg.Error) -> DatabaseTrouble:
    told = error.diag.message_primary
    if told is None:
        return DatabaseTrouble("the connection was lost", hint="start again once the server is back")
    position = error.diag.statement_position
    offset = int(position) - 1 - len(_DECLARE) if position and position.isdigit() else None
    return DatabaseTrouble(f"it says: {told}", offset=offset if offset is not None and offset >= 0 else None)
