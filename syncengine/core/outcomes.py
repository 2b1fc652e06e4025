"""Interpretation of answers, and the resend rule: one pure table, tested case by case. See docs/outcomes.md.

The adapter reduces each answer, or its absence, to a `Verdict`. `judge` maps a verdict and the entries of the request
to an outcome for each operation and to the next step. No other code decides about a resend.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal, assert_never

import msgspec

from syncengine.core.operations import Call, Operation, Update, is_irreversible, spec_of
from syncengine.core.values import ChangesetId, LeadId, OperationId


class Outcome(StrEnum):
    """Outcome of one attempt, as recorded."""

    APPLIED = "applied"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class SentOperation(msgspec.Struct, frozen=True, gc=False):
    """One operation as it is sent: `operation` holds only the fields or amounts that travel."""

    id: OperationId
    changeset: ChangesetId
    operation: Operation


class LeadEntry(msgspec.Struct, frozen=True, gc=False):
    """The part of a request for one lead: an element of `leads`, one lead of a financials call, or a decision."""

    lead: LeadId
    number: int
    parts: tuple[SentOperation, ...]

    @property
    def is_financial(self) -> bool:
        """Whether it must travel in a financials call."""
        return self.call is Call.FINANCIALS

    @property
    def call(self) -> Call:
        """The service's call that carries it."""
        return spec_of(self.parts[0].operation).call

    @property
    def is_alone(self) -> bool:
        """Whether it must travel in a request of its own."""
        return spec_of(self.parts[0].operation).alone

    @property
    def is_harmless(self) -> bool:
        """Whether it contains updates only: no unknown outcome holds those back, and repeating them does no harm."""
        # A loop, not `all(...)`: this runs for every entry whose intent is recorded.
        for part in self.parts:  # noqa: SIM110
            if part.operation.__class__ is not Update:
                return False
        return True

    @property
    def irreversible(self) -> int:
        """How many of its operations cannot be taken back."""
        # A loop, not a generator: this runs several times for each entry.
        parts = self.parts
        if len(parts) == 1:
            return int(is_irreversible(parts[0].operation))
        return len([part for part in parts if is_irreversible(part.operation)])


# Verdicts: what is known about a whole request. `message` is the service's or the transport's own text. `recorded` is
# the verdict's name in the hashed ledger, in logs and in telemetry. It must never change, even when the class is
# renamed.


class Element(msgspec.Struct, frozen=True, gc=False):
    """The service's result for one lead. `success` None: contradictory or differing elements, so the result is
    unknown."""

    success: bool | None
    message: str = ""
    warnings: tuple[str, ...] = ()


_NOT_MENTIONED = Element(None, "the answer does not mention this lead")


class Elements(msgspec.Struct, frozen=True):
    """2xx and readable: elements by position of the entry; a position that is missing was not answered.

    A financials call's `Success` is reported as one successful element for each position.
    """

    recorded: ClassVar[str] = "elements"
    by_position: dict[int, Element]
    message: str = ""


class NotSent(msgspec.Struct, frozen=True):
    """No byte of the request left, or the service said 429 (`answered`). `retry_after` is in seconds."""

    recorded: ClassVar[str] = "notsent"
    message: str
    retry_after: float | None = None
    answered: bool = False


class Unread(msgspec.Struct, frozen=True):
    """405, 411, 413, 415: refused before it was read, so nothing was done."""

    recorded: ClassVar[str] = "unread"
    message: str


class Refused(msgspec.Struct, frozen=True):
    """400, 404, 422, an `Error` envelope without elements, or a financials call's Warning or Error."""

    recorded: ClassVar[str] = "refused"
    message: str


class Denied(msgspec.Struct, frozen=True):
    """401 or 403: the key or a permission is missing."""

    recorded: ClassVar[str] = "denied"
    message: str


class Lost(msgspec.Struct, frozen=True):
    """The request was sent and its outcome cannot be known: connection lost, timed out, 408, 409, 5xx, unreadable or
    cut body, HTML."""

    recorded: ClassVar[str] = "lost"
    message: str


class Redirected(msgspec.Struct, frozen=True):
    """A redirect. It is not followed, and what the first host did cannot be known."""

    recorded: ClassVar[str] = "redirected"
    message: str


Verdict = Elements | NotSent | Unread | Refused | Denied | Lost | Redirected


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """Outcome of one attempt of one operation, with the texts to record."""

    outcome: Outcome
    message: str = ""
    warnings: tuple[str, ...] = ()


class Resend(msgspec.Struct, frozen=True):
    """LeadEntries that may be sent again, as one request."""

    entries: tuple[LeadEntry, ...]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """`rulings[i][j]` judges part j of entry i.

    `again` holds the requests to send next, after a delay where `backoff` is set. `counts_as_unanswered` feeds the stop
    rule. `stop` ends the run with that sentence.
    """

    rulings: tuple[tuple[Ruling, ...], ...]
    again: tuple[Resend, ...] = ()
    backoff: bool = False
    retry_after: float | None = None
    counts_as_unanswered: bool = False
    stop: str = ""


Refusals = Literal["parts", "whole"]


def judge(verdict: Verdict, entries: tuple[LeadEntry, ...], refusals: Refusals = "parts") -> Judgement:
    """The table. `refusals` is the account's `wire.refusals`: "whole" means that a refused request had no effect at
    all."""
    match verdict:
        case Elements():
            return _elements(verdict, entries)
        case NotSent(message=message, retry_after=retry_after, answered=answered):
            rulings = _all(entries, Ruling(Outcome.NOT_SENT, message))
            # A 429 is an answer; a connection that never opened is not.
            return Judgement(
                rulings=rulings,
                again=(Resend(entries),),
                backoff=True,
                retry_after=retry_after,
                counts_as_unanswered=not answered,
            )
        case Unread(message=message):
            if len(entries) == 1:
                return Judgement(rulings=_all(entries, Ruling(Outcome.REJECTED, message)))
            return Judgement(rulings=_all(entries, Ruling(Outcome.NOT_SENT, message)), again=_halves(entries))
        case Refused(message=message):
            return _refused(message, entries, refusals)
        case Denied(message=message):
            return Judgement(rulings=_all(entries, Ruling(Outcome.NOT_SENT, message)), stop=message)
        case Lost(message=message):
            return Judgement(
                rulings=_all(entries, Ruling(Outcome.UNKNOWN, message)),
                again=_repeatable(entries),
                backoff=True,
                counts_as_unanswered=True,
            )
        case Redirected(message=message):
            return Judgement(
                rulings=_all(entries, Ruling(Outcome.UNKNOWN, message)), counts_as_unanswered=True, stop=message
            )
        case _:
            assert_never(verdict)


def _elements(verdict: Elements, entries: tuple[LeadEntry, ...]) -> Judgement:
    said = list(verdict.by_position.values())
    if said and said[0].success and said.count(said[0]) == len(entries):
        # Fast path: most answers have the same result for every lead.
        return Judgement(rulings=_all(entries, Ruling(Outcome.APPLIED, said[0].message, said[0].warnings)))
    elements = [verdict.by_position.get(position, _NOT_MENTIONED) for position in range(len(entries))]
    unknown = tuple(entry for entry, element in zip(entries, elements, strict=True) if element.success is None)
    rulings = tuple(_of_element(entry, element) for entry, element in zip(entries, elements, strict=True))
    return Judgement(rulings=rulings, again=_repeatable(unknown), backoff=True)


def _of_element(entry: LeadEntry, element: Element) -> tuple[Ruling, ...]:
    if element.success is False:
        return _rejected(entry, element.message, element.warnings)
    outcome = Outcome.APPLIED if element.success else Outcome.UNKNOWN
    return _each(entry, Ruling(outcome, element.message, element.warnings))


def _rejected(entry: LeadEntry, message: str, warnings: tuple[str, ...] = ()) -> tuple[Ruling, ...]:
    # A rejection of a single irreversible operation means that it did not happen. With several in one element, the
    # service does not say which one it rejected.
    several = entry.irreversible > 1
    return tuple(
        Ruling(Outcome.UNKNOWN if several and is_irreversible(part.operation) else Outcome.REJECTED, message, warnings)
        for part in entry.parts
    )


def _refused(message: str, entries: tuple[LeadEntry, ...], refusals: Refusals) -> Judgement:
    whole = refusals == "whole" and not entries[0].is_financial
    if len(entries) == 1:
        rejected = Ruling(Outcome.REJECTED, message)
        return Judgement(rulings=(_each(entries[0], rejected) if whole else _rejected(entries[0], message),))
    if whole:
        return Judgement(rulings=_all(entries, Ruling(Outcome.NOT_SENT, message)), again=_halves(entries))
    if not any(entry.irreversible for entry in entries):
        return Judgement(rulings=_all(entries, Ruling(Outcome.REJECTED, message)), again=_halves(entries))
    # The service may have stopped halfway: irreversible operations are in doubt, updates are sent again on their own.
    rulings = tuple(_rejected_or_unknown(entry, message) for entry in entries)
    return Judgement(rulings=rulings, again=_halves(_updates(entries)))


def _rejected_or_unknown(entry: LeadEntry, message: str) -> tuple[Ruling, ...]:
    return tuple(
        Ruling(Outcome.UNKNOWN if is_irreversible(part.operation) else Outcome.REJECTED, message)
        for part in entry.parts
    )


def _all(entries: tuple[LeadEntry, ...], ruling: Ruling) -> tuple[tuple[Ruling, ...], ...]:
    alone = (ruling,)
    return tuple([alone if len(entry.parts) == 1 else _each(entry, ruling) for entry in entries])


def _each(entry: LeadEntry, ruling: Ruling) -> tuple[Ruling, ...]:
    return (ruling,) * len(entry.parts)


def _updates(entries: tuple[LeadEntry, ...]) -> tuple[LeadEntry, ...]:
    kept: list[LeadEntry] = []
    for entry in entries:
        parts = tuple(part for part in entry.parts if not is_irreversible(part.operation))
        if parts:
            kept.append(LeadEntry(entry.lead, entry.number, parts))
    return tuple(kept)


def _repeatable(entries: tuple[LeadEntry, ...]) -> tuple[Resend, ...]:
    kept = _updates(entries)
    return (Resend(kept),) if kept else ()


def _halves(entries: tuple[LeadEntry, ...]) -> tuple[Resend, ...]:
    middle = (len(entries) + 1) // 2
    return tuple(Resend(half) for half in (entries[:middle], entries[middle:]) if half)
