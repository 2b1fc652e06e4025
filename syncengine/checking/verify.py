"""Reads back what was applied. It waits first, because the service queues its work, and reads one lead at a time.

See docs/verify.md for the meaning of the three marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice

import msgspec

from syncengine.checking.observed_comparison import (
    NOT_READABLE,
    Compared,
    Seen,
    compared,
    last_touch,
)
from syncengine.core.history import Attempt, LeadHistory, Standing
from syncengine.core.observations import LeadReading, Observation, UnreadLead
from syncengine.core.operations import IRREVERSIBLE, SPECS, Kind
from syncengine.core.ports import Clock, LedgerView
from syncengine.core.values import ChangesetId, LeadId, OperationId, RunId, is_service_id

_BATCH = 200
_MOST_PENDING = 10_000
"""Differing operations that are read again; beyond this number the first reading decides."""

LATE = "the deadline passed before it could be read; verify again later"


class Mark(StrEnum):
    """Result of reading back an applied operation."""

    VERIFIED = "verified"
    DIFFERENT = "different"
    UNREADABLE = "unreadable"
    """Unknown: its kind cannot be read, it was overwritten since, or the service did not return it."""


class CheckedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """One applied operation, read back. `reason` says why it is unreadable, where that holds for the whole
    operation."""

    operation: OperationId
    lead: LeadId
    kind: Kind
    changeset: ChangesetId
    run: RunId
    mark: Mark
    values: tuple[Compared, ...] = ()
    reason: str = ""
    asked: bool = False
    read: bool = False
    """Whether the service was asked, and whether it returned the lead."""


class ReadPatience(msgspec.Struct, frozen=True, kw_only=True):
    """Waiting times, in seconds. A lead is read at the earliest `settle` after its last write. Differing leads are read
    `polls` times again, `interval` apart. After `deadline` nothing more is read (None: no limit)."""

    settle: float
    polls: int
    interval: float
    deadline: float | None = None


class _AppliedOperation(msgspec.Struct, frozen=True):
    """An applied operation: for each name the attempt that set it last, and what happened to it since."""

    operation: OperationId
    attempts: dict[str, Attempt]
    overwritten: dict[str, str]
    last: Attempt
    ready: str


class Verification:
    """Verifies operations of one account. `wait` sleeps for so many seconds; `tell` receives notes about longer
    waits."""

    def __init__(
        self,
        view: LedgerView,
        reader: LeadReading,
        clock: Clock,
        wait: Callable[[float], object],
        *,
        pace: ReadPatience,
        tell: Callable[[str], None],
    ) -> None:
        self._view = view
        self._reader = reader
        self._clock = clock
        self._wait = wait
        self._pace = pace
        self._tell = tell
        self._end = None if pace.deadline is None else clock.monotonic() + pace.deadline
        self._told = False

    def run(
        self, account: str, operations: Iterable[tuple[OperationId, LeadId]], mine: Callable[[Attempt], bool]
    ) -> Iterator[CheckedOperation]:
        """Every operation of which `mine` attempts were applied, in their order; differing ones come last."""
        pending: list[tuple[_AppliedOperation, CheckedOperation]] = []
        for batch, known in self._batches(account, operations):
            seen: dict[LeadId, Seen] = {}
            for operation, lead in batch:
                history = known.get(lead)
                subject = None if history is None else _subject(operation, history, mine)
                if subject is None:
                    continue
                checked = self._check(subject, seen)
                if checked.mark is Mark.DIFFERENT and len(pending) < _MOST_PENDING:
                    pending.append((subject, checked))
                else:
                    yield checked
        yield from self._again(pending)

    def _batches(
        self, account: str, operations: Iterable[tuple[OperationId, LeadId]]
    ) -> Iterator[tuple[list[tuple[OperationId, LeadId]], Mapping[LeadId, LeadHistory]]]:
        remaining = iter(operations)
        while batch := list(islice(remaining, _BATCH)):
            yield batch, self._view.histories(account, list({lead for _, lead in batch}))

    def _check(self, subject: _AppliedOperation, seen: dict[LeadId, Seen]) -> CheckedOperation:
        if subject.last.kind in IRREVERSIBLE:
            what = "a trigger" if subject.last.kind is Kind.TRIGGER else SPECS[subject.last.kind].done
            return _checked(subject, (), f"{what} cannot be read back")
        if not subject.attempts:
            return _checked(subject, (), "the ledger keeps no values of it any more")
        if len(subject.overwritten) == len(subject.attempts):
            return _checked(subject, _values(self._view, subject, None), "overwritten since")
        lead = subject.last.lead
        if not is_service_id(lead):
            return _checked(subject, _values(self._view, subject, NOT_READABLE))
        if lead not in seen:
            seen[lead] = self._read(lead, subject.ready)
        checked = _checked(subject, _values(self._view, subject, seen[lead]))
        return msgspec.structs.replace(checked, asked=True, read=isinstance(seen[lead], Observation))

    def _read(self, lead: LeadId, since: str) -> Seen:
        return self._reader.read(lead) if self._settled(since) else UnreadLead(LATE)

    def _settled(self, since: str) -> bool:
        """Wait until `settle` seconds after a moment; False where the deadline comes first."""
        age = (datetime.fromisoformat(self._clock.now()) - datetime.fromisoformat(since)).total_seconds()
        # A moment in the future was recorded by another clock. Do not wait for it twice.
        left = min(self._pace.settle - age, self._pace.settle)
        if left > 1 and not self._told:
            self._told = True
            self._tell(f"waiting {left:.0f} s, so that the service has done what was sent last")
        return self._waited(left)

    def _waited(self, seconds: float) -> bool:
        left = None if self._end is None else self._end - self._clock.monotonic()
        if left is not None and (left <= 0 or seconds > left):
            return False
        if seconds > 0:
            self._wait(seconds)
        return True

    def _again(self, pending: list[tuple[_AppliedOperation, CheckedOperation]]) -> Iterator[CheckedOperation]:
        for _ in range(self._pace.polls):
            if not pending:
                return
            self._tell(
                f"{len(pending)} differ; reading them again in {self._pace.interval:.0f} s, as the service may be late"
            )
            if not self._waited(self._pace.interval):
                break
            seen: dict[LeadId, Seen] = {}
            still: list[tuple[_AppliedOperation, CheckedOperation]] = []
            for subject, before in pending:
                checked = self._check(subject, seen)
                if checked.mark is Mark.VERIFIED:
                    yield checked
                else:
                    # A later unreadable result does not cancel the difference that was observed.
                    still.append((subject, checked if checked.mark is Mark.DIFFERENT else before))
            pending = still
        yield from (checked for _, checked in pending)


def _subject(operation: OperationId, history: LeadHistory, mine: Callable[[Attempt], bool]) -> _AppliedOperation | None:
    own = filter(mine, history.of_operation(operation))
    applied = [attempt for attempt in own if attempt.standing is Standing.APPLIED]
    if not applied:
        return None
    attempts = {name: attempt for attempt in applied for name in attempt.values}
    reasons = {name: _changed_since(history, attempt, name) for name, attempt in attempts.items()}
    overwritten = {name: reason for name, reason in reasons.items() if reason}
    ready = max(attempt.moment for attempt in applied)
    return _AppliedOperation(operation, attempts, overwritten, applied[-1], ready)


def _changed_since(history: LeadHistory, attempt: Attempt, name: str) -> str:
    """Why a value need not be as `attempt` set it any more; "" where nothing touched it since."""
    touch = last_touch(history, attempt.kind, name)
    return "" if touch is None else _since(attempt, touch, name)


def _since(own: Attempt, last: Attempt, name: str) -> str:
    """What a later attempt did to this value; "" where it is still as it was applied."""
    if last.number <= own.number:
        return ""
    where = f"changeset {last.changeset} in run {last.run}"
    if last.standing is Standing.APPLIED:
        return "" if last.values[name] == own.values[name] else f"overwritten since by {where}"
    return f"perhaps overwritten since by {where}, whose outcome is {last.standing.value}"


def _values(view: LedgerView, subject: _AppliedOperation, seen: Seen | None) -> tuple[Compared, ...]:
    found = []
    for name, attempt in subject.attempts.items():
        reason = subject.overwritten.get(name)
        if reason:
            found.append(Compared(name=name, state="unknown", reason=reason))
        else:
            found.append(compared(view, attempt, name, seen))
    return tuple(found)


def _checked(subject: _AppliedOperation, values: tuple[Compared, ...], reason: str = "") -> CheckedOperation:
    mark = _mark_of({value.state for value in values})
    if mark is Mark.UNREADABLE and reason in ("", "overwritten since"):
        reason = next((value.reason for value in values if value.reason), reason)
    last = subject.last
    return CheckedOperation(
        operation=subject.operation,
        lead=last.lead,
        kind=last.kind,
        changeset=last.changeset,
        run=last.run,
        mark=mark,
        values=values,
        reason=reason,
    )


def _mark_of(states: set[str]) -> Mark:
    if "different" in states:
        return Mark.DIFFERENT
    return Mark.VERIFIED if states == {"same"} else Mark.UNREADABLE
