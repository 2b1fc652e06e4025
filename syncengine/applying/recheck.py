"""Repeats, doubts and holds, asked again inside the transaction that commits an intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from syncengine.core.history import LeadHistory
from syncengine.core.operations import Reprocess, Trigger, kind_of
from syncengine.core.outcomes import Parcel
from syncengine.core.plan import State
from syncengine.core.repeats import Clear, Lowered, Stopped, Thing, held, may_send
from syncengine.core.settings import Policy
from syncengine.core.values import OperationId


class Recheck:
    """Which operations of a parcel must not be sent after all.

    `doubtful` collects those that turned out to be in doubt themselves.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.doubtful: set[OperationId] = set()

    def __call__(self, parcel: Parcel, history: LeadHistory) -> Mapping[OperationId, str]:
        """Operations of the parcel that must not be sent, each with its reason."""
        if history.forgotten:
            return {part.id: "forgotten: this lead was erased from the ledger" for part in parcel.parts}
        if parcel.is_financial:
            stopped = held(history)
            return {} if stopped is None else {part.id: stopped.reason for part in parcel.parts}
        refused: dict[OperationId, str] = {}
        for part in parcel.parts:
            operation = part.operation
            if not isinstance(operation, Trigger | Reprocess):
                continue
            trigger = isinstance(operation, Trigger)
            repeat = self._policy.repeat_trigger if trigger else self._policy.repeat_reprocess
            thing = Thing(
                id=part.id,
                changeset=part.changeset,
                kind=kind_of(operation),
                delivery=operation.delivery if isinstance(operation, Trigger) else "",
                generation=operation.generation,
                allowed=repeat == "allow",
            )
            match may_send(thing, history):
                case Clear():
                    continue
                case Stopped(state=state, reason=reason):
                    refused[part.id] = reason
                    if state is State.IN_DOUBT:
                        self.doubtful.add(part.id)
                case Lowered(on_record=on_record):
                    refused[part.id] = f"generation {on_record} is on record"
                case other:
                    assert_never(other)
        return refused
