"""What a source of rows promises.

A source gives rows of text in a stable order, one at a time, never the whole file; the SHA-256 of the bytes is known
once they were read to the end. Opening it again gives the same rows, or the finding that the file changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from syncengine.core.errors import Problem

Row = dict[str, str]
"""One row's values by column. A column that the row lacks (a JSON null, say) is left out: templates must default it.

Typed sources put an Inexact or Unusable (see cells.py) where a value has no text; it is refused where it is used.
"""

Report = Callable[[Problem], None]


class SourceError(Exception):
    """The source cannot be read any further; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Source(Protocol):
    """Rows for `for_each`."""

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

    def rows(self, report: Report) -> Iterator[tuple[int, Row]]:
        """Row number (from 1, header excluded) and row. A bad row is reported and left out; raises SourceError."""
        ...


class SourceOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a changeset says about a file of rows. `label` is relative to the repository, `path` is resolved."""

    label: str
    path: str
    delimiter: str = ","
    quote: str | None = '"'
    """None: no character quotes."""
    encoding: str = "utf-8"
