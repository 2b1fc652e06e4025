"""The interface of row sources.

A source returns rows of text in a stable order, one at a time. The SHA-256 of the bytes is known once they were read to
the end. Opening it again returns the same rows, or a problem that says the file changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec

from syncengine.core.errors import Problem

Row = dict[str, str]
"""One row's values by column, in column order; for text files, the cells unchanged.

A column that the row lacks (a JSON null, say) is left out, and templates must default it. Typed sources store an
Inexact or Unusable (see cells.py) where a value has no reliable text; using it is an error.
"""

NumberedRow = tuple[int, int, Row]
"""Row number from 1, header excluded; the line of the file where the row begins, or the row of its sheet (0 where rows
have neither); and the row."""

Report = Callable[[Problem], None]


class SourceError(Exception):
    """The source cannot be read any further; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Source(Protocol):
    """Rows for `for_each`, for `import`, or for an export of leads."""

    @property
    def label(self) -> str:
        """Name in messages: the file relative to the repository, or the name of an inline list."""
        ...

    @property
    def digest(self) -> str | None:
        """SHA-256 (hex) of the bytes; None before they were read to the end, and for rows written in the changeset."""
        ...

    def columns(self) -> tuple[str, ...] | None:
        """All possible columns; None where only the rows know them. Raises SourceError."""
        ...

    def rows(self, report: Report) -> Iterator[NumberedRow]:
        """The rows in order. An invalid one is reported and left out. Raises SourceError."""
        ...

    def place(self, line: int) -> str:
        """Position of a row for messages: "line 7"; "row 7 of sheet 'Calls'"; "" where rows have none."""
        ...


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of a file of rows. `label` is its name in messages, `path` is resolved.

    `delimiter`: None where it was not given, so that the file may define it. `encoding`: "" where none can be given,
    and a byte order mark decides. `quote`: None where no character quotes. `sheet`: None for the only one.
    """

    label: str
    path: str
    delimiter: str | None = None
    quote: str | None = '"'
    encoding: str = "utf-8"
    sheet: str | None = None
    include_hidden: bool = False
    said_in: Literal["changeset", "command", "nowhere"] = "changeset"
    """Where the user writes options, for hints: under `sources`, as `--delimiter` and the like, or nowhere."""

    def remedy(self, option: str, value: str, otherwise: str) -> str:
        """Hint that shows how to write an option, or what to do where the option is not available."""
        match self.said_in:
            case "changeset":
                return f"sources: {{NAME: {{file: ..., {option}: {value}}}}}"
            case "command":
                return f"--{option} {value}"
            case "nowhere":
                return otherwise

    def problem(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> Problem:
        """A problem in this file."""
        column = 1 if line else 0
        message = f"{self.label}: {message}"
        return Problem(code=code, message=message, file=self.label, line=line, column=column, row=row, hint=hint)

    def failure(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> SourceError:
        """The error that ends reading this file."""
        return SourceError(self.problem(code, message, line=line, row=row, hint=hint))
