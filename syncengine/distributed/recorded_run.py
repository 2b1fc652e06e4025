"""Result of a run of plain `apply`, from the ledger's records alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncengine.core.errors import Exit, InputError
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
    totals = ledger.totals(record.account, run=run_id)
    doubts = ledger.doubts(record.account, run=run_id)
    # Operations that earlier runs of the same plan applied were settled when this one began.
    earlier = [each for each in ledger.runs(record.account, plan=record.plan) if each.started < record.started]
    before = sum(ledger.totals(record.account, run=each.run).applied for each in earlier)
    left = record.total - before - totals.applied - totals.rejected - len(doubts)
    counts = RunCounts(
        applied=totals.applied,
        rejected=totals.rejected,
        in_doubt=len(doubts),
        already_applied=before,
        not_sent=max(left, 0),
    )
    stopped = why_stopped(record.ended, record.stopped, live=record.live)
    said = stopped or (
        "the run goes on" if record.live else "held, or behind an operation that is in doubt or rejected"
    )
    unsettled = Exit.IN_DOUBT if doubts else Exit.INCOMPLETE if counts.rejected or counts.not_sent else Exit.DONE
    return RunResult(
        run=run_id,
        plan=record.plan,
        counts=counts,
        requests=ledger.requests_sent(run_id),
        rejected=rejected_of(ledger, record.account, run_id) if totals.rejected else (),
        in_doubt=doubtful_lines(doubts),
        not_sent_reasons={said: counts.not_sent} if counts.not_sent else {},
        exit=unsettled if record.exit is None else record.exit,
        stopped=stopped,
        account=record.account,
        host=ledger.hosts().get(record.account, ""),
        plan_path=record.plan_path,
        claimed=record.claimed,
    )
