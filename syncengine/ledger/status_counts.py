"""Counts of operations by state, updated with each change so that `status` does not read all records.

A tally counts an operation under the state that `core.history.settled_as` returns. Operations in doubt, or with an open
intent, are in no tally: the tables doubts and pending list them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from syncengine.core.history import DOUBTFUL, Attempt, LeadHistory, Standing, settled_as
from syncengine.core.outcomes import Outcome
from syncengine.ledger.engine import Engine

COLUMNS = ("applied", "rejected", "not_sent")

Tally = Counter[tuple[str, str]]
"""(run, column) to a difference; run "" is the whole account."""


def column_of(standing: Standing | None) -> str:
    """The tally column of an attempted operation; "" for one in doubt."""
    match standing:
        case Standing.APPLIED:
            return "applied"
        case Standing.REJECTED:
            return "rejected"
        case Standing.UNKNOWN | Standing.IN_FLIGHT:
            return ""
        case None | Standing.NOT_SENT:
            return "not_sent"


def after(standing: Standing | None, outcome: Outcome) -> Standing | None:
    """`settled_as` after one more attempt."""
    match outcome:
        case Outcome.APPLIED:
            return Standing.APPLIED
        case Outcome.UNKNOWN:
            return Standing.UNKNOWN
        case Outcome.REJECTED:
            return standing if standing in DOUBTFUL else Standing.REJECTED
        case Outcome.NOT_SENT:
            return standing


class Stand(msgspec.Struct, frozen=True):
    """State of an operation after all its attempts, those of this run included. `tried`: this run attempted it."""

    overall: Standing | None
    own: Standing | None
    tried: bool


def open_attempts(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Attempts of one operation that are still in doubt: unknown, and nothing later was applied."""
    found: list[Attempt] = []
    for attempt in attempts:
        standing = attempt.standing
        if standing is Standing.APPLIED:
            found.clear()
        elif standing in DOUBTFUL:
            found.append(attempt)
    return found


def by_operation(history: LeadHistory) -> dict[str, list[Attempt]]:
    """A lead's attempts grouped by operation, in the order of first attempts."""
    grouped: dict[str, list[Attempt]] = {}
    for attempt in history.attempts:
        grouped.setdefault(attempt.operation, []).append(attempt)
    return grouped


def tally_of(attempts: Sequence[Attempt]) -> Tally:
    """What one operation adds to the tallies of its account and its runs. Open intents are not counted."""
    counts: Tally = Counter()
    scopes: dict[str, list[Attempt]] = {"": list(attempts)}
    for attempt in attempts:
        scopes.setdefault(attempt.run, []).append(attempt)
    for run, members in scopes.items():
        column = column_of(settled_as(members))
        if column:
            counts[run, column] += 1
    return counts


def tallies_of(histories: Iterable[LeadHistory]) -> tuple[Tally, dict[int, str]]:
    """The tallies of all operations of these leads, and their open attempts (number to operation)."""
    counts: Tally = Counter()
    opened: dict[int, str] = {}
    for history in histories:
        for operation, attempts in by_operation(history).items():
            counts.update(tally_of(attempts))
            opened.update({attempt.number: operation for attempt in open_attempts(attempts)})
    return counts, opened


def add_tallies(engine: Engine, account: str, counts: Mapping[tuple[str, str], int]) -> None:
    """Add differences to the tallies."""
    runs: dict[str, dict[str, int]] = {}
    for (run, column), difference in counts.items():
        if difference:
            runs.setdefault(run, dict.fromkeys(COLUMNS, 0))[column] += difference
    engine.many("add_tally", [(account, run, *columns.values()) for run, columns in sorted(runs.items())])
