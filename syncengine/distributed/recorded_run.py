"""Result of a run of plain `apply`, from the ledger's records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncengine.core.errors import Exit, InputError
from syncengine.core.ports import RunRecord
from syncengine.core.results import RunCounts, RunResult
from syncengine.core.values import RunId
from syncengine.distributed.run_end import doubtful_lines, rejected_of
from syncengine.ledger.operation_records import why_stopped

if TYPE_CHECKING:
    from syncengine.ledger import Ledger


def recorded_result(ledger: Ledger, run_id: RunId) -> RunResult:
    """The result of a run, final or so far. Raises InputError where there is no such run."""
    record = next((record for record in ledger.runs() if record.run == run_id), None)
    if record is None:
        raise InputError(
            f"there is no run {run_id}", code="SE904", hint="`syncengine history` lists the runs' operations"
        )
    doubts = ledger.doubts(record.account, run=run_id)
    counts = _counts(ledger, record, len(doubts))
    stopped = why_stopped(record.ended, record.stopped, live=record.live)
    going_on = "the run goes on" if record.live else "held, or behind an operation that is in doubt or rejected"
    return RunResult(
        run=run_id,
        plan=record.plan,
        counts=counts,
        requests=ledger.requests_sent(run_id),
        rejected=rejected_of(ledger, record.account, run_id) if counts.rejected else (),
        in_doubt=doubtful_lines(doubts),
        not_sent_reasons={stopped or going_on: counts.not_sent} if counts.not_sent else {},
        exit=_unsettled(counts) if record.exit is None else record.exit,
        stopped=stopped,
        account=record.account,
        host=ledger.hosts().get(record.account, ""),
        plan_path=record.plan_path,
        claimed=record.claimed,
    )


def _counts(ledger: Ledger, record: RunRecord, in_doubt: int) -> RunCounts:
    totals = ledger.totals(record.account, run=record.run)
    # Operations that earlier runs of the same plan applied were settled when this one began.
    earlier = [each for each in ledger.runs(record.account, plan=record.plan) if each.started < record.started]
    before = sum(ledger.totals(record.account, run=each.run).applied for each in earlier)
    left = record.total - before - totals.applied - totals.rejected - in_doubt
    return RunCounts(
        applied=totals.applied,
        rejected=totals.rejected,
        in_doubt=in_doubt,
        already_applied=before,
        not_sent=max(left, 0),
    )


def _unsettled(counts: RunCounts) -> int:
    """The exit code of a run that has none on record."""
    if counts.in_doubt:
        return Exit.IN_DOUBT
    return Exit.INCOMPLETE if counts.rejected or counts.not_sent else Exit.DONE
