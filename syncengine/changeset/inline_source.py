"""Rows written in the changeset itself, and the source that stands in for one that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.tables.sources import NumberedRow, Report, Row


class InlineSource:
    """Rows as typed. They are covered by the changeset, so they have no digest of their own."""

    digest = None

    def __init__(self, name: str, rows: tuple[Row, ...]) -> None:
        self.label = f"sources.{name}"
        self._rows = rows
        self._columns = tuple(dict.fromkeys(column for row in rows for column in row))

    def columns(self) -> tuple[str, ...] | None:
        """Every key of every row; where there is no row, nobody knows."""
        return self._columns or None

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """None: rows stand in no lines."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # all findings came with the parsing
        """The rows."""
        return ((number, 0, row) for number, row in enumerate(self._rows, 1))


class UnusableSource:
    """Stands in where a source is missing or at fault, which was reported; no change over it is expanded."""

    label = "an unusable source"
    digest = None

    def columns(self) -> None:
        """Nobody knows."""
        return

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """None: rows stand in no lines."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # there is nothing to report
        """None."""
        return iter(())
