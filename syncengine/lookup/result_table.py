"""The same table with its lead ids, and what became of its rows in figures."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec

from syncengine.lookup.notations import as_written, notations
from syncengine.lookup.progress_file import ProgressFile, RowMatch
from syncengine.lookup.rows import LookupWanted
from syncengine.lookup.table import LookupTable

ADDED = ("lead_id", "match", "received")
_SHOWN = 3


class LookupSummary(msgspec.Struct):
    """What became of the rows, counted while the table is written."""

    counts: Counter[RowMatch] = msgspec.field(default_factory=Counter)
    notations: Counter[str] = msgspec.field(default_factory=Counter)
    """Rows that were found by another notation than the one that is written, by its name."""
    examples: dict[str, str] = {}
    """The first of them, by that name."""
    ids: array[int] = msgspec.field(default_factory=lambda: array("Q"))
    """The lead of each row; 0 where it has none."""

    def shared(self) -> tuple[int, list[str]]:
        """How many rows have an id that another row has, and the first such ids with their rows."""
        ordered = sorted(self.ids)
        repeated = {lead for lead, following in pairwise(ordered) if lead == following}
        repeated.discard(0)
        rows: dict[int, list[int]] = {}
        count = 0
        for number, lead in enumerate(self.ids, 1):
            if lead in repeated:
                count += 1
                rows.setdefault(lead, []).append(number)
        shown = [f"lead {lead} in rows {', '.join(map(str, rows[lead][:_SHOWN]))}" for lead in list(rows)[:_SHOWN]]
        return count, shown


def result_lines(
    table: LookupTable,
    wanted: LookupWanted,
    progress: ProgressFile,
    summary: LookupSummary,
    advance: Callable[[int], object],
) -> Iterator[list[str]]:
    """Header and rows of the result, cell by cell. Counts into `summary`."""
    yield [*table.columns, *ADDED]
    for number, line, row in table.rows():
        text = as_written(wanted.by, row.get(wanted.column, ""))
        entry = progress.entry(number) if text else None
        match: RowMatch = "unreadable" if entry is None else entry.match
        summary.counts[match] += 1
        summary.ids.append(int(entry.lead) if entry is not None and entry.lead else 0)
        if entry is not None and entry.step and match != "none":
            name = notations(wanted.by, text)[entry.step].name
            summary.notations[name] += 1
            summary.examples.setdefault(name, table.place(number, line))
        lead, received = ("", "") if entry is None else (entry.lead, entry.received)
        yield [*(table.text(row, name) for name in table.columns), lead, match, received]
        advance(1)
