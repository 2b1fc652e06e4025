"""Rows written in the changeset itself, and the placeholder for an unusable source."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.tables.sources import NumberedRow, Report, Row


class InlineSource:
    """Rows as typed. The changeset's digest covers them, so they have no digest of their own."""

    digest = None

    def __init__(self, name: str, rows: tuple[Row, ...]) -> None:
        self.label = f"sources.{name}"
        self._rows = rows
        self._columns = tuple(dict.fromkeys(column for row in rows for column in row))

    def columns(self) -> tuple[str, ...] | None:
        """Every key of every row; None where there is no row."""
        return self._columns or None

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """Empty: inline rows have no line of their own."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # all findings came with the parsing
        """The rows."""
        return ((number, 0, row) for number, row in enumerate(self._rows, 1))


class UnusableSource:
    """Placeholder for a missing or invalid source, which was reported. Changes over it are not expanded."""

    label = "an unusable source"
    digest = None

    def columns(self) -> None:
        """None: the columns are unknown."""
        return

    def place(self, line: int) -> str:  # noqa: ARG002  # rows are found by their numbers
        """Empty: there are no rows."""
        return ""

    def rows(self, report: Report) -> Iterator[NumberedRow]:  # noqa: ARG002  # there is nothing to report
        """No rows."""
        return iter(())
