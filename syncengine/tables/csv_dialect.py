"""Format of a CSV file, so that a table is written back as it was read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import IO, Self

import msgspec

_BREAK = re.compile(r"\r\n|\n|\r")


class CsvDialect(msgspec.Struct, frozen=True, kw_only=True):
    """Delimiter, quoting, line ends and encoding. `head` precedes the header: byte order mark and line `sep=`."""

    delimiter: str = ","
    quote: str | None = '"'
    line_end: str = "\n"
    encoding: str = "utf-8"
    head: str = ""
    quote_all: bool = False

    @classmethod
    def of_lines(
        cls, first: str, header: str, *, delimiter: str, quote: str | None, sep: bool, encoding: str, marked: bool
    ) -> Self:
        """The dialect of a file, from its first line and its header line, both with their line ends."""
        found = _BREAK.search(first)
        # If the header is quoted throughout, the program that wrote it quotes every text.
        written = header.rstrip("\r\n")
        every = quote is not None and written[:1] == quote and _unquoted(written, quote).strip(delimiter) == ""
        return cls(
            delimiter=delimiter,
            quote=quote,
            line_end="\n" if found is None else found[0],
            encoding=encoding,
            head=("\ufeff" if marked else "") + (first if sep else ""),
            quote_all=every,
        )

    def line(self, cells: Iterable[str]) -> str:
        """One row with its line end. Without quotes, the cells of a file in this dialect need none."""
        quote = self.quote
        if quote is None:
            return self.delimiter.join(cells) + self.line_end
        special = (self.delimiter, quote, "\n", "\r")
        return (
            self.delimiter.join(
                [
                    quote + cell.replace(quote, quote * 2) + quote
                    if self.quote_all or any(sign in cell for sign in special)
                    else cell
                    for cell in cells
                ]
            )
            + self.line_end
        )

    def write(self, file: IO[bytes], lines: Iterable[Iterable[str]]) -> None:
        """The head and all rows, into a file opened for bytes."""
        file.write(self.head.encode(self.encoding))
        for cells in lines:
            file.write(self.line(cells).encode(self.encoding))


def _unquoted(line: str, quote: str) -> str:
    """The part of a line outside quotes."""
    return "".join(line.replace(quote * 2, "").split(quote)[::2])
