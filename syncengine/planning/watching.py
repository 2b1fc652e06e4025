"""Words and limits that all lines of Attention share."""

from __future__ import annotations

from collections.abc import Iterable

from syncengine.core.changes import Origin
from syncengine.core.plan import State

OPEN = frozenset({State.TO_SEND, State.HELD, State.BLOCKED})
"""States of what somebody still means to be sent."""

BESIDE_DOUBT = "this lead has an irreversible operation in doubt"
"""How the reason of an update ends that goes on although its lead waits for a decision."""

LINES = 6
"""Lines of one rule, so that no rule hides another."""


def place(origin: Origin) -> str:
    """ "specs/a.yaml:12 row 7"."""
    row = f" row {origin.row}" if origin.row is not None else ""
    return f"{origin.file}:{origin.line}{row}"


def change_words(changeset: str, change: str) -> str:
    """A change by its name and its changeset."""
    return f"change {change} of {changeset}" if change else f"changeset {changeset}"


def of_leads(count: int) -> str:
    """ "1 lead", "412 leads"."""
    return f"{count} {'lead' if count == 1 else 'leads'}"


def limited(lines: Iterable[str]) -> tuple[str, ...]:
    """The first lines, and how many more there are."""
    shown: list[str] = []
    more = 0
    for line in lines:
        if len(shown) < LINES:
            shown.append(line)
        else:
            more += 1
    return (*shown, f"and {more} more of this kind, after: {shown[-1][:60]}") if more else tuple(shown)
