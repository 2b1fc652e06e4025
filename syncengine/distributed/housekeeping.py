"""Background duties of a worker: sends its heartbeat, and requeues what dead workers left unfinished."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import LedgerTrouble
from syncengine.core.ports import Listener
from syncengine.distributed.run_end import heal
from syncengine.distributed.store import Row, WorkerStore

if TYPE_CHECKING:
    import procrastinate

    from syncengine.ledger import Ledger


class Nameplate(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's entry as `status` shows it. `patience`: seconds without a heartbeat after which it counts as dead."""

    worker: str
    machine: str
    pid: int
    tool: str
    queues: tuple[str, ...]
    parallel: int
    patience: float


class Housekeeper:
    """Used by one thread. `queues` may become fewer: those that this worker still takes shards from."""

    def __init__(self, store: WorkerStore, ledger: Ledger, plate: Nameplate, listener: Listener) -> None:
        self._store = store
        self._ledger = ledger
        self._plate = plate
        self._listener = listener
        self.queues = plate.queues
        self._told: set[str] = set()

    def look(self) -> bool:
        """Run the duties once. Returns whether nothing that this worker may execute is open."""
        fields = msgspec.structs.asdict(self._plate)
        self._store.run("see_worker", **{**fields, "queues": list(self.queues)})
        heal(self._store, self._ledger)
        self._store.run("forget_old")
        opened = self._store.rows("open_submissions")
        self._tell(opened)
        return not any(submission["queue"] in self.queues for submission in opened)

    def leave(self) -> None:
        """Remove the worker from the list."""
        with contextlib.suppress(LedgerTrouble):
            self._store.run("forget_worker", worker=self._plate.worker)

    def _tell(self, opened: Sequence[Row]) -> None:
        accounts = {queue.partition("/")[0] for queue in self._plate.queues}
        for submission in opened:
            run_id = submission["run"]
            if submission["queue"] in self._plate.queues or run_id in self._told:
                continue
            self._told.add(run_id)
            if submission["account"] not in accounts:
                self._listener.note(
                    f"run {run_id} waits for a worker of account {submission['name']}, which this worker does not "
                    f"serve; put the account back into the configuration, or stop it: syncengine cancel {run_id}"
                )
            else:
                self._listener.note(
                    f"run {run_id} of account {submission['name']} was submitted under other terms; this worker "
                    "leaves it alone (see `syncengine status`)"
                )


async def requeue_stalled(app: procrastinate.App, queues: Sequence[str], silence: float) -> int:
    """Return the jobs of workers without a heartbeat for so long to the queue. Returns their number."""
    from datetime import UTC, datetime

    from procrastinate import exceptions

    count = 0
    for queue in queues:
        for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=silence):
            # Another worker may have requeued it first. That does no harm: the job runs only under the lane's lease.
            with contextlib.suppress(exceptions.ConnectorException):
                await app.job_manager.retry_job(job=job, retry_at=datetime.now(UTC))
                count += 1
    return count
