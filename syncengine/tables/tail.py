"""Detects the end of a table: the empty rows and columns that spreadsheets append."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

import msgspec

from syncengine.tables.sources import Report, SourceOptions
from syncengine.tables.spreadsheet_cells import Cell, is_empty


class _Placed(Protocol):
    def place(self, line: int) -> str: ...


class Tail:
    """Buffers empty rows until it is known whether data follows: then they are an error, otherwise they are ignored.

    `spare` columns at the right have no name: they are ignored where all their cells are empty.
    """

    def __init__(self, source: _Placed, options: SourceOptions, report: Report, *, named: int, spare: int) -> None:
        self._source = source
        self._options = options
        self._report = report
        self._named = named
        self._spare = spare
        self._spare_used = False
        self.held = array("Q")
        """Lines of empty rows that no data has followed yet."""

    def blank(self, line: int) -> None:
        """Add a row of empty cells."""
        self.held.append(line)

    def closed(self, number: int) -> int:
        """Call at a row with data: returns the number of the row before it. Reports buffered empty rows."""
        if not self.held:
            return number
        for line in self.held:
            number += 1
            self._report(
                self._options.problem(
                    "SE341",
                    f"row {number} ({self._source.place(line)}) is empty, and there are rows below it",
                    line=line,
                    row=number,
                    hint="delete the empty row; what is below it may be another table",
                )
            )
        del self.held[:]
        return number

    def fits(self, cells: Sequence[Cell], number: int, line: int) -> bool:
        """Whether a row is as wide as the header. Reports a row that is not."""
        found, width = len(cells), self._named + self._spare
        if found == width or (self._spare and self._named <= found <= width):
            return self._nameless_are_empty(cells, number, line)
        hint = (
            "quote cells that hold the delimiter" if found > width else "is a cell missing, or the delimiter another?"
        )
        cells_in_words = f"{found} {'cell' if found == 1 else 'cells'}"
        where = f"row {number} ({self._source.place(line)})"
        message = f"{where} has {cells_in_words}, the header has {self._named}"
        self._report(self._options.problem("SE313", message, line=line, row=number, hint=hint))
        return False

    def _nameless_are_empty(self, cells: Sequence[Cell], number: int, line: int) -> bool:
        if not self._spare:
            return True
        for position, cell in enumerate(cells[self._named :], self._named + 1):
            if not is_empty(cell):
                where = f"row {number} ({self._source.place(line)})"
                message = f"{where} has a value in column {position}, which has no name"
                hint = "give the column a name in the header, or clear it"
                self._report(self._options.problem("SE342", message, line=line, row=number, hint=hint))
                self._spare_used = True
                return False
        return True

    def end(self) -> None:
        """Call at the end of the table: notes what was ignored."""
        if self._spare and not self._spare_used:
            columns = "column" if self._spare == 1 else f"{self._spare} columns"
            self._note(f"the last {columns} of the table, without a name and empty, {_was(self._spare)} ignored")
        if self.held:
            count, first = len(self.held), self.held[0]
            rows = "1 empty row" if count == 1 else f"{count:,} empty rows"
            where = f"{self._source.place(first)}" if count == 1 else f"from {self._source.place(first)}"
            self._note(f"{rows} at the end ({where}) {_was(count)} ignored", line=first)

    def _note(self, message: str, line: int = 0) -> None:
        self._report(msgspec.structs.replace(self._options.problem("SE340", message, line=line), severity="note"))


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
