"""Compares one declared item with the ledger's history of its lead: each operation's state, and what is still to send.

Rules: docs/identity.md. Pure: it reads nothing but the histories that are passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol, assert_never

import msgspec

from syncengine.core.changes import Item, NameUse
from syncengine.core.errors import Problem
from syncengine.core.history import Attempt, LastValue, LeadHistory, Standing
from syncengine.core.holds import Stopped, held
from syncengine.core.identity import operation_id
from syncengine.core.observations import AMOUNTS, MONEY
from syncengine.core.operations import (
    Financials,
    Irreversible,
    Kind,
    Operation,
    Repeatable,
    Update,
    kind_of,
    spec_of,
    target_of,
    values_of,
)
from syncengine.core.outcomes import Outcome
from syncengine.core.plan import Before, PlannedOperation, State
from syncengine.core.repeats import Clear, Lowered, may_send, thing_of
from syncengine.core.settings import Policy
from syncengine.core.values import LeadId


class StoredValues(Protocol):
    """The ledger's stored forms of values."""

    def stored(self, kind: Kind, lead: LeadId, values: Mapping[str, str]) -> dict[str, str]:
        """The stored forms of values, by name; equal forms mean equal values."""
        ...

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:
        """Whether a stored form represents `value`, in whichever form the ledger kept values at the time."""
        ...


Observed = Callable[[LeadId, Kind, str, LeadHistory], Before | None]
"""Returns the observation of a field or amount, where it is newer than the ledger's knowledge."""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation whose `rerun` is lower than a recorded one."""

    declared: PlannedOperation
    on_record: int


class _Intended(msgspec.Struct, frozen=True):
    state: State
    reason: str
    send: tuple[str, ...] = ()


class Differ:
    """Compares items with histories. `moved` maps (changeset, kind, name) to the id that a name resolved to before."""

    def __init__(
        self,
        *,
        account: str,
        policy: Policy,
        values: StoredValues | None = None,
        moved: Mapping[tuple[str, str, str], str] | None = None,
        observed: Observed | None = None,
        report: Callable[[Problem], None] = lambda _: None,
    ) -> None:
        self._account = account
        self._policy = policy
        self._values = values
        self._moved = moved or {}
        self._observed = observed
        self._report = report
        self._entry = 0

    def compare(self, item: Item, history: LeadHistory, entry: int) -> list[PlannedOperation | Generation]:
        """The item's operations in order, all with this entry's number; a Generation where `rerun` was lowered."""
        self._entry = entry
        unmet = self._unmet(item, history) if item.expect else ""
        planned = [self._operation(item, operation, history) for operation in item.operations]
        if unmet:
            return [_block(each, unmet) if isinstance(each, PlannedOperation) else each for each in planned]
        return planned

    def _settled(self, item: Item, operation: Repeatable, history: LeadHistory) -> PlannedOperation | None:
        """Fast path: the operation, where everything of its kind that was ever sent to the lead is these values, by
        this changeset.

        The result equals that of the full comparison. Most operations of a repeated plan take this path.
        """
        kind = kind_of(operation)
        attempt = history.sole(kind)
        if (
            attempt is None
            or self._values is None
            or attempt.changeset != item.changeset
            or not attempt.comparable
            or history.forgotten
            or attempt.answer is None
            or attempt.answer.outcome is not Outcome.APPLIED
        ):
            return None
        stored = self._values.stored(kind, item.lead, values_of(operation))
        if stored != attempt.values:
            return None
        return PlannedOperation(
            id=operation_id(self._account, item.changeset, operation),
            changeset=item.changeset,
            change=item.change,
            entry=self._entry,
            operation=operation,
            origin=item.origin,
            state=State.ALREADY_APPLIED,
            reason=f"applied in run {attempt.run}",
            before=_stored_befores(stored, attempt.changeset),
            facts=attempt.records,
            names=_names_of(item, operation) if item.names else (),
        )

    def _operation(self, item: Item, operation: Operation, history: LeadHistory) -> PlannedOperation | Generation:
        if isinstance(operation, Repeatable):
            planned = self._repeatable(item, operation, history)
        else:
            decided = self._irreversible(item, operation, history)
            if isinstance(decided, Generation):
                return decided
            planned = decided
        if planned.state is State.TO_SEND:
            if history.forgotten:
                return _block(planned, "forgotten: this lead was erased from the ledger, so nothing is sent for it")
            moved = self._moved_name(item, operation)
            if moved:
                return _block(planned, moved)
        return planned

    def _base(
        self,
        item: Item,
        operation: Operation,
        history: LeadHistory,
        *,
        state: State,
        reason: str = "",
        send: tuple[str, ...] = (),
        before: dict[str, Before] | None = None,
        done: tuple[str, ...] = (),
        beside_doubt: bool = False,
    ) -> PlannedOperation:
        kind = kind_of(operation)
        target = target_of(operation)
        return PlannedOperation(
            id=operation_id(self._account, item.changeset, operation),
            changeset=item.changeset,
            change=item.change,
            entry=self._entry,
            operation=operation,
            origin=item.origin,
            state=state,
            reason=reason,
            send=send,
            before=before or {},
            facts=history.facts(kind, target, values_of(operation)) if history.attempts or history.forgotten else 0,
            done=done,
            names=_names_of(item, operation),
            beside_doubt=beside_doubt,
        )

    def _repeatable(self, item: Item, operation: Repeatable, history: LeadHistory) -> PlannedOperation:
        values = values_of(operation)
        if not history.attempts and self._observed is None:
            return self._base(item, operation, history, state=State.TO_SEND, send=tuple(values))
        settled = self._settled(item, operation, history)
        if settled is not None:
            return settled
        kind = kind_of(operation)
        flight = _in_flight(item, kind, values, history)
        if flight:
            return self._base(item, operation, history, state=State.IN_DOUBT, reason=flight)
        pending, notes = self._pending(item, kind, values, history)
        # Without pending values an observation could not change the result, so the service is not asked. Of financials,
        # the amount that is not declared is included as well: findings and views show the margin.
        names = dict.fromkeys((*values, *AMOUNTS)) if kind is Kind.FINANCIALS else values
        before = self._before(item.lead, kind, names, history, look=bool(pending))
        if not pending:
            notes_in_words = "; ".join(notes)
            return self._base(
                item, operation, history, state=State.ALREADY_APPLIED, reason=notes_in_words, before=before
            )
        intended = self._intended(item, operation, history, pending=pending, before=before)
        return self._base(
            item,
            operation,
            history,
            state=intended.state,
            reason=intended.reason,
            send=intended.send,
            before=before,
            beside_doubt=intended.state is State.TO_SEND and bool(history.doubts),
        )

    def _intended(
        self,
        item: Item,
        operation: Repeatable,
        history: LeadHistory,
        *,
        pending: Mapping[str, str],
        before: Mapping[str, Before],
    ) -> _Intended:
        """The state of values that this changeset did not apply last."""
        money = isinstance(operation, Financials)
        # A doubt holds even values that were observed unchanged: the operation in doubt may still change the lead's
        # money.
        stopped = held(history) if money else None
        if stopped is not None:
            return _Intended(stopped.state, stopped.reason)
        due = _due(pending, before)
        if not due:
            return _Intended(State.UNCHANGED, _unchanged(pending, before))
        stale_key = self._overwritten_under_old_key(item, kind_of(operation), due, history)
        if stale_key:
            return _Intended(State.BLOCKED, stale_key)
        reason = _last_refusal(item, operation, self._account, history)
        if history.doubts:
            reason = "; ".join(filter(None, [reason, "this lead has an irreversible operation in doubt"]))
        if money:
            # The declared buyer travels with every amount, so a changed buyer requires all declared amounts.
            due = tuple(n for n in values_of(operation) if n in due or n == "buyer" or "buyer" in due)
        return _Intended(State.TO_SEND, reason, due)

    def _irreversible(self, item: Item, operation: Irreversible, history: LeadHistory) -> PlannedOperation | Generation:
        identity = operation_id(self._account, item.changeset, operation)
        thing = thing_of(operation, identity=identity, changeset=item.changeset, policy=self._policy)
        match may_send(thing, history):
            case Clear(done=done, rejected=rejected):
                reason = "" if rejected is None else f"rejected before: {rejected}"
                return self._base(item, operation, history, state=State.TO_SEND, reason=reason, done=done)
            case Stopped(state=state, reason=reason, done=done):
                if state is State.ALREADY_APPLIED:
                    self._note_edits(item, operation, history.of_operation(identity))
                return self._base(item, operation, history, state=state, reason=reason, done=done)
            case Lowered(on_record=on_record):
                declared = self._base(item, operation, history, state=State.BLOCKED)
                return Generation(declared=declared, on_record=on_record)
            case other:
                assert_never(other)

    def _note_edits(self, item: Item, operation: Irreversible, own: Sequence[Attempt]) -> None:
        """Note that texts outside the identity were edited: an applied operation is not sent again because of them."""
        applied = next(attempt for attempt in own if attempt.standing is Standing.APPLIED)
        for name, value in values_of(operation).items():
            stored = applied.values.get(name)
            if stored is None or self._values is None or not applied.comparable:
                continue
            spec = spec_of(operation)
            if not self._values.matches(stored, spec.kind, item.lead, name, value):
                self._report(
                    Problem(
                        code="SE410",
                        severity="note",
                        message=(
                            f"the {name} of {spec.the} of lead {item.lead} is another one than run {applied.run} sent; "
                            f"a {spec.noun} is sent once, so nothing is sent"
                        ),
                        file=item.origin.file,
                        line=item.origin.line,
                        column=1,
                        row=item.origin.row,
                    )
                )

    def _pending(
        self, item: Item, kind: Kind, values: Mapping[str, str], history: LeadHistory
    ) -> tuple[dict[str, str], list[str]]:
        """Fields whose last value applied by this changeset differs from the declared one, and notes on the others."""
        pending: dict[str, str] = {}
        notes: list[str] = []
        for name, value in values.items():
            own = history.own_slot(item.changeset, kind, name)
            if own is None or own.stored is None or not own.comparable or not self._equal(own, item, kind, name, value):
                pending[name] = value
                continue
            last = history.last_slot(kind, name)
            if last is not None and last.changeset != item.changeset:
                notes.append(f"{name} was overwritten by changeset {last.changeset} in run {last.run}")
            elif not notes:
                notes.append(f"applied in run {own.run}")
        return pending, notes

    def _equal(self, slot: LastValue, item: Item, kind: Kind, name: str, value: str) -> bool:
        return (
            slot.stored is not None
            and self._values is not None
            and self._values.matches(slot.stored, kind, item.lead, name, value)
        )

    def _overwritten_under_old_key(self, item: Item, kind: Kind, pending: Iterable[str], history: LeadHistory) -> str:
        """After a change of the ledger's key, keep a field that a later changeset wrote from reverting to this one's
        value."""
        for name in pending:
            own = history.own_slot(item.changeset, kind, name)
            last = history.last_slot(kind, name)
            if own is None or own.comparable or last is None or last.changeset == item.changeset:
                continue
            return (
                f"{name} was written later by changeset {last.changeset} in run {last.run}, and the ledger's key was "
                "replaced since, so it is not known whether this value was applied; remove it from this changeset"
            )
        return ""

    def _before(
        self, lead: LeadId, kind: Kind, values: Iterable[str], history: LeadHistory, *, look: bool
    ) -> dict[str, Before]:
        """The value before for each name: the observed one, else the ledger's, else the reason why nothing could be
        observed."""
        before: dict[str, Before] = {}
        for name in values:
            seen = self._observed(lead, kind, name, history) if look and self._observed is not None else None
            if seen is not None and seen.value is not None:
                before[name] = seen
                continue
            known = _from_ledger(history.last_slot(kind, name)) or seen
            if known is not None:
                before[name] = known
        return before

    def _unmet(self, item: Item, history: LeadHistory) -> str:
        money = any(isinstance(operation, Financials) for operation in item.operations)
        for name, expected in item.expect.items():
            kind = Kind.FINANCIALS if money and name in MONEY else Kind.UPDATE
            seen = self._observed(item.lead, kind, name, history) if self._observed is not None else None
            if seen is not None and seen.value is not None:
                if seen.value != expected:
                    return f"expect: {name} was observed to hold another value"
                continue
            last = history.last_slot(kind, name)
            known = last is not None and last.stored is not None and last.comparable
            if known and last is not None and not self._equal(last, item, kind, name, expected):
                return f"expect: {name} was last set to another value by changeset {last.changeset}"
        return ""

    def _moved_name(self, item: Item, operation: Operation) -> str:
        for use in _names_of(item, operation) if self._moved else ():
            old = self._moved.get((item.changeset, use.kind, use.name))
            if old is not None and old != use.target:
                return (
                    f"the {use.kind} name '{use.name}' meant {old} when this changeset was applied and now means "
                    f"{use.target}; write {old} into the changeset, or give {use.target} a name of its own"
                )
        return ""


def _names_of(item: Item, operation: Operation) -> tuple[NameUse, ...]:
    if not item.names or operation.__class__ is Update:
        return ()
    # A name is stored as "delivery" or "buyer", which is also the operations' field that holds its id.
    return tuple(use for use in item.names if getattr(operation, use.kind, None) == use.target)


def _block(planned: PlannedOperation, reason: str) -> PlannedOperation:
    if planned.state is not State.TO_SEND:
        return planned
    return msgspec.structs.replace(planned, state=State.BLOCKED, reason=reason, send=())


def _due(pending: Mapping[str, str], before: Mapping[str, Before]) -> tuple[str, ...]:
    """The pending values that were not observed to be set already."""
    return tuple(
        name
        for name, value in pending.items()
        if (known := before.get(name)) is None or known.origin != "observed" or known.value != value
    )


def _unchanged(pending: Mapping[str, str], before: Mapping[str, Before]) -> str:
    seen = sorted({before[name].by.replace(".000000Z", "Z") for name in pending})
    return f"observed to hold these values already ({', '.join(seen)})"


def _from_ledger(slot: LastValue | None) -> Before | None:
    if slot is None:
        return None
    if slot.stored is None:
        return Before(origin="unknown", by=slot.changeset, note=f"not confirmed in run {slot.run}")
    return _stored_before(slot.stored, slot.changeset)


def _stored_befores(stored: Mapping[str, str], changeset: str) -> dict[str, Before]:
    digest = _digest_before(changeset)
    return {name: digest if form[0] == "#" else _stored_before(form, changeset) for name, form in stored.items()}


def _stored_before(stored: str, changeset: str) -> Before:
    if stored.startswith("="):
        return Before(origin="ledger", value=stored[1:], by=changeset)
    return _digest_before(changeset)


@lru_cache(maxsize=64)
def _digest_before(changeset: str) -> Before:
    return Before(origin="ledger", by=changeset)


def _in_flight(item: Item, kind: Kind, values: Mapping[str, str], history: LeadHistory) -> str:
    for attempt in history.attempts:
        if (
            attempt.standing is Standing.IN_FLIGHT
            and attempt.changeset == item.changeset
            and attempt.kind is kind
            and not values.keys().isdisjoint(attempt.values)
        ):
            return f"in flight in run {attempt.run}"
    return ""


def _last_refusal(item: Item, operation: Operation, account: str, history: LeadHistory) -> str:
    own = history.of_operation(operation_id(account, item.changeset, operation))
    last = own[-1] if own else None
    if last is None:
        return ""
    if last.standing is Standing.REJECTED and last.answer is not None:
        return f"rejected before: {last.answer.message}"
    if last.standing is Standing.UNKNOWN:
        return f"the outcome of run {last.run} is unknown; a repeat does no harm"
    return ""
