"""History of one lead: a pure fold over the recorded attempts. Plan, apply and status all use it.

The state is computed from the records and not stored, so that no copy of it can disagree with them
(docs/decisions/0003-history-is-folded-not-stored.md). See docs/identity.md for the rules and docs/outcomes.md for the
outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cached_property

import msgspec

from syncengine.core.operations import IRREVERSIBLE, SPECS, Kind
from syncengine.core.outcomes import Outcome
from syncengine.core.values import ChangesetId, LeadId, OperationId, RunId


class Standing(StrEnum):
    """State of one attempt, resolutions included."""

    APPLIED = "applied"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    """The request never left, or a person resolved that it did not happen: it had no effect."""
    UNKNOWN = "unknown"
    IN_FLIGHT = "in_flight"
    """The intent of a run that is in progress."""

    __hash__ = str.__hash__  # Enum's own hash is a Python-level call for every look-up.


_ANSWERED = {outcome: Standing(outcome.value) for outcome in Outcome}


class RecordedAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The recorded outcome of one attempt."""

    outcome: Outcome
    message: str = ""
    at: str = ""


class Resolution(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person's decision about an attempt whose outcome is unknown."""

    applied: bool
    by: str
    note: str
    at: str


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One sending of one operation. `number` grows with time within an account. Times are UTC, ISO 8601.

    `values` maps what was sent to its stored form: "#digest", or "=text" for plain ledgers, amounts and buyers.
    `comparable` is False where the digests were made with a ledger key that was since replaced.
    """

    number: int
    operation: OperationId
    changeset: ChangesetId
    lead: LeadId
    kind: Kind
    run: RunId
    plan: str
    delivery: str = ""
    generation: int = 1
    values: dict[str, str] = {}
    at: str = ""
    answer: RecordedAnswer | None = None
    resolution: Resolution | None = None
    live: bool = False
    comparable: bool = True

    @property
    def standing(self) -> Standing:
        """State of an attempt. A recorded answer outranks a resolution, whichever came first; a resolution outranks
        "unknown"."""
        if self.answer is not None and self.answer.outcome is not Outcome.UNKNOWN:
            return _ANSWERED[self.answer.outcome]
        if self.resolution is not None:
            return Standing.APPLIED if self.resolution.applied else Standing.NOT_SENT
        if self.answer is None and self.live:
            return Standing.IN_FLIGHT
        return Standing.UNKNOWN

    @property
    def moment(self) -> str:
        """Latest time at which the attempt may have taken effect, as far as recorded: UTC, ISO 8601."""
        return max(self.at, self.answer.at if self.answer is not None else "")

    @property
    def touch(self) -> str:
        """What the attempt affects beyond its fields: the lead's money, a delivery, the reprocess, the quarantine."""
        return touch_of(self.kind, self.delivery)

    @property
    def records(self) -> int:
        """Number of ledger records about the attempt: the intent, the outcome, the resolution."""
        return 1 + (self.answer is not None) + (self.resolution is not None)

    @property
    def contradicted(self) -> bool:
        """Whether a recorded answer contradicts a person's resolution."""
        if self.resolution is None or self.answer is None or self.answer.outcome is Outcome.UNKNOWN:
            return False
        return self.resolution.applied != (self.answer.outcome is Outcome.APPLIED)


_TOUCH = {kind: spec.touch for kind, spec in SPECS.items()}
_SAME_TOUCH = {
    kind: frozenset(other for other in SPECS if other is kind or (touch and _TOUCH[other] == touch))
    for kind, touch in _TOUCH.items()
}


def touching_kinds(kind: Kind) -> frozenset[Kind]:
    """The kinds that can affect the same thing as this kind."""
    return _SAME_TOUCH[kind]


def touch_of(kind: Kind, target: str) -> str:
    """Name of the thing that operations of this kind share; "" where they share single fields only."""
    touch = _TOUCH[kind]
    return touch.replace("{target}", target) if target else touch


class LastValue(msgspec.Struct, frozen=True):
    """Last recorded state of one field or amount. `stored` None: an unconfirmed attempt left the last value unknown."""

    stored: str | None
    changeset: ChangesetId
    run: RunId
    comparable: bool
    at: str


def settled_as(attempts: Sequence[Attempt]) -> Standing | None:
    """State of one operation after all its attempts; None where none was applied or rejected.

    A rejection settles only the attempt that it answers: after an unknown attempt the operation stays unknown until a
    later one is applied.
    """
    standing: Standing | None = None
    for attempt in attempts:
        match attempt.standing:
            case Standing.APPLIED | Standing.UNKNOWN | Standing.IN_FLIGHT as decided:
                standing = decided
            case Standing.REJECTED:
                standing = standing if standing in DOUBTFUL else Standing.REJECTED
            case Standing.NOT_SENT:
                pass
    return standing


DOUBTFUL = frozenset({Standing.UNKNOWN, Standing.IN_FLIGHT})

_NEVER = "9999"
"""Later than any time."""


class LeadHistory:
    """All attempts on one lead of one account, oldest first, with queries over them."""

    def __init__(self, attempts: Sequence[Attempt] = (), *, forgotten: bool = False) -> None:
        self.attempts = tuple(attempts)
        self.forgotten = forgotten

    def of_operation(self, operation: OperationId) -> list[Attempt]:
        """Attempts of one operation, oldest first."""
        return [attempt for attempt in self.attempts if attempt.operation == operation]

    def sole(self, kind: Kind) -> Attempt | None:
        """The only attempt of this kind; None where there is none, or more than one."""
        if len(self.attempts) == 1:
            attempt = self.attempts[0]
            return attempt if attempt.kind is kind else None
        found = [attempt for attempt in self.attempts if attempt.kind is kind]
        return found[0] if len(found) == 1 else None

    def own_slot(self, changeset: ChangesetId, kind: Kind, name: str) -> LastValue | None:
        """Value that `changeset` last confirmed for this field or amount; None where it never attempted it."""
        return self._slot(kind, name, lambda attempt: attempt.changeset == changeset)

    def last_slot(self, kind: Kind, name: str) -> LastValue | None:
        """Value that any changeset last confirmed for this field or amount."""
        return self._slot(kind, name, lambda _: True)

    def _slot(self, kind: Kind, name: str, wanted: Callable[[Attempt], bool]) -> LastValue | None:
        slot: LastValue | None = None
        for attempt in self.attempts:
            stored = attempt.values.get(name) if attempt.kind is kind else None
            if stored is None or attempt.standing is Standing.NOT_SENT or not wanted(attempt):
                continue
            if attempt.standing is Standing.APPLIED:
                slot = LastValue(stored, attempt.changeset, attempt.run, attempt.comparable, attempt.at)
            elif slot is None or slot.stored != stored:
                slot = LastValue(None, attempt.changeset, attempt.run, attempt.comparable, attempt.at)
        return slot

    def last_attempt_at(self, kind: Kind, name: str) -> str:
        """Time of the last attempt on this field or amount. Values observed no later than this say nothing about the
        present.

        Every attempt counts, whatever its outcome: that an attempt had no effect is sometimes only a person's claim.
        The time of the answer counts where there is one, since the value may have been set up to then. "" where there
        was no attempt; later than any time while an answer may still arrive.
        """
        last = ""
        for attempt in self.attempts:
            if attempt.kind is kind and name in attempt.values:
                if attempt.standing is Standing.IN_FLIGHT:
                    return _NEVER
                last = max(last, attempt.moment)
        return last

    @cached_property
    def doubts(self) -> tuple[Attempt, ...]:
        """Irreversible attempts of unknown outcome. They hold back the lead's money and its other irreversible
        operations."""
        return tuple(a for a in self.attempts if a.kind in IRREVERSIBLE and a.standing in DOUBTFUL)

    def same_thing(self, kind: Kind, delivery: str) -> list[Attempt]:
        """Attempts of every changeset and generation on the same delivery, the lead's reprocess, or its quarantine."""
        touch, kinds = touch_of(kind, delivery), touching_kinds(kind)
        return [attempt for attempt in self.attempts if attempt.kind in kinds and attempt.touch == touch]

    def facts(self, kind: Kind, delivery: str, names: Iterable[str], *, except_plan: str | None = None) -> int:
        """Number of ledger records on everything an operation affects; a plan's own records can be left out.

        Two operations affect the same thing when they share a field, the lead's money, a delivery, a reprocess of the
        lead, or a release or rejection of the same quarantined lead. An erasure counts as one record.
        """
        touch, kinds = touch_of(kind, delivery), touching_kinds(kind)
        wanted = frozenset(names)
        count = int(self.forgotten)
        for attempt in self.attempts:
            if attempt.kind not in kinds or attempt.plan == except_plan:
                continue
            if attempt.touch == touch if touch else not wanted.isdisjoint(attempt.values):
                count += attempt.records
        return count


NO_HISTORY = LeadHistory()
"""The history of a lead without attempts."""
