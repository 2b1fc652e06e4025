"""Events of a run, for progress and telemetry: ids, counts and the product's own texts.

Events never hold values or the service's messages.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.operations import Call
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling
from syncengine.core.results import RunCounts
from syncengine.core.values import OperationId, PlanDigest, RunId

StopCause = Literal[
    "interrupted", "deadline", "cancelled", "lease lost", "ledger trouble", "wave", "window or budget",
    "stop rule", "long wait", "key refused", "redirect", "bug",
]  # fmt: skip
"""Why a run ended early, as one of these phrases. The result has the sentence with the details."""


class PlanLooked(msgspec.Struct, frozen=True):
    """Planning progress before a run begins: operations compared with the ledger since the last event, and their
    `total`."""

    operations: int
    total: int


class RunBegan(msgspec.Struct, frozen=True, kw_only=True):
    """The run is recorded; nothing was sent yet. `operations` are those to be sent."""

    run: RunId
    plan: PlanDigest
    account: str
    changesets: tuple[str, ...]
    operations: int


class RequestLeft(msgspec.Struct, frozen=True, kw_only=True):
    """A request was passed to its connection, after its intents were committed. `tries` counts earlier sends of it."""

    request: int
    call: Call
    entries: int
    operations: tuple[OperationId, ...]
    tries: int


class RequestAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request was judged, or no answer will come (`status` 0). The counts are of attempts.

    The outcome becomes durable with the next commit, not with this event.
    """

    request: int
    status: int
    verdict: str
    seconds: float
    applied: int
    rejected: int
    unknown: int
    not_sent: int


class SentAgain(msgspec.Struct, frozen=True, kw_only=True):
    """Operations of an answered request will be sent again, after at least `wait` seconds."""

    request: int
    entries: int
    operations: int
    wait: float


class OperationsSettled(msgspec.Struct, frozen=True):
    """The operations have this final outcome in this run."""

    outcome: Outcome
    operations: tuple[OperationId, ...]


class RunStopped(msgspec.Struct, frozen=True):
    """Nothing new is sent from here on."""

    cause: StopCause


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer is in. `counts` add up to the plan's total."""

    counts: RunCounts
    requests: int
    exit: int


RunEvent = PlanLooked | RunBegan | RequestLeft | RequestAnswered | SentAgain | OperationsSettled | RunStopped | RunEnded


def call_of(entries: tuple[LeadEntry, ...]) -> Call:
    """The service's call that carries these entries."""
    return entries[0].call


def operations_of(entries: tuple[LeadEntry, ...]) -> tuple[OperationId, ...]:
    """Ids of all operations in these entries."""
    return tuple([part.id for entry in entries for part in entry.parts])


def answered(
    request: int, *, status: int, verdict: str, seconds: float, rulings: tuple[tuple[Ruling, ...], ...]
) -> RequestAnswered:
    """The event for a judged answer."""
    outcomes = [ruling.outcome for each in rulings for ruling in each]
    return RequestAnswered(
        request=request,
        status=status,
        verdict=verdict,
        seconds=seconds,
        applied=outcomes.count(Outcome.APPLIED),
        rejected=outcomes.count(Outcome.REJECTED),
        unknown=outcomes.count(Outcome.UNKNOWN),
        not_sent=outcomes.count(Outcome.NOT_SENT),
    )
