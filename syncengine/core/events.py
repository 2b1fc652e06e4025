"""What a run tells whoever listens: ids, counts and our own words. Never a value, never the service's words."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.operations import Call
from syncengine.core.outcomes import Outcome, Parcel, Ruling
from syncengine.core.results import RunCounts
from syncengine.core.values import OperationId, PlanDigest, RunId

StopCause = Literal[
    "interrupted", "deadline", "cancelled", "lease lost", "ledger trouble", "wave", "window or budget",
    "stop rule", "long wait", "key refused", "redirect", "bug",
]  # fmt: skip
"""Why a run ended early, in one of these phrases; the sentence with the details is in the result."""


class PlanLooked(msgspec.Struct, frozen=True):
    """Before a run begins: so many more of the plan's operations were compared with the ledger, of `total`."""

    operations: int
    total: int


class RunBegan(msgspec.Struct, frozen=True, kw_only=True):
    """The run is on record; nothing was sent yet. `operations` are those to be sent."""

    run: RunId
    plan: PlanDigest
    account: str
    changesets: tuple[str, ...]
    operations: int


class RequestLeft(msgspec.Struct, frozen=True, kw_only=True):
    """A request was handed to its connection, its intents durable. `tries` counts the sendings before this one."""

    request: int
    call: Call
    entries: int
    operations: tuple[OperationId, ...]
    tries: int


class RequestAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """Its answer was judged, or it is known that none comes. `status` 0: none came. The counts are of attempts.

    The answer is durable with the next commit, not yet.
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
    """Of a request that was answered, so much will be sent again, after `wait` seconds or more."""

    request: int
    entries: int
    operations: int
    wait: float


class OperationsSettled(msgspec.Struct, frozen=True):
    """These operations have this outcome in this run, for good."""

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


def call_of(parcels: tuple[Parcel, ...]) -> Call:
    """Which of the service's calls carries these parcels."""
    return parcels[0].call


def operations_of(parcels: tuple[Parcel, ...]) -> tuple[OperationId, ...]:
    """Ids of everything that travels."""
    return tuple([part.id for parcel in parcels for part in parcel.parts])


def answered(
    request: int, *, status: int, verdict: str, seconds: float, rulings: tuple[tuple[Ruling, ...], ...]
) -> RequestAnswered:
    """The event of an answer that was judged like this."""
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
