"""Queries for operators: progress of submitted runs, their workers, and their results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import Exit
from syncengine.core.results import RunResult, SharedRun, WorkerLine
from syncengine.core.values import PlanDigest, RunId
from syncengine.distributed.recorded_run import recorded_result
from syncengine.distributed.run_end import NEVER_ENQUEUED, result_of, settle
from syncengine.distributed.store import Row, WorkerStore, first, has_schema
from syncengine.project import Project

if TYPE_CHECKING:
    from syncengine.ledger import Ledger

_POLL = 0.5


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Open runs and known workers; both empty where nothing was ever submitted."""

    runs: tuple[SharedRun, ...] = ()
    workers: tuple[WorkerLine, ...] = ()


def overview(project: Project) -> Overview:
    """Progress of submitted runs. Read-only."""
    store = _store(project)
    if store is None:
        return Overview()
    with ExitStack() as stack:
        stack.callback(store.close)
        if not has_schema(store):
            return Overview()
        submissions = store.rows("open_submissions")
        rates = store.rows("get_rates")
        workers = _workers(store, submissions, rates)
        return Overview(runs=tuple(_runs(store, submissions, rates, workers)), workers=workers)


def wait_for(project: Project, run_id: RunId, advanced: Callable[[int], None]) -> RunResult:
    """The result of a run, once it has ended. Calls `advanced` with the number of operations settled meanwhile."""
    told = 0
    with project.ledger() as ledger:
        while run_id in dict(ledger.open_shared_runs()):
            totals = ledger.totals(run=run_id)
            done = totals.applied + totals.rejected + totals.in_doubt
            advanced(done - told)
            told = done
            time.sleep(_POLL)
        return result(project, ledger, run_id)


def result(project: Project, ledger: Ledger, run_id: RunId) -> RunResult:
    """The result of a run, final or so far, submitted or not. Raises InputError where there is no record of it."""
    store = _store(project)
    with ExitStack() as stack:
        submission: Row | None = None
        if store is not None:
            stack.callback(store.close)
            submission = first(store.rows("get_submission", run=run_id)) if has_schema(store) else None
        if store is None or submission is None:
            return recorded_result(ledger, run_id)
        return result_of(store, ledger, submission)


def cancel(project: Project, ledger: Ledger, run_id: RunId, account: str) -> bool:
    """Stop a shared run whose cancel flag is set. Returns whether it has ended already because no worker is on it."""
    store = _store(project)
    if store is None:
        return False
    with ExitStack() as stack:
        stack.callback(store.close)
        submission = first(store.rows("get_submission", run=run_id)) if has_schema(store) else None
        if submission is None:
            if "" in ledger.held_lanes(account):
                return False
            ledger.end(run_id, exit_code=Exit.INCOMPLETE, stopped=NEVER_ENQUEUED)
            return True
        store.run("stop_run", run=run_id, reason="cancelled with 'syncengine cancel'")
        return settle(store, ledger, submission)


def _store(project: Project) -> WorkerStore | None:
    url = project.pin().url
    return WorkerStore(url) if url.startswith(("postgresql://", "postgres://")) else None


def _runs(
    store: WorkerStore, submissions: Sequence[Row], rates: Sequence[Row], workers: Iterable[WorkerLine]
) -> Iterable[SharedRun]:
    counted = store.rows("count_shards", runs=[submission["run"] for submission in submissions])
    queues = {row["worker"]: row["queues"] for row in store.rows("get_workers")}
    alive = [worker for worker in workers if worker.alive]
    for submission in submissions:
        run_id = submission["run"]
        own = [rate for rate in rates if rate["run"] == run_id]
        states = dict.fromkeys(("waiting", "running", "done", "left"), 0)
        states.update({row["state"]: row["count"] for row in counted if row["run"] == run_id})
        yield SharedRun(
            run=RunId(run_id),
            account=submission["name"],
            plan=PlanDigest(submission["plan"]),
            submitted=submission["submitted"].isoformat(timespec="seconds"),
            operations=submission["to_send"],
            shards=states,
            wave=submission["phase"] + 1,
            waves=submission["phases"],
            workers=sum(submission["queue"] in queues.get(worker.worker, ()) for worker in alive),
            requests_per_second=sum(rate["requests"] for rate in own),
            entries_per_second=sum(rate["entries"] for rate in own),
            stopping=submission["stopping"],
        )


def _workers(store: WorkerStore, submissions: Sequence[Row], rates: Sequence[Row]) -> tuple[WorkerLine, ...]:
    running: dict[str, list[str]] = {}
    for submission in submissions:
        for shard in store.rows("shards_of_run", run=submission["run"]):
            if shard["state"] == "running":
                running.setdefault(shard["worker"], []).append(f"{shard['run']}/{shard['number']}")
    return tuple(
        WorkerLine(
            worker=row["worker"],
            machine=row["machine"],
            pid=row["pid"],
            tool=row["tool"],
            accounts=tuple(queue.rpartition("/")[0] for queue in row["queues"]),
            silent=round(float(row["silent"]), 1),
            alive=float(row["silent"]) <= row["patience"],
            shards=tuple(running.get(row["worker"], ())),
            requests_per_second=sum(rate["requests"] for rate in rates if rate["worker"] == row["worker"]),
            entries_per_second=sum(rate["entries"] for rate in rates if rate["worker"] == row["worker"]),
        )
        for row in store.rows("get_workers")
    )
