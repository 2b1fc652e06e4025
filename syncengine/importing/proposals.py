"""Proposes filters for the values of a table's columns, in comments. None is applied automatically."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from syncengine.core.text import is_blank
from syncengine.documents.filters import FILTERS
from syncengine.documents.rendering import FilterError
from syncengine.documents.trimming import trimmed

if TYPE_CHECKING:
    from syncengine.importing.table import Columns

LOOKED_AT = 10_000
"""Number of rows that are examined: enough to recognise a column's content."""

_PHONE = re.compile(r"[+(0]")
_AMOUNT_MARKED = re.compile(r"[£$€]|[0-9][,.][0-9]{3}(?![0-9])|,[0-9]{1,2}$")

_ROOM = 0.9
"""Share of a column's values that a filter must accept: a few bad cells do not change what the column is."""


class _Template(Protocol):
    def __call__(self, column: str, filters: str = "") -> str: ...


class _Candidate:
    """A filter, and the number of values that it accepts, changes, and recognises as its own."""

    def __init__(self, written: str, own: Callable[[str], object], **options: str) -> None:
        self.written = written
        self._filter = FILTERS[written.partition("(")[0]]
        self._options = options
        self._own = own
        self.taken = self.changed = self.recognised = 0

    def look(self, text: str) -> None:
        try:
            made = self._filter(text, **self._options)
        except FilterError:
            return
        self.taken += 1
        self.changed += made != text
        self.recognised += bool(self._own(trimmed(text)))


class ColumnValues:
    """Statistics of one column's values."""

    def __init__(self) -> None:
        self.seen = 0
        self._trimmable = 0
        self._candidates = (
            _Candidate("uk_postcode", lambda _: True),
            _Candidate("money", _AMOUNT_MARKED.search),
            _Candidate("money(decimal=',')", _AMOUNT_MARKED.search, decimal=","),
            _Candidate("e164", _PHONE.match),
        )

    def add(self, value: object) -> None:
        """Add one value. Blank values and values that are not text are ignored."""
        if not isinstance(value, str) or is_blank(value):
            return
        self.seen += 1
        self._trimmable += trimmed(value) != value
        for candidate in self._candidates:
            # A filter that accepts few of the first values does not fit the column and is not tried on the rest.
            if candidate.taken >= _ROOM * (self.seen - 1) - 10:
                candidate.look(value)

    def filter_for(self, *, plain: bool) -> str:
        """The filter for these values, as it is written; "" where there is none. `plain`: only trim is allowed."""
        if not plain:
            for candidate in self._candidates:
                if candidate.taken >= _ROOM * self.seen and candidate.changed and candidate.recognised:
                    return candidate.written
        return "trim" if self._trimmable else ""


def proposals(columns: Columns, seen: Mapping[str, ColumnValues], template: _Template) -> tuple[str, ...]:
    """One line for each value of the change whose column needs a filter."""
    lines = []
    single = {
        "lead": columns.lead, "trigger": columns.trigger, "payout": columns.payout, "revenue": columns.revenue,
        "buyer": columns.buyer,
    }  # fmt: skip
    used = [(name, column, name in ("lead", "trigger", "buyer")) for name, column in single.items() if column]
    used += [(name, column, False) for name, column in columns.fields.items()]
    for name, column, plain in used:
        values = seen.get(column)
        found = "" if values is None else values.filter_for(plain=plain)
        if found:
            lines.append(f'Proposed by the values of {column!r}: {name}: "{template(column, f" | {found}")}"')
    return tuple(lines)
