"""Reads from an ODS file what the value reader omits: hidden rows and columns, error cells, formulas without a result,
merged cells, and times."""

from __future__ import annotations

import re
from xml.parsers import expat

from syncengine.tables.package import Package, Unsafe
from syncengine.tables.sheet_marks import Area, Marks, in_any
from syncengine.tables.spreadsheet_cells import Cell, error_cell, merged_cell, uncomputed_cell

_CONTENT = "content.xml"
_HIDDEN = frozenset({"collapse", "filter"})
_MOST = 1 << 21
_TIME = re.compile(r"(-?)PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:[.,]([0-9]+))?S)?", re.ASCII)
_Attributes = dict[str, str]


def ods_marks(package: Package, sheet: str) -> Marks:
    """The marks of one sheet. Checks the sizes of all sheets, since the value reader reads all. Raises Unsafe."""
    reading = _Content(sheet)
    package.parse(_CONTENT, reading.set_up)
    return reading.marks


class _Content:
    def __init__(self, sheet: str) -> None:
        self.marks = Marks()
        self._sheet = sheet
        self._wanted = False
        self._area = Area()
        self._row = self._next_row = self._rows = 0
        self._column = 0
        self._row_hidden = False
        self._hidden_columns: list[tuple[int, int]] = []
        self._columns = 0
        self._error: tuple[int, int, int] | None = None
        """Row, column and number of repetitions of an error cell whose text is being read."""
        self._text: list[str] = []

    def set_up(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def _start(self, name: str, attributes: _Attributes) -> None:
        match name:
            case "table:table-cell" | "table:covered-table-cell":
                self._cell(attributes, covered=name == "table:covered-table-cell")
            case "table:table-row":
                self._begin_row(attributes)
            case "table:table-column":
                count = _repeated(attributes, "table:number-columns-repeated")
                if attributes.get("table:visibility") in _HIDDEN:
                    self._hidden_columns.append((self._columns, self._columns + count - 1))
                self._columns += count
            case "table:table":
                self._wanted = attributes.get("table:name") == self._sheet
                self._area = self.marks.area if self._wanted else Area()
                self._next_row = self._columns = 0
                self._hidden_columns = []

    def _end(self, name: str) -> None:
        if name == "table:table":
            self._area.check()
        elif name == "table:table-cell" and self._error is not None:
            self._parser.CharacterDataHandler = None
            row, column, count = self._error
            self._mark(row, column, count, error_cell("".join(self._text)))
            self._error = None
            self._text.clear()

    def _begin_row(self, attributes: _Attributes) -> None:
        self._row = self._next_row
        self._rows = _repeated(attributes, "table:number-rows-repeated")
        self._next_row += self._rows
        self._column = 0
        self._row_hidden = attributes.get("table:visibility") in _HIDDEN

    def _cell(self, attributes: _Attributes, *, covered: bool) -> None:
        count = _repeated(attributes, "table:number-columns-repeated")
        column = self._column
        self._column += count
        kind = attributes.get("office:value-type", "")
        formula = "table:formula" in attributes
        if covered:
            if self._wanted:
                self._cover(column, count)
        elif kind or formula:
            self._area.add(self._row, column, self._row + self._rows - 1, column + count - 1)
            self._area.check()
            if self._wanted:
                self._valued(attributes, column, count)

    def _valued(self, attributes: _Attributes, column: int, count: int) -> None:
        if self._row_hidden:
            for row in range(self._row, self._row + self._rows):
                self.marks.hide_row(row)
        for position in range(column, column + count):
            if in_any(self._hidden_columns, position):
                self.marks.hidden_columns.add(position)
        kind = attributes.get("office:value-type")
        if attributes.get("calcext:value-type") == "error":
            self._error = (self._row, column, count)
            self._parser.CharacterDataHandler = self._text.append
        elif kind is None:
            self._mark(self._row, column, count, uncomputed_cell())
        elif kind == "time":
            self._mark(self._row, column, count, _time(attributes.get("office:time-value", "")))

    def _cover(self, column: int, count: int) -> None:
        """Mark covered cells, inside the table only: a title may be merged across the whole width of a sheet."""
        last = min(column + count, max(self._area.right + 1, column))
        self._mark(self._row, column, last - column, merged_cell())

    def _mark(self, row: int, column: int, count: int, cell: Cell) -> None:
        for below in range(row, row + self._rows):
            for right in range(column, column + count):
                self.marks.mark(below, right, cell)


def _repeated(attributes: _Attributes, name: str) -> int:
    text = attributes.get(name, "1")
    if not text.isdecimal() or not 0 < int(text[:9]) <= _MOST:
        raise Unsafe(f"{name} is {text[:20]!r}")
    return int(text[:9])


def _time(text: str) -> Cell:
    match = _TIME.fullmatch(text)
    if match is None:
        return text
    sign, hours, minutes, seconds, fraction = match.groups(default="")
    said = f"{sign}{int(hours or 0):02}:{int(minutes or 0):02}:{int(seconds or 0):02}"
    fraction = fraction.rstrip("0")
    return f"{said}.{fraction}" if fraction else said
