"""What a source of rows promises.

A source gives rows of text in a stable order, one at a time; the SHA-256 of the bytes is known once they were read to
the end. Opening it again gives the same rows, or the finding that the file changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import msgspec

from syncengine.core.errors import Problem

Row = dict[str, str]
"""One row's values by column, in the order of the columns: for text files, the cells as they stand there.

A column that the row lacks (a JSON null, say) is left out: templates must default it. Typed sources put an Inexact or
Unusable (see cells.py) where a value has no text that can be trusted; it is refused where it is used.
"""

NumberedRow = tuple[int, int, Row]
"""Row number from 1, header excluded; the line of the file that the row begins in, or the row of its sheet (0 where
rows have no such place); and the row."""

Report = Callable[[Problem], None]


class SourceError(Exception):
    """The source cannot be read any further; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Source(Protocol):
    """Rows for `for_each`, for `import`, for an export of leads."""

    @property
    def label(self) -> str:
        """How messages name it: the file relative to the repository, or the name of an inline list."""
        ...

    @property
    def digest(self) -> str | None:
        """SHA-256 (hex) of the bytes; None before they were read to the end, and for rows written in the changeset."""
        ...

    def columns(self) -> tuple[str, ...] | None:
        """Every column there can be; None where only the rows tell. Raises SourceError."""
        ...

    def rows(self, report: Report) -> Iterator[NumberedRow]:
        """The rows in order. A bad one is reported and left out; raises SourceError."""
        ...

    def place(self, line: int) -> str:
        """The place of a row in words: "line 7"; "row 7 of sheet 'Calls'"; "" where rows have none."""
        ...


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about a file of rows. `label` is how messages name it, `path` is resolved.

    `delimiter`: None where nothing was said, so that the file may say it. `encoding`: "" where none can be said, and
    a byte order mark decides. `quote`: None where no character quotes. `sheet`: None for the only one.
    """

    label: str
    path: str
    delimiter: str | None = None
    quote: str | None = '"'
    encoding: str = "utf-8"
    sheet: str | None = None
    include_hidden: bool = False
    said_in: Literal["changeset", "command", "nowhere"] = "changeset"
    """Where options are written, for hints: under `sources`, as `--delimiter` and the like, or they cannot be."""

    def remedy(self, option: str, value: str, otherwise: str) -> str:
        """How to write an option, or what to do where there is none."""
        match self.said_in:
            case "changeset":
                return f"sources: {{NAME: {{file: ..., {option}: {value}}}}}"
            case "command":
                return f"--{option} {value}"
            case "nowhere":
                return otherwise

    def problem(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> Problem:
        """A finding in this file."""
        column = 1 if line else 0
        message = f"{self.label}: {message}"
        return Problem(code=code, message=message, file=self.label, line=line, column=column, row=row, hint=hint)

    def failure(self, code: str, message: str, *, line: int = 0, row: int | None = None, hint: str = "") -> SourceError:
        """The end of reading this file."""
        return SourceError(self.problem(code, message, line=line, row=row, hint=hint))
