"""The rule that decides whether an irreversible operation may be sent. Planning evaluates it, and the commit of the
intent evaluates it again.

See docs/identity.md: repeats, generations, doubts and holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncengine.core.history import DOUBTFUL, Attempt, LeadHistory, Standing
from syncengine.core.holds import Stopped, doubt_in_words, held
from syncengine.core.operations import SPECS, Irreversible, Kind, spec_of, target_of
from syncengine.core.plan import State
from syncengine.core.settings import Policy
from syncengine.core.values import ChangesetId, OperationId


class IrreversibleAction(msgspec.Struct, frozen=True, kw_only=True):
    """An irreversible operation as the rule sees it. `allowed` says whether the policy allows repeats by another
    changeset."""

    id: OperationId
    changeset: ChangesetId
    kind: Kind
    delivery: str
    generation: int
    allowed: bool


def thing_of(
    operation: Irreversible, *, identity: OperationId, changeset: ChangesetId, policy: Policy
) -> IrreversibleAction:
    """The rule's view of a changeset's irreversible operation, with the policy's answer about repeats."""
    spec = spec_of(operation)
    return IrreversibleAction(
        id=identity,
        changeset=changeset,
        kind=spec.kind,
        delivery=target_of(operation),
        generation=operation.generation,
        allowed=bool(spec.repeat) and getattr(policy, spec.repeat) == "allow",
    )


def thing_in_words(kind: Kind, delivery: str) -> str:
    """What an irreversible operation does to a lead, as a phrase for messages."""
    return SPECS[kind].done.replace("{target}", delivery)


class Clear(msgspec.Struct, frozen=True):
    """The operation may be sent. `done` lists the runs that did the same before; `rejected` is the last rejection's
    message."""

    done: tuple[str, ...] = ()
    rejected: str | None = None


class Lowered(msgspec.Struct, frozen=True):
    """Its generation is lower than one that the same changeset has on record."""

    on_record: int


def may_send(thing: IrreversibleAction, history: LeadHistory) -> Clear | Stopped | Lowered:
    """The rule. Reasons are checked from the strongest to the weakest."""
    if not history.attempts:
        return Clear()
    same = history.same_thing(thing.kind, thing.delivery)
    own = [attempt for attempt in same if attempt.operation == thing.id]
    others = [attempt for attempt in same if attempt.operation != thing.id]
    done = tuple(map(_run_in_words, filter(_is_applied, same)))
    return (
        _settled(thing, own, others, done)
        or _doubted(thing, others, done)
        or _lowered(thing, others)
        or _repeated(thing, others, done)
        or held(history, done)
        or Clear(done, _last_refusal(own))
    )


def _settled(
    thing: IrreversibleAction, own: Sequence[Attempt], others: Sequence[Attempt], done: tuple[str, ...]
) -> Stopped | Lowered | None:
    settled = _own(own, done)
    if settled is not None and settled.state is State.ALREADY_APPLIED:
        # Setting `rerun` back is a mistake whether or not the lower generation was applied.
        return _lowered(thing, others) or settled
    return settled


def _is_applied(attempt: Attempt) -> bool:
    return attempt.standing is Standing.APPLIED


def _run_in_words(attempt: Attempt) -> str:
    rerun = f", rerun {attempt.generation}" if attempt.generation > 1 else ""
    return f"{attempt.run} ({attempt.changeset}{rerun})"


def forbidden_repeat(thing: IrreversibleAction, history: LeadHistory) -> str | None:
    """Why the policy forbids the operation as a repeat of another changeset's; None where the policy allows it."""
    others = [a for a in history.same_thing(thing.kind, thing.delivery) if a.operation != thing.id]
    repeated = _repeated(thing, others, ())
    return None if repeated is None else repeated.reason


def _own(own: Sequence[Attempt], done: tuple[str, ...]) -> Stopped | None:
    applied = next((a for a in own if a.standing is Standing.APPLIED), None)
    if applied is not None:
        return Stopped(State.ALREADY_APPLIED, f"applied in run {applied.run}", done)
    doubt = next((a for a in own if a.standing in DOUBTFUL), None)
    if doubt is None:
        return None
    return Stopped(State.IN_DOUBT, doubt_in_words(doubt), done)


def contradiction_in_words(attempt: Attempt) -> str:
    """The contradiction between a recorded answer and a person's resolution, as a sentence."""
    said = "applied" if attempt.resolution is not None and attempt.resolution.applied else "not applied"
    answer = attempt.answer.outcome.value if attempt.answer is not None else "unknown"
    by = attempt.resolution.by if attempt.resolution is not None else ""
    return f"operation {attempt.operation} (lead {attempt.lead}): {by} resolved it as {said}, the service says {answer}"


def _doubted(thing: IrreversibleAction, others: Sequence[Attempt], done: tuple[str, ...]) -> Stopped | None:
    doubt = next((a for a in others if a.standing in DOUBTFUL), None)
    if doubt is None:
        return None
    what = thing_in_words(doubt.kind, doubt.delivery)
    words = f"{what} for this lead is in doubt: changeset {doubt.changeset}, {doubt_in_words(doubt)}"
    state = State.HELD if doubt.changeset == thing.changeset else State.BLOCKED
    return Stopped(state, words, done)


def _lowered(thing: IrreversibleAction, others: Sequence[Attempt]) -> Lowered | None:
    recorded = [a.generation for a in others if a.changeset == thing.changeset and a.standing is not Standing.NOT_SENT]
    highest = max(recorded, default=0)
    return Lowered(highest) if highest > thing.generation else None


def _repeated(thing: IrreversibleAction, others: Sequence[Attempt], done: tuple[str, ...]) -> Stopped | None:
    # Another generation of the same operation is `rerun`. The same changeset may also want something else by now: it
    # released a lead and says reject, or aims at another buyer.
    wanted = (thing.changeset, thing.kind, thing.delivery)
    elsewhere = [a for a in others if (a.changeset, a.kind, a.delivery) != wanted and a.standing is Standing.APPLIED]
    if not elsewhere or thing.allowed or thing.generation > max(1, *(a.generation for a in elsewhere)):
        return None
    if thing.generation == 1:
        way_out = "declare 'rerun: 2' to do it again on purpose"
    else:
        # A `rerun` that was copied from another changeset permits nothing: otherwise copying a file would sell the lead
        # again. See docs/decisions/0004-generations-across-changesets.md.
        way_out = f"rerun {thing.generation} was already done; a further one needs a higher number"
    last = elsewhere[-1]
    return Stopped(
        State.BLOCKED,
        f"{thing_in_words(last.kind, last.delivery)} was already done for this lead by changeset {last.changeset} "
        f"in run {last.run}; {way_out}",
        done,
    )


def _last_refusal(own: Sequence[Attempt]) -> str | None:
    last = own[-1] if own else None
    if last is None or last.standing is not Standing.REJECTED or last.answer is None:
        return None
    return last.answer.message
