"""Checks repeats, doubts and holds again inside the transaction that commits an intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from syncengine.core.history import LeadHistory
from syncengine.core.holds import Stopped, held
from syncengine.core.operations import Irreversible
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.plan import State
from syncengine.core.repeats import Clear, Lowered, may_send, thing_of
from syncengine.core.settings import Policy
from syncengine.core.values import OperationId


class Recheck:
    """Decides which operations of an entry must not be sent after all.

    `doubtful` collects those that turned out to be in doubt themselves.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.doubtful: set[OperationId] = set()

    def __call__(self, entry: LeadEntry, history: LeadHistory) -> Mapping[OperationId, str]:
        """Operations of the entry that must not be sent, each with its reason."""
        if history.forgotten:
            return {part.id: "forgotten: this lead was erased from the ledger" for part in entry.parts}
        if entry.is_financial:
            stopped = held(history)
            return {} if stopped is None else {part.id: stopped.reason for part in entry.parts}
        refused: dict[OperationId, str] = {}
        for part in entry.parts:
            reason = self._refusal(part, history)
            if reason:
                refused[part.id] = reason
        return refused

    def _refusal(self, part: SentOperation, history: LeadHistory) -> str:
        """Why an irreversible operation must not be sent; "" for the others, and where nothing speaks against it."""
        if not isinstance(part.operation, Irreversible):
            return ""
        thing = thing_of(part.operation, identity=part.id, changeset=part.changeset, policy=self._policy)
        match may_send(thing, history):
            case Clear():
                return ""
            case Stopped(state=state, reason=reason):
                if state is State.IN_DOUBT:
                    self.doubtful.add(part.id)
                return reason
            case Lowered(on_record=on_record):
                return f"generation {on_record} is on record"
            case other:
                assert_never(other)
