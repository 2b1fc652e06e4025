"""What a doubt holds back: whatever cannot be taken back, and money, waits until a person has settled the doubt."""

from __future__ import annotations

import msgspec

from syncengine.core.history import Attempt, LeadHistory, Standing
from syncengine.core.operations import SPECS
from syncengine.core.plan import State


class Stopped(msgspec.Struct, frozen=True):
    """The operation may not be sent."""

    state: State
    reason: str
    done: tuple[str, ...] = ()


def held(history: LeadHistory, done: tuple[str, ...] = ()) -> Stopped | None:
    """Why the operation is held: a doubt about any irreversible operation holds the lead's other irreversible
    operations and its money."""
    if not history.doubts:
        return None
    doubt = history.doubts[0]
    what = SPECS[doubt.kind].the.replace("{target}", doubt.delivery)
    return Stopped(State.HELD, f"waits behind {what} by changeset {doubt.changeset} ({doubt_in_words(doubt)})", done)


def doubt_in_words(attempt: Attempt) -> str:
    """Why the outcome of an attempt is unknown, as a phrase for messages."""
    if attempt.standing is Standing.IN_FLIGHT:
        return f"in flight in run {attempt.run}"
    words = attempt.answer.message if attempt.answer is not None else "no answer is on record"
    return f"sent in run {attempt.run}, outcome unknown: {words}; settle it with 'syncengine resolve'"
