"""Properties of a sheet's cells other than their values, which value readers omit."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from syncengine.tables.package import Unsafe
from syncengine.tables.spreadsheet_cells import Cell

MOST_ROWS = 1 << 20
MOST_CELLS = 12_000_000
"""Maximum cells of the smallest rectangle that holds every value: readers allocate all of them."""
_MOST_ODD = 2_000_000
_LISTED = 5


class Area(msgspec.Struct):
    """The rectangle of the non-empty cells. Rows and columns count from 0."""

    top: int = MOST_ROWS
    left: int = 1 << 14
    bottom: int = -1
    right: int = -1

    def add(self, row: int, column: int, row_end: int, column_end: int) -> None:
        """Add cells from `row` and `column` to the given ends, inclusive."""
        self.top, self.left = min(self.top, row), min(self.left, column)
        self.bottom, self.right = max(self.bottom, row_end), max(self.right, column_end)

    def check(self) -> None:
        """Raises Unsafe where a reader would allocate too many cells."""
        # Counted from the first row, since readers return every row from there.
        cells = (self.bottom + 1) * (self.right - self.left + 1)
        if cells > MOST_CELLS:
            raise Unsafe(f"a sheet reaches over {cells:,} cells, more than {MOST_CELLS:,}: save it as CSV")


class Marks(msgspec.Struct):
    """Rows and columns count from 0. `odd` maps cells (row, column) to replacements for their values."""

    area: Area = msgspec.field(default_factory=Area)
    odd: dict[int, dict[int, Cell]] = {}
    odd_count: int = 0
    hidden_rows: list[int] = []
    hidden_row_count: int = 0
    hidden_columns: set[int] = set()
    """Hidden columns that hold values."""

    def mark(self, row: int, column: int, cell: Cell) -> None:
        """Record a cell's replacement."""
        self.odd_count += 1
        if self.odd_count > _MOST_ODD:
            raise Unsafe(f"a sheet has more than {_MOST_ODD:,} cells with errors or merged with others")
        self.odd.setdefault(row, {})[column] = cell

    def hide_row(self, row: int) -> None:
        """Record a hidden row that holds a value."""
        if self.hidden_rows and self.hidden_rows[-1] == row:
            return
        self.hidden_row_count += 1
        if len(self.hidden_rows) < _LISTED:
            self.hidden_rows.append(row)
        else:
            self.hidden_rows[-1] = row

    def hidden_in_words(self) -> str:
        """The hidden parts, for a message; "" where there are none."""
        parts = []
        if self.hidden_row_count:
            first = ", ".join(str(row + 1) for row in self.hidden_rows[: _LISTED - 1])
            more = ", ..." if self.hidden_row_count >= _LISTED else ""
            parts.append(f"{self.hidden_row_count:,} hidden row{_s(self.hidden_row_count)} with values ({first}{more})")
        if self.hidden_columns:
            count = len(self.hidden_columns)
            names = ", ".join(column_name(column) for column in sorted(self.hidden_columns)[:_LISTED])
            more = ", ..." if count > _LISTED else ""
            parts.append(f"{count:,} hidden column{_s(count)} with values ({names}{more})")
        return " and ".join(parts)


def column_name(column: int) -> str:
    """A column's name in spreadsheets: A, B, ..., Z, AA."""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def in_any(ranges: Iterable[tuple[int, int]], position: int) -> bool:
    """Whether a position is in one of these ranges, ends included."""
    return any(first <= position <= last for first, last in ranges)


def _s(count: int) -> str:
    return "" if count == 1 else "s"
