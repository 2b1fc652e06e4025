"""Advances a run: the next shard of a lane, the next wave, the end. Idempotent, and safe from any process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import Exit
from syncengine.core.outcomes import Outcome
from syncengine.core.results import Doubt, OperationLine, RunCounts, RunResult
from syncengine.core.values import PlanDigest, RunId
from syncengine.distributed.engine import announce
from syncengine.distributed.store import Row, WorkerStore, first, rows, run

if TYPE_CHECKING:
    import psycopg

    from syncengine.ledger import Ledger

LISTED = 10_000
WAVE_FAILED = "an entry of this wave was rejected or is in doubt (policy.waves)"
NEVER_ENQUEUED = "submit was interrupted before its shards were enqueued"
_decode_reasons = msgspec.json.Decoder(dict[str, int]).decode


def settle(store: WorkerStore, ledger: Ledger, submission: Row) -> bool:
    """Advance an open run as far as possible. Returns whether it has ended.

    A shard whose worker lost its lane counts as waiting. Shards whose announcement was lost are announced again.
    """
    held = ledger.held_lanes(submission["account"])

    def is_clean() -> bool:
        # Count from the ledger's records: a worker that was killed reported nothing.
        totals = ledger.totals(submission["account"], run=RunId(submission["run"]))
        return not totals.rejected and not totals.in_doubt

    over = store.write(lambda connection: _go_on(connection, submission["run"], held, is_clean))
    if over:
        finish(store, ledger, submission["run"])
    return over


def _go_on(
    connection: psycopg.Connection[Row], run_id: str, held: Mapping[str, int], is_clean: Callable[[], bool]
) -> bool:
    submission = first(rows(connection, "lock_submission", run=run_id))
    if submission is None or submission["ended"] is not None:
        return False
    # Several phases may have nothing left, for instance after a restart: each is passed in turn.
    while True:
        phase = submission["phase"]
        left = rows(connection, "open_shards", run=run_id, phase=phase)
        if submission["stopping"]:
            if any(_is_worked_on(shard, held) for shard in left):
                return False
            run(connection, "leave_shards", run=run_id)
            return True
        if left:
            _announce_lanes(connection, submission, left)
            return False
        if phase + 1 >= submission["phases"]:
            return True
        if is_clean():
            run(connection, "next_phase", run=run_id)
        else:
            run(connection, "stop_run", run=run_id, reason=WAVE_FAILED)
        submission = rows(connection, "lock_submission", run=run_id)[0]


def _is_worked_on(shard: Row, held: Mapping[str, int]) -> bool:
    return bool(shard["state"] == "running" and held.get(shard["lane"]) == shard["epoch"])


def _announce_lanes(connection: psycopg.Connection[Row], submission: Row, left: Sequence[Row]) -> None:
    """Announce the first open shard of each lane: a lane has one job at a time."""
    told = {
        row["lane"] for row in rows(connection, "lanes_with_jobs", run=submission["run"], phase=submission["phase"])
    }
    for shard in left:
        if shard["lane"] not in told:
            told.add(shard["lane"])
            announce(connection, submission["queue"], submission["run"], shard["number"])


def finish(store: WorkerStore, ledger: Ledger, run_id: str) -> None:
    """Record the end of a run whose shards are all closed, then delete their contents."""
    submission = rows_of(store, run_id)
    result = result_of(store, ledger, submission)
    ledger.end(RunId(run_id), exit_code=result.exit, stopped=result.stopped)

    def work(connection: psycopg.Connection[Row]) -> None:
        run(connection, "delete_chunks", run=run_id)
        run(connection, "delete_rates", run=run_id)
        run(connection, "end_submission", run=run_id)

    store.write(work)


def rows_of(store: WorkerStore, run_id: str) -> Row:
    """The submission of a run."""
    return store.rows("get_submission", run=run_id)[0]


def heal(store: WorkerStore, ledger: Ledger, account: str | None = None) -> None:
    """Settle every open run, and end those whose `submit` died before anything was enqueued."""
    for submission in store.rows("open_submissions"):
        if account in (None, submission["account"]):
            settle(store, ledger, submission)
    for run_id, owner in ledger.open_shared_runs():
        wanted = account in (None, owner) and "" not in ledger.held_lanes(owner)
        if wanted and not store.rows("get_submission", run=run_id):
            ledger.end(run_id, exit_code=Exit.INCOMPLETE, stopped=NEVER_ENQUEUED)


def result_of(store: WorkerStore, ledger: Ledger, submission: Row) -> RunResult:
    """The result of a run from the ledger's records. Its counts add up to the plan's total."""
    run_id, account = RunId(submission["run"]), submission["account"]
    totals = ledger.totals(account, run=run_id)
    doubts = ledger.doubts(account, run=run_id)
    in_doubt = len(doubts) + submission["in_doubt_before"]
    counts = RunCounts(
        applied=totals.applied,
        rejected=totals.rejected,
        in_doubt=in_doubt,
        already_applied=submission["already_applied"],
        not_sent=submission["total"] - totals.applied - totals.rejected - in_doubt - submission["already_applied"],
    )
    shards = store.rows("shards_of_run", run=run_id)
    doubtful = any(shard["doubtful"] for shard in shards)
    return RunResult(
        run=run_id,
        plan=PlanDigest(submission["plan"]),
        counts=counts,
        requests=ledger.requests_sent(run_id),
        rejected=rejected_of(ledger, account, run_id) if totals.rejected else (),
        in_doubt=doubtful_lines(doubts),
        not_sent_reasons=_reasons(shards, counts.not_sent, submission["stopping"]),
        exit=_exit(counts, doubtful=doubtful),
        stopped=submission["stopping"],
        account=submission["name"],
        host=submission["host"],
        plan_path=submission["plan_path"],
        claimed=ledger.claims().get(run_id, ""),
    )


def doubtful_lines(doubts: Sequence[Doubt]) -> tuple[OperationLine, ...]:
    """Doubts as a run's result lists them."""
    return tuple(
        OperationLine(
            operation=doubt.operation,
            lead=doubt.lead,
            kind=doubt.kind.value,
            message=doubt.message,
            changeset=doubt.changeset,
        )
        for doubt in doubts[:LISTED]
    )


def rejected_of(ledger: Ledger, account: str, run_id: RunId) -> tuple[OperationLine, ...]:
    """What the service refused in a run, 10,000 operations at most."""
    found: list[OperationLine] = []
    for record in ledger.history(account=account, run=run_id):
        last = record.attempts[-1]
        if last.run == run_id and last.answer is not None and last.answer.outcome is Outcome.REJECTED:
            found.append(
                OperationLine(
                    operation=record.operation,
                    lead=record.lead,
                    kind=record.kind.value,
                    message=last.answer.message,
                    changeset=record.changeset,
                )
            )
        if len(found) >= LISTED:
            break
    return tuple(found)


def _reasons(shards: Sequence[Row], not_sent: int, stopping: str) -> dict[str, int]:
    """Why operations were not sent: the reasons of their shards, and the run's stop reason for the rest."""
    found: dict[str, int] = {}
    for shard in shards:
        for reason, count in _decode_reasons(shard["reasons"]).items():
            found[reason] = found.get(reason, 0) + count
    unnamed = not_sent - sum(found.values())
    if unnamed > 0:
        rest = stopping or "held, or behind an operation that is in doubt or rejected"
        found[rest] = found.get(rest, 0) + unnamed
    return found if not_sent else {}


def _exit(counts: RunCounts, *, doubtful: bool) -> Exit:
    if counts.in_doubt or doubtful:
        return Exit.IN_DOUBT
    return Exit.INCOMPLETE if counts.rejected or counts.not_sent else Exit.DONE
