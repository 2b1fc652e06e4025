"""The last value that was applied to each field and amount, against what leads hold now: in an export, or by asking.

Streams: each field of each lead stands in one line, that of the operation which touched it last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from syncengine.checking.observed_comparison import (
    NOT_READABLE,
    Compared,
    LeadReading,
    Seen,
    State,
    compared,
    last_touch,
    moment,
)
from syncengine.core.history import Attempt, LeadHistory, Standing
from syncengine.core.observations import Observation, UnreadLead
from syncengine.core.operations import Kind
from syncengine.core.ports import LedgerView, OperationRecord
from syncengine.core.values import ChangesetId, LeadId, RunId, is_service_id
from syncengine.planning.leadstore import LeadStore

_BATCH = 500


class DriftLine(msgspec.Struct, frozen=True, kw_only=True):
    """One field or amount of one lead. `changeset` and `run` wrote it last, at `at` (UTC, ISO 8601).

    `applied` is None where the ledger keeps a digest, `now` where nothing was seen.
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


class Export(Protocol):
    """An observed export."""

    def get(self, lead: LeadId) -> Observation | None:
        """What it says about a lead."""
        ...


class Sights:
    """What is known of each lead now: the service's word where it can be asked, else the export's.

    A lead is asked for once. Close it to drop what was read.
    """

    def __init__(self, *, export: Export | None = None, reader: LeadReading | None = None) -> None:
        self._export = export
        self._reader = reader
        self._store = LeadStore()
        self.reads = 0
        self.unread = 0
        """Leads that were asked for, and those of them that could not be read."""

    def of(self, lead: LeadId, name: str, since: str) -> tuple[Seen | None, str]:
        """What was seen of a field after a moment; or None, and why nothing counts."""
        reason = ""
        for seen, where in self._sources(lead):
            if seen is None:
                reason = reason or f"the lead is not in {where}"
            elif isinstance(seen, UnreadLead):
                reason = reason or seen.reason
            elif name not in seen.values:
                reason = reason or f"{where} does not show it"
            elif seen.at <= since:
                reason = reason or f"{where} is not younger than the last write; look again later"
            else:
                return seen, ""
        return None, reason

    def close(self) -> None:
        """Drop what was read."""
        self._store.close()

    def _sources(self, lead: LeadId) -> Iterator[tuple[Seen | None, str]]:
        if self._reader is not None:
            seen = self._asked(self._reader, lead) if is_service_id(lead) else NOT_READABLE
            yield seen, "what the service says"
        if self._export is not None:
            yield self._export.get(lead), "the export"

    def _asked(self, reader: LeadReading, lead: LeadId) -> Seen:
        known = self._store.get(lead)
        if known is None:
            known = reader.read(lead)
            self._store.add(lead, known)
            self.reads += 1
            self.unread += isinstance(known, UnreadLead)
        return known


def drift(view: LedgerView, account: str, records: Iterable[OperationRecord], sights: Sights) -> Iterator[DriftLine]:
    """A line for each field and amount that one of `records` touched last, in their order."""
    remaining = iter(records)
    while batch := list(islice(remaining, _BATCH)):
        known = view.histories(account, list({record.lead for record in batch}))
        for record in batch:
            history = known.get(record.lead)
            if history is not None and not history.forgotten:
                yield from _of_record(view, record, history, sights)


def _of_record(view: LedgerView, record: OperationRecord, history: LeadHistory, sights: Sights) -> Iterator[DriftLine]:
    names = dict.fromkeys(name for attempt in record.attempts for name in attempt.values)
    for name in names:
        last = last_touch(history, record.kind, name)
        if last is not None and last.operation == record.operation:
            yield _line(view, last, name, history, sights)


def _line(view: LedgerView, last: Attempt, name: str, history: LeadHistory, sights: Sights) -> DriftLine:
    slot = history.last_slot(last.kind, name)
    if slot is None or slot.stored is None:
        reason = f"the last write is not confirmed ({last.standing.value})"
        return _drift_line(last, Compared(name=name, state="unknown", reason=reason))
    since = max(moment(attempt) for attempt in history.attempts if _touches(attempt, last.kind, name))
    seen, reason = sights.of(last.lead, name, since)
    if seen is None:
        return _drift_line(last, Compared(name=name, state="unknown", reason=reason))
    return _drift_line(last, compared(view, last, name, seen))


def _touches(attempt: Attempt, kind: Kind, name: str) -> bool:
    return attempt.kind is kind and name in attempt.values and attempt.standing is not Standing.NOT_SENT


def _drift_line(last: Attempt, found: Compared) -> DriftLine:
    return DriftLine(
        lead=last.lead,
        kind=last.kind,
        field=found.name,
        changeset=last.changeset,
        run=last.run,
        at=moment(last),
        state=found.state,
        reason=found.reason,
        applied=found.applied,
        now=found.now,
    )
