"""Rows from a CSV file, by the standard library's reader."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.text import is_blank
from syncengine.tables.csv_dialect import CsvDialect
from syncengine.tables.header import named_header
from syncengine.tables.sources import NumberedRow, Report, SourceError, SourceOptions
from syncengine.tables.tail import Tail
from syncengine.tables.text_file import OpenText, TextFile

if TYPE_CHECKING:
    from _csv import Reader

_SEP_LINE = re.compile(
    r'(?:"sep=(?P<quoted>[^\r\n"]*)"(?P<more>[^\r\n]*)|sep=(?P<plain>[^\r\n]*))[\r\n]*', re.IGNORECASE
)
_DELIMITERS = (";", "\t", "|", ",")


class _Table(msgspec.Struct):
    """An open table after its header. `skipped` is the number of lines before those that the reader counts."""

    reader: Reader
    header: tuple[str, ...]
    spare: int
    skipped: int


class CsvSource:
    """A file whose first line names the columns. Blank lines are skipped; every other row must have the header's
    width."""

    def __init__(self, options: SourceOptions) -> None:
        self._file = TextFile(options)
        self._options = options
        self._columns: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """How messages name the file."""
        return self._options.label

    @property
    def digest(self) -> str | None:
        """SHA-256 once it was read to the end."""
        return self._file.digest

    def columns(self) -> tuple[str, ...]:
        """The header. Raises SourceError."""
        if self._columns is None:
            with self._file.open(newline="") as text:
                self._columns = self._table(text).header
        return self._columns

    def dialect(self) -> CsvDialect:
        """Format of the file. Raises SourceError."""
        with self._file.open(newline="") as text:
            said = _SEP_LINE.fullmatch(text.first)
            delimiter = self._delimiter(None if said is None else _named_in(said), text.first)
            header = text.first if said is None else next(text.after_first, "")
            return CsvDialect.of_lines(
                text.first, header, delimiter=delimiter, quote=self._options.quote, sep=said is not None,
                encoding=text.codec, marked=text.marked,
            )  # fmt: skip

    def place(self, line: int) -> str:
        """The line, for messages."""
        return f"line {line}"

    def rows(self, report: Report) -> Iterator[NumberedRow]:
        """The rows. A row whose cells hold line breaks has the number of its first line."""
        with self._file.open(newline="") as text:
            table = self._table(text)
            if self._file.doubt is not None:
                report(self._file.doubt)
            header, reader, skipped = table.header, table.reader, table.skipped
            width = len(header) if table.spare == 0 else -1  # With spare columns every row needs the slow check.
            tail = Tail(self, self._options, report, named=len(header), spare=table.spare)
            last = skipped + reader.line_num
            number = 0
            try:
                for cells in reader:
                    line = last + 1
                    last = skipped + reader.line_num
                    # Nearly all rows: of the right width, and not blank, since they begin with a letter or digit.
                    if len(cells) == width and cells[0][:1].isalnum():
                        number = (tail.closed(number) if tail.held else number) + 1
                        yield number, line, dict(zip(header, cells))  # noqa: B905  # the lengths were compared
                    elif not cells:
                        continue
                    elif is_blank("".join(cells)):
                        tail.blank(line)
                    else:
                        number = tail.closed(number) + 1
                        if tail.fits(cells, number, line):
                            yield number, line, dict(zip(header, cells))  # noqa: B905  # the same
            except csv.Error as error:
                raise self._malformed(number + 1, last, skipped + reader.line_num, str(error)) from error
            tail.end()
            self._file.finish(text)

    def _malformed(self, row: int, before: int, line: int, words: str) -> SourceError:
        begun = f"line {line}" if line == before + 1 else f"lines {before + 1} to {line}"
        return self._file.failure(
            "SE314",
            f"row {row} ({begun}) is no well-formed CSV: {words}",
            line=line,
            row=row,
            hint="look for a quote that is not closed, or not doubled inside a quoted cell",
        )

    def _table(self, text: OpenText) -> _Table:
        said = _SEP_LINE.fullmatch(text.first)
        delimiter = self._delimiter(None if said is None else _named_in(said), text.first)
        lines: Iterable[str] = text.all if said is None else text.after_first
        skipped = 0 if said is None else 1
        reader = csv.reader(lines, _dialect(delimiter, self._options.quote))
        cells = self._first_row(reader, skipped)
        line = skipped + reader.line_num
        if len(cells) == 1 and self._options.delimiter is None and said is None:
            self._refuse_other_delimiter(cells[0], delimiter, line)
        header = named_header(cells, self._options, line)
        return _Table(reader, header, len(cells) - len(header), skipped)

    def _delimiter(self, rest: str | None, first: str) -> str:
        """The delimiter: from the line sep=..., the options, or the name of the file."""
        given = self._options.delimiter
        if rest is None:
            return given or ("\t" if self._options.label.lower().endswith(".tsv") else ",")
        found = self._declared_delimiter(rest, first)
        if given is not None and given != found:
            raise self._file.failure(
                "SE312",
                f"its first line says that {found!r} separates the cells, and the delimiter is set to {given!r}",
                line=1,
                hint="leave the delimiter out, or correct the one that is wrong",
            )
        return found

    def _declared_delimiter(self, rest: str, first: str) -> str:
        """What the line sep=... names."""
        # A program that does not know this line padded it to the width of the table: sep=;;;;
        found = rest[:1] if rest and rest == rest[0] * len(rest) else ""
        if not found or found == self._options.quote:
            raise self._file.failure(
                "SE312",
                f"the first line is {first.strip()[:40]!r}, which names no single character as the delimiter",
                line=1,
                hint="delete that line, or write sep=; with the character that separates the cells",
            )
        return found

    def _first_row(self, reader: Iterator[list[str]], skipped: int) -> list[str]:
        try:
            cells = next((cells for cells in islice(reader, 1_000) if cells), None)
        except csv.Error as error:
            raise self._file.failure("SE314", f"the header is no well-formed CSV: {error}", line=skipped + 1) from error
        if cells is None:
            hint = f"its {'first' if skipped == 0 else 'second'} line must name the columns: lead_id,postcode"
            raise self._file.failure("SE312", "the file is empty", line=1, hint=hint)
        return cells

    def _refuse_other_delimiter(self, header: str, delimiter: str, line: int) -> None:
        """Refuse a header of one column whose name holds another common delimiter: the file was read with the wrong
        one."""
        other = next((sign for sign in _DELIMITERS if sign in header and sign != delimiter), None)
        if other is None:
            return
        names = header.split(other)
        if any(is_blank(name) for name in names):
            return
        shown = {"\t": "a tab"}.get(other, repr(other))
        written = {"\t": "tab" if self._options.said_in == "command" else '"\\t"'}.get(other, f'"{other}"')
        otherwise = f"write sep={other} as its first line"
        raise self._file.failure(
            "SE312",
            f"its header is the one column {header[:60]!r}: the delimiter seems to be {shown}, not {delimiter!r}",
            line=line,
            hint=f"name the delimiter: {self._options.remedy('delimiter', written, otherwise)}",
        )


def _named_in(sep_line: re.Match[str]) -> str:
    """The delimiter after sep=, without padding."""
    return sep_line["plain"] if sep_line["quoted"] is None else sep_line["quoted"] + sep_line["more"]


def _dialect(delimiter: str, quote: str | None) -> type[csv.Dialect]:
    named = delimiter

    class Dialect(csv.Dialect):
        delimiter = named
        quotechar = quote
        quoting = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
        doublequote = True
        lineterminator = "\n"
        strict = True

    return Dialect
