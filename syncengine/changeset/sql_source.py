"""Rows of one SELECT over a database that syncengine.yaml names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import assert_never

import msgspec

from syncengine.changeset.databases import Access, DatabaseTrouble, Reach, Result
from syncengine.changeset.statement import SelectStatement
from syncengine.core.errors import Problem, Severity
from syncengine.documents.nodes import Scalar, SourceText
from syncengine.tables.cells import fault_of, rows_of
from syncengine.tables.sources import NumberedRow, Report, SourceError

_WRAPPED = "SELECT * FROM (\n"


class SqlPlace(msgspec.Struct, frozen=True):
    """Position of the statement."""

    text: SourceText
    scalar: Scalar

    def problem(
        self, code: str, message: str, *, offset: int | None = None, hint: str = "", severity: Severity = "error"
    ) -> Problem:
        """A problem with the statement, `offset` characters into it where the statement is on one line."""
        column = self.scalar.column
        if offset is not None and "\n" not in self.scalar.text and len(self.scalar.text) > offset:
            column += offset + (0 if self.scalar.plain else 1)
        return self.text.problem(code, message, self.scalar.line, column, hint=hint, severity=severity)


class SqlSource:
    """One statement. Its digest covers the columns and rows as they were read, in that order.

    Reading again runs the statement again. It returns the same rows, or reports that the source changed.
    """

    def __init__(self, label: str, statement: SelectStatement, access: Access, place: SqlPlace) -> None:
        self.label = label
        self._statement = statement
        self._access = access
        self._place = place
        self._columns: tuple[str, ...] | None = None
        self._digest: str | None = None

    @property
    def digest(self) -> str | None:
        """SHA-256 of columns and rows once they were read to the end."""
        return self._digest

    def reached(self, reach: Reach) -> SqlSource:
        """A copy with another setting for whether connections may be opened."""
        return SqlSource(self.label, self._statement, msgspec.structs.replace(self._access, reach=reach), self._place)

    def again(self) -> SqlSource:
        """A copy that knows nothing of what was read."""
        return self.reached(self._access.reach)

    def columns(self) -> tuple[str, ...] | None:
        """The columns of the result; None where finding out takes a connection that may not be opened."""
        if self._access.connects and self._access.reach != "connect":
            return None
        if self._columns is None:
            without_rows = f"{_WRAPPED}{self._statement.sql}\n) AS source LIMIT 0"
            with self._result(without_rows, shift=len(_WRAPPED)) as result:
                self._columns = result.names
        return self._columns

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """Empty: rows of a query have no line of their own."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # trouble here ends the reading
        """The rows."""
        with self._result(self._statement.sql) as result:
            fault = fault_of(result.names)
            if fault is not None:
                hint = "name each column of the SELECT once, with AS"
                raise SourceError(self._place.problem("SE312", f"{self.label}: {fault}", hint=hint))
            hashed = _HashedRows(result)
            yield from rows_of(result.names, result.converts, hashed.batches())
            self._finish(hashed.digest())

    def _finish(self, digest: str) -> None:
        if self._digest not in (None, digest):
            message = f"{self.label}: the rows changed while they were being read"
            raise SourceError(self._place.problem("SE319", message, hint="start again"))
        self._digest = digest

    @contextmanager
    def _result(self, sql: str, *, shift: int = 0) -> Iterator[Result]:
        """The statement's result; every error becomes a SourceError. `shift` is how far the statement was moved."""
        self._refuse_connection()
        try:
            with self._run(sql) as result:
                yield result
        except DatabaseTrouble as trouble:
            offset = None if trouble.offset is None else max(trouble.offset - shift, 0)
            message = f"the database {self._access.name}: {trouble.message}"
            raise SourceError(
                self._place.problem(trouble.code, message, offset=offset, hint=trouble.hint)
            ) from trouble.__cause__

    def _run(self, sql: str) -> AbstractContextManager[Result]:
        place = self._access.place()
        if isinstance(place, Path):
            from syncengine.changeset.sqlite_rows import run_on_sqlite

            return run_on_sqlite(place, sql)
        from syncengine.changeset.postgres_rows import run_on_postgres

        return run_on_postgres(place, sql)

    def _refuse_connection(self) -> None:
        access = self._access
        if not access.connects:
            return
        match access.reach:
            case "connect":
                return
            case "offline":
                message = f"{self.label} reads the database {access.name}, and no connection is opened offline"
                hint = (
                    "plan without --offline, and with --config where the configuration was found through a path only; "
                    "or export the rows to a CSV file"
                )
                raise SourceError(self._place.problem("SE325", message, hint=hint))
            case "check":
                message = f"the rows of {self.label} are not checked: that takes a connection to {access.name}"
                hint = "plan reads and checks them"
                raise SourceError(self._place.problem("SE325", message, hint=hint, severity="warning"))
            case _:
                assert_never(access.reach)


class _HashedRows:
    """Hashes rows as they pass: one line of JSON for the columns and for each row, independent of batch size."""

    def __init__(self, result: Result) -> None:
        self._result = result
        self._encode = msgspec.json.Encoder().encode_lines
        self._hash = hashlib.sha256(self._encode([result.names]))

    def batches(self) -> Iterator[Sequence[Sequence[str | None]]]:
        """The result's batches."""
        for batch in self._result.batches():
            self._hash.update(self._encode(batch))
            yield batch

    def digest(self) -> str:
        """Digest of the rows that have passed so far."""
        return self._hash.hexdigest()
