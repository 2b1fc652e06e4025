"""Compares one recorded value with an observed one. Where the ledger keeps digests, the observed value is digested
too."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.history import Attempt, LeadHistory, Standing
from syncengine.core.observations import Observation, UnreadLead
from syncengine.core.operations import Kind
from syncengine.core.ports import LedgerView

Seen = Observation | UnreadLead
State = Literal["same", "different", "unknown"]


NOT_READABLE = UnreadLead("it is no lead that the service shows by its id")
"""For leads that are not addressed by a lead id, such as quarantined ones."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One field or amount. `applied` is None where the ledger keeps a digest, `now` where nothing was observed."""

    name: str
    state: State
    reason: str = ""
    applied: str | None = None
    now: str | None = None


def compared(view: LedgerView, attempt: Attempt, name: str, seen: Seen | None) -> Compared:
    """The value that `attempt` recorded for `name`, compared with what was observed of its lead."""
    stored = attempt.values[name]
    applied = stored[1:] if stored.startswith("=") else None
    now, reason = _observed(seen, name)
    if now is None:
        return Compared(name=name, state="unknown", reason=reason, applied=applied, now=now)
    if view.matches(stored, attempt.kind, attempt.lead, name, now):
        return Compared(name=name, state="same", applied=applied, now=now)
    reason = _incomparable(view, attempt, applied)
    return Compared(name=name, state="unknown" if reason else "different", reason=reason, applied=applied, now=now)


def _observed(seen: Seen | None, name: str) -> tuple[str | None, str]:
    """The value that was seen, or None and why not."""
    match seen:
        case None:
            return None, "the lead was not seen"
        case UnreadLead(reason=reason):
            return None, reason
        case Observation(values=values):
            now = values.get(name)
            return now, "" if now is not None else "what was seen of the lead does not show it"


def _incomparable(view: LedgerView, attempt: Attempt, applied: str | None) -> str:
    if applied is not None:
        return ""
    if not attempt.comparable:
        return "its digest was made with a ledger key that was since replaced"
    if view.identity().key != "right":
        return "the ledger's key is not at hand, so its digest cannot be compared"
    return ""


def last_touch(history: LeadHistory, kind: Kind, name: str) -> Attempt | None:
    """The last attempt that may have set this field or amount."""
    for attempt in reversed(history.attempts):
        if attempt.kind is kind and name in attempt.values and attempt.standing is not Standing.NOT_SENT:
            return attempt
    return None
