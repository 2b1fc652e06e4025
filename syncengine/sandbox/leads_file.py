"""Reads leads from a CSV file: `id,state,payout,revenue,buyer,campaign,received`, and every other column as a field.

The id may also be in a column `lead` or `lead_id`, as in exports and in the rows of changesets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from syncengine.core.errors import Problem
from syncengine.sandbox.entities import ID_PATTERN, QUARANTINE_PREFIX, USUAL_RECEIVED, Lead, LeadState
from syncengine.sandbox.errors import SandboxError
from syncengine.tables.csv_source import CsvSource
from syncengine.tables.sources import SourceError, SourceOptions

_REFERENCE = re.compile(rf"{QUARANTINE_PREFIX}?({ID_PATTERN})")
_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,2})?", re.ASCII)
_ID_COLUMNS = ("id", "lead", "lead_id")
_OWN_COLUMNS = frozenset({"state", "payout", "revenue", "buyer", "campaign", "received"})


def read_leads(path: Path) -> list[Lead]:
    """The leads of a CSV file, in order. Raises SandboxError naming file and row, and what to write instead.

    An id that begins with `q`, or the state `quarantined`, makes a lead that is addressed by its quarantineId. A
    missing state means approved; an empty cell means that the lead has no such value.
    """
    source = CsvSource(SourceOptions(label=str(path), path=str(path), encoding="", said_in="nowhere"))
    try:
        return list(_leads(path, source))
    except SourceError as error:
        raise _told(error.problem) from error


def _told(problem: Problem) -> SandboxError:
    return SandboxError(f"the leads file {problem.message}{problem.hint and '; '}{problem.hint}")


def _refuse(problem: Problem) -> None:
    if problem.severity == "error":
        raise _told(problem)


def _leads(path: Path, source: CsvSource) -> Iterator[Lead]:
    names = source.columns()
    column = next((name for name in _ID_COLUMNS if name in names), None)
    if column is None:
        raise SandboxError(f'the leads file {path} needs a header line with a column "id" (or "lead", "lead_id")')
    seen: set[str] = set()
    for _, line, row in source.rows(_refuse):
        where = f"{path}, line {line}"
        lead = _lead(where, row.pop(column), row)
        if lead.number in seen:
            raise SandboxError(f"{where}: there is a lead {lead.number} above already")
        seen.add(lead.number)
        yield lead


def _lead(where: str, number: str, row: dict[str, str]) -> Lead:
    reference, state = _reference(where, number, row)
    return Lead(
        reference,
        state,
        payout=_amount(where, row, "payout"),
        revenue=_amount(where, row, "revenue"),
        buyer=row.get("buyer") or None,
        campaign=row.get("campaign") or "1",
        received=row.get("received") or USUAL_RECEIVED,
        fields={name: value for name, value in row.items() if name not in _OWN_COLUMNS and value != ""},
    )


def _reference(where: str, number: str, row: dict[str, str]) -> tuple[str, LeadState]:
    match = _REFERENCE.fullmatch(number)
    if match is None:
        raise SandboxError(f"{where}: the id {number!r} must be digits without a leading zero, q123 for quarantine")
    prefixed = number.startswith(QUARANTINE_PREFIX)
    state = _state(where, row.get("state") or ("quarantined" if prefixed else "approved"))
    if prefixed and state is not LeadState.QUARANTINED:
        raise SandboxError(f"{where}: the id {number!r} is a quarantined lead's, but the state is {state.value}")
    return QUARANTINE_PREFIX + match[1] if state is LeadState.QUARANTINED else match[1], state


def _state(where: str, text: str) -> LeadState:
    try:
        return LeadState(text.lower())
    except ValueError:
        known = ", ".join(LeadState)
        raise SandboxError(f"{where}: unknown state {text!r}; there are: {known}") from None


def _amount(where: str, row: dict[str, str], name: str) -> str | None:
    text = row.get(name) or None
    if text is not None and not _AMOUNT.fullmatch(text):
        raise SandboxError(f"{where}: the {name} {text!r} must be an amount such as 80.00")
    return text
