"""The operations of a saved plan that are still to be sent, as entries in plan order. Only the saved plan defines
them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from syncengine.core.history import DOUBTFUL, NO_HISTORY, Attempt, LeadHistory, Standing, settled_as
from syncengine.core.operations import (
    Financials,
    Operation,
    Update,
    is_irreversible,
)
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.plan import PlanLine, PlannedOperation, State
from syncengine.core.values import LeadId, OperationId, PlanDigest

BATCH = 500

L = TypeVar("L", PlannedOperation, PlanLine)

Histories = Callable[[list[LeadId]], Mapping[LeadId, LeadHistory]]


class AlreadyApplied(msgspec.Struct, frozen=True, gc=False):
    """This plan applied it before, or a person resolved that it did."""


class Doubtful(msgspec.Struct, frozen=True):
    """Irreversible, sent by this plan before, with an unknown outcome."""

    attempt: Attempt


class Open(msgspec.Struct, frozen=True, gc=False):
    """Still to be sent. `unknown`: an earlier attempt has no known outcome, so a rejection will not settle it."""

    unknown: bool
    tried: bool


Remainder = AlreadyApplied | Doubtful | Open

_FRESH = Open(unknown=False, tried=False)


def remainder(planned: PlannedOperation | PlanLine, history: LeadHistory, plan: PlanDigest) -> Remainder:
    """What is left to do for a line that was saved as to_send."""
    if not history.attempts:
        return _FRESH
    attempts = history.of_operation(planned.id)
    own = [attempt for attempt in attempts if attempt.plan == plan]
    if any(attempt.standing is Standing.APPLIED for attempt in own):
        return AlreadyApplied()
    if is_irreversible(planned.operation):
        doubt = next((attempt for attempt in attempts if attempt.standing in DOUBTFUL), None)
        if doubt is not None:
            return Doubtful(doubt)
    return Open(unknown=settled_as(attempts) in DOUBTFUL, tried=bool(own))


def what_travels(planned: PlannedOperation | PlanLine) -> Operation:
    """The operation with only the fields or amounts that the plan says to send."""
    operation = planned.operation
    match operation:
        case Update():
            fields = operation.fields
            if planned.send == tuple(fields):
                return operation
            return Update(operation.lead, {name: fields[name] for name in planned.send})
        case Financials():
            return Financials(
                operation.lead,
                payout=operation.payout if "payout" in planned.send else None,
                revenue=operation.revenue if "revenue" in planned.send else None,
                buyer=operation.buyer if "buyer" in planned.send else None,
            )
        case _:
            return operation


class Feed(Generic[L]):
    """LeadEntries of a plan, in order.

    `histories` is None for a plan that no run has touched yet; otherwise what earlier runs settled is left out.
    `unknown` collects the operations with an earlier attempt of unknown outcome as they pass.
    """

    def __init__(self, plan: PlanDigest, operations: Iterable[L], histories: Histories | None) -> None:
        self._plan = plan
        self._operations: Iterable[L] = operations
        self._histories = histories
        self.unknown: set[OperationId] = set()

    def __iter__(self) -> Iterator[LeadEntry]:
        lead: LeadId | None = None
        number = 0
        parts: tuple[SentOperation, ...] = ()
        for planned in self.open_lines():
            part = SentOperation(planned.id, planned.changeset, what_travels(planned))
            if planned.entry == number and planned.operation.lead == lead:
                parts = (*parts, part)
                continue
            if lead is not None:
                yield LeadEntry(lead, number, parts)
            number, lead, parts = planned.entry, planned.operation.lead, (part,)
        if lead is not None:
            yield LeadEntry(lead, number, parts)

    def open_lines(self) -> Iterator[L]:
        """The plan's lines that are still to be sent."""
        to_send = State.TO_SEND
        lines = (planned for planned in self._operations if planned.state is to_send)
        return lines if self._histories is None else self._left_open(lines, self._histories)

    def _left_open(self, lines: Iterator[L], histories_of: Histories) -> Iterator[L]:
        while batch := list(islice(lines, BATCH)):
            histories = histories_of(list({planned.operation.lead for planned in batch}))
            for planned in batch:
                left = remainder(planned, histories.get(planned.operation.lead, NO_HISTORY), self._plan)
                if isinstance(left, Open):
                    if left.unknown:
                        self.unknown.add(planned.id)
                    yield planned
