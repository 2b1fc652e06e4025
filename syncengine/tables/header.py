"""Column names of a table."""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.core.text import is_blank
from syncengine.tables.cells import MOST_COLUMNS
from syncengine.tables.sources import SourceOptions


def named_header(cells: Sequence[str], options: SourceOptions, line: int) -> tuple[str, ...]:
    """The names, without the nameless columns at the right end. Raises SourceError where they are unusable."""
    count = len(cells)
    while count and is_blank(cells[count - 1]):
        count -= 1
    header = tuple(cells[:count] or cells)
    if len(header) > MOST_COLUMNS:
        raise options.failure("SE312", f"the header has {len(header):,} columns, more than {MOST_COLUMNS:,}", line=line)
    seen: set[str] = set()
    for position, name in enumerate(header, 1):
        if is_blank(name):
            raise options.failure("SE312", f"column {position} of the header has no name", line=line)
        if name in seen:
            raise options.failure("SE312", f"the header has the column {name!r} twice", line=line)
        seen.add(name)
    return header
