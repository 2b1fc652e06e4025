"""How many rows of its source a change took."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from syncengine.core.changes import ChangeFacts
from syncengine.core.finding import Severity
from syncengine.findings.rule import Description, Found

RULE = "rows-taken"
ABOUT = Description(
    name=RULE,
    severity="info, high",
    threshold='"took 150 of 153 rows; 3 did not meet `when`"; high where it took none; nothing where there is no '
    "`when` "
    "and every row was taken, or where the changeset has operations on record and nothing to send",
    example="took 0 of 153 rows: none met `when`",
)


def rows_taken(changes: Iterable[ChangeFacts], settled: Collection[str]) -> Iterator[Found]:
    """One finding for each change that took none or not all of its rows. `settled` changesets are left out."""
    for facts in changes:
        left = facts.rows - facts.taken
        if facts.changeset in settled or not (left or facts.when or facts.taken == 0):
            continue
        severity: Severity = "high" if facts.taken == 0 else "info"
        what = "row" if facts.source else "lead"
        message = (
            f"change {facts.change} of {facts.changeset} took {facts.taken:,} of {facts.rows:,} {what}s; {_why(facts)}"
        )
        yield Found(rule=RULE, severity=severity, message=message, change=(facts.changeset, facts.change), count=left)


def _why(facts: ChangeFacts) -> str:
    if facts.taken == 0:
        return "none met `when`" if facts.rows else "there are none"
    left = facts.rows - facts.taken
    return f"{left:,} did not meet `when`" if left else "all met `when`"
