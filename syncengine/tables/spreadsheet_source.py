"""Rows from a sheet of an XLSX or ODS file.

python-calamine reads the values. It does not report hidden rows and columns, and returns error cells and merged cells
as empty texts. The sheet's XML is therefore read first, and its marks take precedence over the values.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import msgspec

from syncengine.documents.did_you_mean import did_you_mean
from syncengine.tables.header import named_header
from syncengine.tables.ods_marks import ods_marks
from syncengine.tables.package import Package, Unsafe, damaged, open_package
from syncengine.tables.sheet_marks import Marks
from syncengine.tables.sources import NumberedRow, Report, Row, SourceError, SourceOptions
from syncengine.tables.spreadsheet_cells import Cell, are_empty, text_of
from syncengine.tables.tail import Tail
from syncengine.tables.xlsx_marks import xlsx_marks

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_SHOWN = 20


class _Opened(msgspec.Struct):
    """A sheet after its header. `lines` yields the rows below it with their numbers in the sheet."""

    header: tuple[str, ...]
    width: int
    lines: Iterator[tuple[int, list[Cell]]]
    digest: str


class SpreadsheetSource:
    """One sheet of a file. Its first row that is not empty names the columns."""

    def __init__(self, options: SourceOptions) -> None:
        self._options = options
        self._sheet = options.sheet or ""
        self._columns: tuple[str, ...] | None = None
        self._waiting: _Opened | None = None
        """The opened sheet, from reading the columns until the rows are read: opening a spreadsheet twice would double
        the cost."""
        self._digest: str | None = None

    @property
    def label(self) -> str:
        """How messages name the file."""
        return self._options.label

    @property
    def digest(self) -> str | None:
        """SHA-256 of the bytes once the rows were read to the end."""
        return self._digest

    def place(self, line: int) -> str:
        """The row of the sheet, for messages."""
        return f"row {line} of sheet {self._sheet!r}"

    def columns(self) -> tuple[str, ...]:
        """The header. Raises SourceError."""
        if self._columns is None:
            self._waiting = self._open()
            self._columns = self._waiting.header
        return self._columns

    def rows(self, report: Report) -> Iterator[NumberedRow]:
        """The rows, with the row numbers of the spreadsheet."""
        opened, self._waiting = self._waiting or self._open(), None
        if self._digest not in (None, opened.digest):
            raise self._options.failure("SE319", "the file changed while it was being read", hint="start again")
        header = opened.header
        tail = Tail(self, self._options, report, named=len(header), spare=opened.width - len(header))
        number = 0
        for line, cells in opened.lines:
            if are_empty(cells):
                tail.blank(line)
                continue
            number = tail.closed(number) + 1
            if tail.fits(cells, number, line):
                # Values that are not text are refused where they are used.
                yield number, line, cast("Row", dict(zip(header, cells, strict=False)))
        tail.end()
        self._digest = opened.digest

    def _open(self) -> _Opened:
        package = open_package(self._options)
        try:
            workbook = self._workbook(package)
            self._sheet = self._chosen(workbook)
            marks = xlsx_marks(package, self._sheet) if _is_xlsx(package) else ods_marks(package, self._sheet)
            self._refuse_hidden(marks)
            with _damage_named():
                sheet = workbook.get_sheet_by_name(self._sheet)
            lines = _lines(sheet, marks)
        except Unsafe as error:
            raise damaged(self._options, error) from error
        for line, cells in lines:
            if not are_empty(cells):
                return self._behind_header(line, cells, lines, package.digest)
        raise self._options.failure(
            "SE312", f"sheet {self._sheet!r} is empty", hint="its first row must name the columns: lead_id, postcode"
        )

    def _workbook(self, package: Package) -> CalamineWorkbook:
        try:
            import python_calamine
        except ImportError as error:
            hint = "install it: pip install 'leadbyte-syncengine[sources]'; or save the sheet as CSV"
            raise self._options.failure("SE326", "spreadsheets need the extra [sources]", hint=hint) from error
        if not _is_xlsx(package):
            if "content.xml" not in package:
                raise Unsafe("it is a zip archive, and no XLSX or ODS file")
            ods_marks(package, "")  # the reader reads every sheet at once: their sizes come first
        with _damage_named():
            return python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(package.data))

    def _chosen(self, workbook: CalamineWorkbook) -> str:
        """The selected sheet. Raises SourceError."""
        from python_calamine import SheetTypeEnum, SheetVisibleEnum

        sheets = {sheet.name: sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet}
        wanted = self._options.sheet
        if wanted is None and len(sheets) == 1:
            wanted = next(iter(sheets))
        found = sheets.get(wanted or "")
        if found is None:
            raise self._no_sheet(list(sheets))
        if found.visible != SheetVisibleEnum.Visible and not self._options.include_hidden:
            raise self._hidden(f"sheet {found.name!r} is hidden")
        return str(found.name)

    def _no_sheet(self, names: list[str]) -> SourceError:
        if not names:
            return self._options.failure("SE344", "it has no sheet of cells", hint="add one, with the columns' names")
        listed = ", ".join(repr(name) for name in names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        wanted = self._options.sheet
        if wanted is None:
            remedy = self._options.remedy("sheet", repr(names[0]), "save the sheet as CSV")
            message = f"it has {len(names)} sheets, and none is chosen: {listed}"
            return self._options.failure("SE344", message, hint=f"choose one: {remedy}")
        hint = did_you_mean(wanted, names) or "write its name as the spreadsheet shows it"
        return self._options.failure("SE344", f"it has no sheet {wanted!r}; it has {listed}", hint=hint)

    def _refuse_hidden(self, marks: Marks) -> None:
        words = marks.hidden_in_words()
        if words and not self._options.include_hidden:
            raise self._hidden(f"sheet {self._sheet!r} has {words}")

    def _hidden(self, message: str) -> SourceError:
        hint = "show them, or delete what is not meant, and save the file"
        if self._options.said_in == "changeset":
            hint += f"; to take what is hidden too: {self._options.remedy('hidden', 'include', '')}"
        return self._options.failure("SE343", message, hint=hint)

    def _behind_header(
        self, line: int, cells: list[Cell], lines: Iterator[tuple[int, list[Cell]]], digest: str
    ) -> _Opened:
        for position, cell in enumerate(cells, 1):
            if cell.__class__ is not str:
                message = f"column {position} of the header (row {line} of sheet {self._sheet!r}) is {cell.kind}"  # type: ignore[union-attr]  # no text
                raise self._options.failure("SE312", message, line=line, hint="give the column a name")
        return _Opened(named_header(cast("list[str]", cells), self._options, line), len(cells), lines, digest)


@contextmanager
def _damage_named() -> Iterator[None]:
    """Converts the reader's errors to Unsafe, its panics included, which are not Exceptions."""
    try:
        yield
    except BaseException as error:
        if type(error).__module__ in ("python_calamine", "pyo3_runtime"):
            raise Unsafe(str(error)) from error
        raise


def _is_xlsx(package: Package) -> bool:
    return "xl/workbook.xml" in package


def _lines(sheet: CalamineSheet, marks: Marks) -> Iterator[tuple[int, list[Cell]]]:
    """Every row of the sheet from the first, with its number; cells from the first column on."""
    before: list[Cell] = [""] * (sheet.start[1] if sheet.start is not None else 0)
    odd = marks.odd
    for row, values in enumerate(sheet.iter_rows()):
        cells = before + [value if value.__class__ is str else text_of(value) for value in values]
        if row in odd:
            for column, cell in odd[row].items():
                if column < len(cells):
                    cells[column] = cell
        yield row + 1, cells
