"""Compares the last applied value of each field and amount with the lead's current one, from an export or the service.

Streams: each field of each lead is one line, that of the last operation on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from syncengine.checking.observed_comparison import (
    NOT_READABLE,
    Compared,
    Seen,
    State,
    compared,
    last_touch,
)
from syncengine.core.history import Attempt, LeadHistory
from syncengine.core.observations import LeadReading, UnreadLead
from syncengine.core.operations import Kind
from syncengine.core.ports import LedgerView, OperationRecord
from syncengine.core.values import ChangesetId, LeadId, RunId, is_service_id
from syncengine.planning.observed import ObservedValues, Unseen

_BATCH = 500


class DriftLine(msgspec.Struct, frozen=True, kw_only=True):
    """One field or amount of one lead. `changeset` and `run` wrote it last, at `at` (UTC, ISO 8601).

    `applied` is None where the ledger keeps a digest, `now` where nothing was observed.
    """

    lead: LeadId
    kind: Kind
    field: str
    changeset: ChangesetId
    run: RunId
    at: str
    state: State
    reason: str = ""
    applied: str | None = None
    now: str | None = None


class CountedReading:
    """Reads leads from the service, and counts requested (`reads`) and unreadable (`unread`) ones."""

    def __init__(self, reader: LeadReading) -> None:
        self._reader = reader
        self.reads = 0
        self.unread = 0

    def read(self, lead: LeadId) -> Seen:
        """The lead's current values. Sends no request for a lead that is not addressed by a lead id."""
        if not is_service_id(lead):
            return NOT_READABLE
        seen = self._reader.read(lead)
        self.reads += 1
        self.unread += isinstance(seen, UnreadLead)
        return seen


def drift(
    view: LedgerView, account: str, records: Iterable[OperationRecord], observed: ObservedValues
) -> Iterator[DriftLine]:
    """A line for each field and amount that one of `records` wrote last, in their order."""
    remaining = iter(records)
    while batch := list(islice(remaining, _BATCH)):
        known = view.histories(account, list({record.lead for record in batch}))
        for record in batch:
            history = known.get(record.lead)
            if history is not None and not history.forgotten:
                yield from _of_record(view, record, history, observed)


def _of_record(
    view: LedgerView, record: OperationRecord, history: LeadHistory, observed: ObservedValues
) -> Iterator[DriftLine]:
    names = dict.fromkeys(name for attempt in record.attempts for name in attempt.values)
    for name in names:
        last = last_touch(history, record.kind, name)
        if last is not None and last.operation == record.operation:
            yield _line(view, last, name, history, observed)


def _line(view: LedgerView, last: Attempt, name: str, history: LeadHistory, observed: ObservedValues) -> DriftLine:
    slot = history.last_slot(last.kind, name)
    if slot is None or slot.stored is None:
        reason = f"the last write is not confirmed ({last.standing.value})"
        return _drift_line(last, Compared(name=name, state="unknown", reason=reason))
    seen = observed.of(last.lead, last.kind, name, history)
    if isinstance(seen, Unseen):
        return _drift_line(last, Compared(name=name, state="unknown", reason=seen.reason))
    return _drift_line(last, compared(view, last, name, seen))


def _drift_line(last: Attempt, found: Compared) -> DriftLine:
    return DriftLine(
        lead=last.lead,
        kind=last.kind,
        field=found.name,
        changeset=last.changeset,
        run=last.run,
        at=last.moment,
        state=found.state,
        reason=found.reason,
        applied=found.applied,
        now=found.now,
    )
