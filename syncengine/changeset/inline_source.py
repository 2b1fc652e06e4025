"""Rows written in the changeset itself, and the source that stands in for one that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.changeset.sources import Report, Row


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

    def rows(self, report: Report) -> Iterator[tuple[int, Row]]:  # noqa: ARG002  # all findings came with the parsing
        """Row number and row."""
        return enumerate(self._rows, 1)


class UnusableSource:
    """Stands in where a source is missing or at fault, which was reported; no change over it is expanded."""

    label = "an unusable source"
    digest = None

    def columns(self) -> None:
        """Nobody knows."""
        return

    def rows(self, report: Report) -> Iterator[tuple[int, Row]]:  # noqa: ARG002  # there is nothing to report
        """None."""
        return iter(())
