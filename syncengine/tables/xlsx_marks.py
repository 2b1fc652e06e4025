"""Reads from the XML of an XLSX sheet what the value reader omits: hidden rows and columns, error cells, formulas
without a result, merged cells."""

from __future__ import annotations

import posixpath
import re
from xml.parsers import expat

from syncengine.tables.package import Package, Unsafe
from syncengine.tables.sheet_marks import MOST_ROWS, Marks, in_any
from syncengine.tables.spreadsheet_cells import error_cell, merged_cell, uncomputed_cell

_MOST_COLUMNS = 1 << 14
_WORKBOOK = "xl/workbook.xml"
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})", re.ASCII)
_Attributes = dict[str, str]


def xlsx_marks(package: Package, sheet: str) -> Marks:
    """The marks of one sheet. Raises Unsafe."""
    workbook = _Workbook()
    package.parse(_WORKBOOK, workbook.set_up)
    targets = _Relations()
    package.parse("xl/_rels/workbook.xml.rels", targets.set_up)
    target = targets.of.get(workbook.sheets.get(sheet, ""))
    if target is None:
        raise Unsafe(f"the part of sheet {sheet!r} is not named")
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    reading = _Sheet(stale=workbook.stale)
    package.parse(path, reading.set_up)
    return reading.finished()


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Workbook:
    """Sheets and the ids of their parts; `stale` where formulas must be recalculated on opening."""

    def __init__(self) -> None:
        self.sheets: dict[str, str] = {}
        self.stale = False

    def set_up(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: _Attributes) -> None:
        match _local(name):
            case "sheet":
                ids = [value for key, value in attributes.items() if _local(key) == "id" and ":" in key]
                self.sheets[attributes.get("name", "")] = ids[0] if ids else ""
            case "calcPr":
                self.stale = attributes.get("fullCalcOnLoad") in ("1", "true")


class _Relations:
    """Targets by id."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def set_up(self, parser: expat.XMLParserType) -> None:
        parser.StartElementHandler = self._start

    def _start(self, name: str, attributes: _Attributes) -> None:
        if _local(name) == "Relationship" and "Target" in attributes:
            self.of[attributes.get("Id", "")] = attributes["Target"]


class _Sheet:
    """One pass over a sheet. A cell is judged when the element that ends it begins."""

    def __init__(self, *, stale: bool) -> None:
        self._stale = stale
        self._marks = Marks()
        self._columns: dict[str, int] = {}
        self._hidden_columns: list[tuple[int, int]] = []
        self._merged: list[tuple[int, int, int, int]] = []
        self._row = self._column = -1
        self._row_hidden = False
        self._in_cell = self._valued = self._formula = False
        self._type = ""
        self._text: list[str] = []

    def set_up(self, parser: expat.XMLParserType) -> None:
        self._parser = parser
        parser.StartElementHandler = self._root

    def _root(self, name: str, _: _Attributes) -> None:
        """Use the first element to see whether the names of all others have a prefix."""
        prefix = name.removesuffix("worksheet")
        if prefix:
            self._parser.StartElementHandler = lambda name, found: self._start(name.removeprefix(prefix), found)
        else:
            self._parser.StartElementHandler = self._start

    def finished(self) -> Marks:
        """All marks."""
        self._end_cell()
        self._marks.area.check()
        area = self._marks.area
        for top, left, bottom, right in self._merged:
            for row in range(top, min(bottom, area.bottom) + 1):
                for column in range(left, min(right, area.right) + 1):
                    if (row, column) != (top, left):
                        self._marks.mark(row, column, merged_cell())
        return self._marks

    def _start(self, name: str, attributes: _Attributes) -> None:
        self._parser.CharacterDataHandler = None
        match name:
            case "c":
                self._end_cell()
                self._begin_cell(attributes)
            case "v":
                self._valued = True
                if self._formula or self._type == "e":
                    self._parser.CharacterDataHandler = self._text.append
            case "f":
                self._formula = True
            case "is":
                self._valued = True
            case "row":
                self._end_cell()
                self._begin_row(attributes)
            case "col":
                self._add_columns(attributes)
            case "mergeCell":
                self._end_cell()
                self._add_merged(attributes.get("ref", ""))

    def _begin_row(self, attributes: _Attributes) -> None:
        given = attributes.get("r")
        self._row = self._row + 1 if given is None else int(given) - 1
        if not 0 <= self._row < MOST_ROWS:
            raise Unsafe(f"a row has the number {given}")
        self._column = -1
        height = attributes.get("ht")
        self._row_hidden = _is_set(attributes, "hidden") or (height is not None and float(height) == 0)

    def _begin_cell(self, attributes: _Attributes) -> None:
        self._in_cell = True
        self._valued = self._formula = False
        self._type = attributes.get("t", "")
        given = attributes.get("r")
        self._column = self._column + 1 if given is None else self._column_of(given)

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        known = self._columns.get(letters)
        if known is None:
            known = self._columns[letters] = _column(letters)
        return known

    def _end_cell(self) -> None:
        if not self._in_cell:
            return
        self._in_cell = False
        if not self._valued and not self._formula:
            return
        row, column, marks = self._row, self._column, self._marks
        marks.area.add(row, column, row, column)
        if self._row_hidden:
            marks.hide_row(row)
        if self._hidden_columns:
            self._mark_hidden(column)
        if self._type == "e":
            marks.mark(row, column, error_cell("".join(self._text)))
        elif self._formula and self._is_uncomputed():
            marks.mark(row, column, uncomputed_cell())
        self._text.clear()

    def _mark_hidden(self, column: int) -> None:
        if in_any(self._hidden_columns, column):
            self._marks.hidden_columns.add(column)

    def _is_uncomputed(self) -> bool:
        """Whether the program that wrote the file left the formula's value out, or out of date."""
        return self._stale or (self._type != "str" and not "".join(self._text).strip())

    def _add_columns(self, attributes: _Attributes) -> None:
        width = attributes.get("width")
        if _is_set(attributes, "hidden") or (width is not None and float(width) == 0):
            first = int(attributes["min"]) - 1
            self._hidden_columns.append((first, int(attributes.get("max", first + 1)) - 1))

    def _add_merged(self, reference: str) -> None:
        first, _, last = reference.partition(":")
        (top, left), (bottom, right) = _position(first), _position(last or first)
        self._merged.append((top, left, bottom, right))


def _is_set(attributes: _Attributes, name: str) -> bool:
    return attributes.get(name) in ("1", "true", "on")


def _position(reference: str) -> tuple[int, int]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise Unsafe(f"{reference[:20]!r} is no cell")
    return int(match[2]) - 1, _column(match[1])


def _column(letters: str) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - ord("A") + 1
    if not 0 < number <= _MOST_COLUMNS:
        raise Unsafe(f"{letters[:10]!r} is no column")
    return number - 1
