"""The ledger's records as the reports show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from syncengine.core.operations import QUEUED, delivery_among
from syncengine.core.ports import OperationRecord
from syncengine.core.repeats import contradiction_in_words
from syncengine.core.results import HistoryRow, SharedRun, StatusReport, Totals, WorkerLine
from syncengine.core.values import RunId
from syncengine.project import Project

if TYPE_CHECKING:
    from syncengine.ledger import Ledger


def status_report(project: Project, ledger: Ledger | None) -> StatusReport:
    """What is unresolved; an empty report where there is no ledger yet."""
    pin = project.settings.ledger
    if ledger is None:
        return StatusReport(
            ledger_id=None,
            ledger_url=pin.place,
            counts=Totals(),
            warnings=(f"there is no ledger at {pin.place} yet",),
        )
    identity = ledger.identity()
    shared_runs, workers = _shared(project)
    return StatusReport(
        ledger_id=identity.id,
        ledger_url=identity.url,
        counts=ledger.totals(),
        in_doubt=tuple(ledger.doubts()),
        unfinished_plans=tuple(ledger.unfinished()),
        contradictions=tuple(contradiction_in_words(attempt) for attempt in ledger.contradictions()),
        shared_runs=shared_runs,
        workers=workers,
    )


def _shared(project: Project) -> tuple[tuple[SharedRun, ...], tuple[WorkerLine, ...]]:
    """Submitted runs and their workers; only a ledger on PostgreSQL has any."""
    if project.pin().url.startswith("sqlite:"):
        return (), ()
    from syncengine.distributed.queries import overview

    found = overview(project)
    return found.runs, found.workers


def history_rows(records: Iterator[OperationRecord], claims: Mapping[RunId, str]) -> Iterator[HistoryRow]:
    """One row for each operation, by its last attempt. `claims` is what CI said about approvals, by run."""
    for record in records:
        last = record.attempts[-1]
        answer = last.answer
        claimed = claims.get(last.run, "")
        yield HistoryRow(
            operation=record.operation,
            changeset=record.changeset,
            lead=record.lead,
            kind=record.kind,
            outcome=record.outcome,
            attempts=len(record.attempts),
            run=last.run,
            at=answer.at if answer is not None and answer.at else last.at,
            message=answer.message if answer is not None else "",
            note="; ".join(_notes(record, claimed)) if claimed or _is_notable(record) else "",
            delivery=delivery_among(record.kind, record.delivery),
        )


def _is_notable(record: OperationRecord) -> bool:
    return (
        record.forgotten or record.kind in QUEUED or any(attempt.resolution is not None for attempt in record.attempts)
    )


def _notes(record: OperationRecord, claimed: str) -> Iterator[str]:
    if record.forgotten:
        yield "values were erased"
    if record.kind in QUEUED and record.outcome == "applied":
        yield "queued"
    for attempt in record.attempts:
        if attempt.resolution is not None:
            word = "applied" if attempt.resolution.applied else "not applied"
            yield f"resolved as {word} by {attempt.resolution.by}: {attempt.resolution.note}"
        if attempt.contradicted:
            yield contradiction_in_words(attempt)
    if claimed:
        yield f"approved, as claimed by CI: {claimed}"
