"""Rows from a CSV file, by the standard library's reader."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from syncengine.changeset.sources import Report, Row, SourceOptions
from syncengine.changeset.text_file import TextFile
from syncengine.core.errors import Problem

if TYPE_CHECKING:
    from _csv import Reader

_MOST_COLUMNS = 2_000


class CsvSource:
    """A file whose first line names the columns. Blank lines are no rows; every other row must fill the header."""

    def __init__(self, options: SourceOptions) -> None:
        self._file = TextFile(options)
        self._delimiter = options.delimiter

        class Dialect(csv.Dialect):
            delimiter = options.delimiter
            quotechar = options.quote
            quoting = csv.QUOTE_NONE if options.quote is None else csv.QUOTE_MINIMAL
            doublequote = True
            lineterminator = "\n"
            strict = True

        self._dialect = Dialect
        self._columns: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """The file relative to the repository."""
        return self._file.options.label

    @property
    def digest(self) -> str | None:
        """SHA-256 once it was read to the end."""
        return self._file.digest

    def columns(self) -> tuple[str, ...]:
        """The header. Raises SourceError."""
        if self._columns is None:
            with self._file.lines(newline="") as (text, _):
                self._columns = self._header(self._reader(text))
        return self._columns

    def rows(self, report: Report) -> Iterator[tuple[int, Row]]:
        """Row number and row."""
        with self._file.lines(newline="") as (text, hashed):
            reader = self._reader(text)
            header = self._header(reader)
            width = len(header)
            number = 0
            try:
                for cells in reader:
                    if len(cells) == width:
                        number += 1
                        yield number, dict(zip(header, cells))  # noqa: B905  # the lengths were compared
                    elif cells:
                        number += 1
                        report(self._ragged(number, reader.line_num, len(cells), width))
            except csv.Error as error:
                raise self._file.failure(
                    "SE314",
                    f"row {number + 1} (line {reader.line_num}) is no well-formed CSV: {error}",
                    line=reader.line_num,
                    row=number + 1,
                    hint="look for a quote that is not closed, or not doubled inside a quoted cell",
                ) from error
            self._file.finish(hashed)

    def _reader(self, text: Iterable[str]) -> Reader:
        return csv.reader(text, self._dialect)

    def _header(self, reader: Iterator[list[str]]) -> tuple[str, ...]:
        try:
            header = next((tuple(cells) for cells in islice(reader, 1_000) if cells), None)
        except csv.Error as error:
            raise self._file.failure("SE314", f"the header is no well-formed CSV: {error}", line=1) from error
        if header is None:
            raise self._file.failure(
                "SE312", "the file is empty", line=1, hint="its first line must name the columns: lead_id,postcode"
            )
        if len(header) == 1 and header[0].lower().startswith("sep="):
            raise self._file.failure(
                "SE312",
                f"the first line is {header[0]!r}, which spreadsheets write and which names no columns",
                line=1,
                hint="delete that line, and name the delimiter: sources: {NAME: {file: ..., delimiter: ';'}}",
            )
        if len(header) > _MOST_COLUMNS:
            raise self._file.failure(
                "SE312", f"the header has {len(header):,} columns, more than {_MOST_COLUMNS:,}", line=1
            )
        for position, name in enumerate(header):
            if not name.strip():
                raise self._file.failure("SE312", f"column {position + 1} of the header has no name", line=1)
            if name in header[:position]:
                raise self._file.failure("SE312", f"the header has the column {name!r} twice", line=1)
        return header

    def _ragged(self, row: int, line: int, found: int, width: int) -> Problem:
        hint = (
            "quote cells that hold the delimiter" if found > width else "is a cell missing, or the delimiter another?"
        )
        return self._file.problem(
            "SE313",
            f"row {row} (line {line}) has {found} {'cell' if found == 1 else 'cells'}, the header has {width}",
            line=line,
            row=row,
            hint=hint,
        )
