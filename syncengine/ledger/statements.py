"""Named SQL statements, stored in files: one set for both databases, and overrides where they differ.

A file holds blocks that begin with `-- name: NAME`. Parameters are written `:name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import Any, Literal

import msgspec

Dialect = Literal["sqlite", "postgres"]

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
_ROW_KEY = {"sqlite": "INTEGER PRIMARY KEY", "postgres": "BIGINT PRIMARY KEY"}
_MARK = {"sqlite": "?", "postgres": "%s"}
_ONE_ROW = re.compile(r"\bVALUES (\([?%s, ]+\))")

_TOGETHER = 50
"""Rows per multi-row INSERT: ten columns of so many stay below the parameter limit of any SQLite."""

_FEW = 10


class LedgerStatement(msgspec.Struct, frozen=True):
    """SQL in the driver's own form, and the order of its parameters."""

    sql: str
    parameters: tuple[str, ...]


def sql_text(name: str) -> str:
    """A file of the sql folder."""
    return files(__package__).joinpath("sql", *name.split("/")).read_text(encoding="utf-8")


def names_in(file: str) -> list[str]:
    """Names of the statements in one file, in order."""
    return _NAME.findall(sql_text(file))


@cache
def statements(dialect: Dialect) -> dict[str, LedgerStatement]:
    """All statements for one database: the shared ones, overridden by its own."""
    found = {**_read("shared.sql", dialect), **_read(f"{dialect}.sql", dialect)}
    return {**found, **_read("leases.sql", dialect)} if dialect == "postgres" else found


def _read(file: str, dialect: Dialect) -> dict[str, LedgerStatement]:
    pieces = _NAME.split(sql_text(file))[1:]
    return {name: _statement(text, dialect) for name, text in zip(pieces[::2], pieces[1::2], strict=True)}


def _statement(text: str, dialect: Dialect) -> LedgerStatement:
    plain = _COMMENT.sub("", text).strip().rstrip(";")
    parameters = tuple(_PARAMETER.findall(plain))
    escaped = plain.replace("%", "%%") if dialect == "postgres" else plain
    return LedgerStatement(_PARAMETER.sub(_MARK[dialect], escaped), parameters)


def in_batches(statement: LedgerStatement, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, Sequence[Any]]]:
    """A statement per row, rewritten as few multi-row statements where it is an INSERT."""
    values = _ONE_ROW.search(statement.sql)
    if values is None:
        yield from ((statement.sql, row) for row in rows)
        return
    start = 0
    while start < len(rows):
        left = len(rows) - start
        # Few distinct numbers of rows, so that the driver can keep each statement prepared.
        size = _TOGETHER if left >= _TOGETHER else _FEW if left >= _FEW else left
        head, tail = statement.sql[: values.end()], statement.sql[values.end() :]
        yield head + f", {values[1]}" * (size - 1) + tail, list(chain.from_iterable(rows[start : start + size]))
        start += size


def script(text: str, dialect: Dialect) -> list[str]:
    """The single statements of a schema or migration, with the types of the dialect. No statement may hold a semicolon.

    A statement that begins with SQLITE or POSTGRES is for that database alone. A COUNTER is a sequence on PostgreSQL.
    """
    plain = _COMMENT.sub("", text).replace("ROWKEY", _ROW_KEY[dialect])
    plain = plain.replace("COUNTER ", "POSTGRES CREATE SEQUENCE ")
    found = [statement.strip() for statement in plain.split(";") if statement.strip()]
    own, other = ("SQLITE ", "POSTGRES ") if dialect == "sqlite" else ("POSTGRES ", "SQLITE ")
    return [statement.removeprefix(own) for statement in found if not statement.startswith(other)]
