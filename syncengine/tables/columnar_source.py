"""Rows from a Parquet file, read by DuckDB.

DuckDB reads a private copy, made while the file was hashed, so the rows are those of the bytes that the digest names.
The folder of the copy is the only place that DuckDB may access. The one statement that it runs is part of the product.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import Problem
from syncengine.documents.files import open_ordinary
from syncengine.tables.cells import Convert, Inexact, fault_of, iso_timestamp, rows_of, unusable
from syncengine.tables.sources import NumberedRow, Report, SourceError, SourceOptions

if TYPE_CHECKING:
    import duckdb

_COPIED_AT_ONCE = 1 << 20
_FETCHED_AT_ONCE = 2048
_MEMORY = "128MB"
_COPY = "source.parquet"
_FROM = "FROM read_parquet(?, hive_partitioning = false)"
_TEXTS = frozenset({"VARCHAR", "UUID", "BOOLEAN", "DATE", "TIME", "TIME_NS", "BIGINT", "HUGEINT", "INTEGER"})
_TEXTS |= {"SMALLINT", "TINYINT", "UBIGINT", "UHUGEINT", "UINTEGER", "USMALLINT", "UTINYINT"}
"""Types whose text in DuckDB is the documented one: digits, true and false, ISO dates and times."""


class _Column(msgspec.Struct, frozen=True):
    name: str
    convert: Convert | None
    select: str
    """The expression that gives the cell as text."""


class ColumnarSource:
    """A file with typed columns. Row groups are read in file order, a part of one at a time."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._columns: tuple[_Column, ...] | None = None
        self._digest: str | None = None

    @property
    def label(self) -> str:
        """The file relative to the repository."""
        return self._options.label

    @property
    def digest(self) -> str | None:
        """SHA-256 of the bytes once the rows were read to the end."""
        return self._digest

    def columns(self) -> tuple[str, ...]:
        """The names in the file. Raises SourceError."""
        if self._columns is None:
            with self._reading() as reading:
                self._columns = self._described(reading)
        return tuple(column.name for column in self._columns)

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """Empty: Parquet rows have no lines."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # trouble here ends the reading
        """The rows."""
        with self._reading() as reading:
            if self._digest not in (None, reading.digest):
                raise self._failure("SE319", "the file changed while it was being read", hint="start again")
            columns = self._described(reading)
            selected = ", ".join(column.select for column in columns)
            result = reading.connection.execute(f"SELECT {selected} {_FROM}", [reading.copy])
            batches = iter(lambda: result.fetchmany(_FETCHED_AT_ONCE), [])
            yield from rows_of([column.name for column in columns], [column.convert for column in columns], batches)
            self._digest = reading.digest

    @contextmanager
    def _reading(self) -> Iterator[_Reading]:
        """DuckDB over the hashed copy; every read error becomes a SourceError."""
        try:
            import duckdb
        except ImportError as error:
            hint = "install it: pip install 'leadbyte-syncengine[sources]'; or save the file as CSV"
            raise self._failure("SE326", "Parquet files need the extra [sources]", hint=hint) from error
        with tempfile.TemporaryDirectory(prefix="syncengine-source-") as folder:
            copy = Path(folder) / _COPY
            try:
                digest = _copied(Path(self._options.path), copy)
                with _confined(duckdb.connect(":memory:"), folder) as connection:
                    yield _Reading(connection, str(copy), digest)
            except duckdb.Error as error:
                words = str(error).replace(str(copy), self.label).splitlines()[0]
                raise self._failure("SE314", f"it cannot be read as a Parquet file: {words}") from error
            except OSError as error:
                raise self._failure("SE310", f"the source cannot be read: {error.strerror or error}") from error

    def _described(self, reading: _Reading) -> tuple[_Column, ...]:
        described = reading.connection.execute(f"DESCRIBE SELECT * {_FROM}", [reading.copy]).fetchall()
        columns = tuple(_column(name, kind) for name, kind, *_ in described)
        fault = fault_of([column.name for column in columns])
        if fault is not None:
            raise self._failure("SE312", fault)
        return columns

    def _failure(self, code: str, message: str, *, hint: str = "") -> SourceError:
        return SourceError(Problem(code=code, message=f"{self.label}: {message}", file=self.label, hint=hint))


class _Reading(msgspec.Struct, frozen=True):
    connection: duckdb.DuckDBPyConnection
    copy: str
    digest: str


def _copied(source: Path, target: Path) -> str:
    """Copy a file; returns the SHA-256 of the copied bytes."""
    digest = hashlib.sha256()
    with open_ordinary(source) as reading, target.open("wb") as writing:
        while chunk := reading.read(_COPIED_AT_ONCE):
            digest.update(chunk)
            writing.write(chunk)
    return digest.hexdigest()


@contextmanager
def _confined(connection: duckdb.DuckDBPyConnection, folder: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The connection, restricted to `folder`: no other files, no network, and settings that can no longer be
    changed."""
    quoted = folder.replace("'", "''")
    settings = (
        "threads = 1",
        f"memory_limit = '{_MEMORY}'",
        "preserve_insertion_order = true",
        "temp_directory = ''",
        "TimeZone = 'UTC'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"allowed_directories = ['{quoted}/']",
        "enable_external_access = false",
        "lock_configuration = true",
    )
    with connection:
        for setting in settings:
            connection.execute(f"SET {setting}")
        yield connection


def _column(name: str, kind: str) -> _Column:
    quoted = '"' + name.replace('"', '""') + '"'
    text = f"CAST({quoted} AS VARCHAR)"
    single = not kind.endswith("]")
    if kind in _TEXTS or (single and kind.startswith(("DECIMAL(", "ENUM("))):
        return _Column(name, None, text)
    if single and kind.startswith("TIMESTAMP"):
        return _Column(name, iso_timestamp, text)
    if kind in ("FLOAT", "DOUBLE"):
        return _Column(name, Inexact, text)
    return _Column(name, unusable(_in_words(kind)), f"CASE WHEN {quoted} IS NULL THEN NULL ELSE '' END")


def _in_words(kind: str) -> str:
    if kind.endswith("]"):
        return "a list"
    if kind.startswith(("STRUCT", "MAP")):
        return "a mapping"
    return f"of type {kind.partition('(')[0]}"
