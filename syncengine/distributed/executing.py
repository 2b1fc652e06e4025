"""Execution of one shard: takes its lane's lease, sends with the same executor as apply, and records the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from syncengine.applying.executor import Executor
from syncengine.applying.jobs import RunTerms
from syncengine.applying.recheck import Recheck
from syncengine.applying.remaining import Feed
from syncengine.applying.run_context import RunContext, SendingLimits
from syncengine.applying.senders import Senders
from syncengine.applying.stopping import Cause, StopSignal
from syncengine.applying.windows_and_budgets import Gate
from syncengine.core.errors import Exit, LeaseHeld, LeaseLost, LedgerTrouble
from syncengine.core.events import RunBegan, RunEnded
from syncengine.core.plan import PlannedOperation
from syncengine.core.ports import Clock, GatewayFactory, Lease, Listener
from syncengine.core.settings import Account, Limits, Policy
from syncengine.core.values import OperationId, PlanDigest, RunId
from syncengine.distributed.content import Sealer, lines_in
from syncengine.distributed.run_end import settle
from syncengine.distributed.shared_limits import SharedPace, SharedRules
from syncengine.distributed.store import Row, WorkerStore, first, run

if TYPE_CHECKING:
    import psycopg

    from syncengine.ledger import Ledger

_OPEN = ("waiting", "running")

_PATIENCE = 0.5
"""Seconds of one wait for a lane's lease; between waits the worker checks whether it must end."""

_GRACE = 5.0
"""Seconds to wait, beyond the lease's time, for the lane of a vanished worker."""

_MOST_ATTEMPTS = 100
"""Number of attempts at a shard before its run is stopped."""

_LEAVE_WITHIN = 2 / 3
"""Fraction of the lease's time. A request whose intents are older does not leave."""

_limits = msgspec.json.Decoder(Limits).decode
_waits = msgspec.json.Decoder(dict[OperationId, str]).decode
_encode = msgspec.json.Encoder().encode


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's resources for one account. `connect` opens connections to the service; `lease_seconds` is a lane's."""

    worker: str
    account: Account
    policy: Policy
    connect: GatewayFactory
    sealer: Sealer
    lease_seconds: float
    clock: Clock
    random: Callable[[], float]
    listener: Listener


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to execute a shard: rows of its run and of itself, and the lease of its lane."""

    submission: Row
    shard: Row
    lease: Lease
    signal: StopSignal


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """How a shard ended on this worker. `reason` stops the whole run; `again` returns the shard to the queue.

    `refused`: why the service refuses this worker's API key. Other workers may have another key, so the run goes on.
    """

    again: bool = False
    reason: str = ""
    refused: str = ""
    doubtful: bool = False
    reasons: Mapping[str, int] = {}
    requests: int = 0


class FenceLost(Exception):
    """Another worker holds this worker's lane. `unrecorded`: the outcome of something that was sent is not recorded."""

    def __init__(self, *, unrecorded: bool) -> None:
        super().__init__("the lane is lost")
        self.unrecorded = unrecorded


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """The connections of one worker thread. `quick` is not durable: it holds pace and counts."""

    store: WorkerStore
    quick: WorkerStore
    ledger: Ledger


def work_on(shop: Shop, site: Site, run_id: str, number: int, signal: StopSignal) -> Outcomes | None:
    """Send the remaining operations of a shard, then close it or return it to the queue. None where it was not taken.

    Raises FenceLost where another worker has taken over the lane: this process must end at once.
    """
    submission = first(shop.store.rows("get_submission", run=run_id))
    shard = first(shop.store.rows("get_shard", run=run_id, number=number))
    if submission is None or shard is None or shard["state"] not in _OPEN:
        return None
    outcomes: Outcomes | None = None
    if not submission["stopping"]:
        with ExitStack() as stack:
            lease = _take_lane(stack, shop.ledger, site, shard["lane"], signal)
            if lease is None:
                return None
            shard = first(shop.store.rows("claim_shard", **_key(shard), epoch=lease.epoch, worker=site.worker))
            if shard is None:
                return None
            turn = Turn(submission=submission, shard=shard, lease=lease, signal=signal)
            outcomes = _under_lease(shop, site, turn)
        taken, result = shard, outcomes
        shop.store.write(lambda connection: _close(connection, submission, taken, result))
    settle(shop.store, shop.ledger, submission)
    return outcomes


def _key(shard: Row) -> Row:
    return {"run": shard["run"], "number": shard["number"]}


def _take_lane(stack: ExitStack, ledger: Ledger, site: Site, lane: str, signal: StopSignal) -> Lease | None:
    """The lane's lease, once its last holder is known to be gone. None where the lane stays held, or the worker is to
    end."""
    deadline = site.clock.monotonic() + site.lease_seconds + _GRACE
    while signal.cause is None:
        try:
            return stack.enter_context(ledger.lease(site.account.identity, wait=_PATIENCE, lane=lane))
        except LeaseHeld as error:
            if site.clock.monotonic() >= deadline:
                site.listener.note(error.message)
                return None
    return None


def _under_lease(shop: Shop, site: Site, turn: Turn) -> Outcomes:
    shard = turn.shard
    if shard["attempts"] > _MOST_ATTEMPTS:
        return Outcomes(reason=f"shard {shard['number']} was taken up {_MOST_ATTEMPTS} times and never done")
    shop.ledger.join(turn.lease, RunId(shard["run"]))
    site.listener.tell(
        RunBegan(
            run=RunId(shard["run"]),
            plan=PlanDigest(turn.submission["plan"]),
            account=site.account.name,
            changesets=(),
            operations=shard["operations"],
        )
    )
    recheck = Recheck(site.policy)
    senders = Senders(site.connect, shard["concurrency"])
    executor = _executor(shop, site, turn, recheck, senders)
    try:
        executor.execute()
    except Exception as error:  # noqa: BLE001 - once intents are on record, a shard ends with what became of them
        executor.abandon(error)
    finally:
        senders.close()
    site.listener.tell(_ended(executor, shard["operations"]))
    if isinstance(executor.trouble, LeaseLost) and shop.ledger.is_taken_over(turn.lease):
        raise FenceLost(unrecorded=executor.has_unrecorded)
    return _judged(executor, recheck, turn.signal)


def _ended(executor: Executor, operations: int) -> RunEnded:
    """The event that this shard's part in the run ended, for logs and telemetry."""
    board = executor.board
    counts = board.counts(total=operations, already_applied=0, in_doubt_before=0)
    code = Exit.IN_DOUBT if counts.in_doubt else Exit.INCOMPLETE if counts.rejected or executor.stopped else Exit.DONE
    return RunEnded(counts=counts, requests=executor.requests, exit=code)


def _judged(executor: Executor, recheck: Recheck, signal: StopSignal) -> Outcomes:
    board = executor.board
    found = Outcomes(
        doubtful=bool(recheck.doubtful or executor.has_unrecorded),
        reasons=dict(board.reasons),
        requests=executor.requests,
        reason=executor.stopped,
    )
    if executor.cause == "key refused":
        return msgspec.structs.replace(found, again=True, reason="", reasons={}, refused=executor.stopped)
    if isinstance(executor.trouble, LedgerTrouble) or signal.cause is Cause.INTERRUPTED:
        return msgspec.structs.replace(found, again=True, reason="", reasons={})
    return found


def _executor(shop: Shop, site: Site, turn: Turn, recheck: Recheck, senders: Senders) -> Executor:
    submission, shard, account, ledger = turn.submission, turn.shard, site.account.identity, shop.ledger
    run_id = RunId(submission["run"])
    limits = msgspec.structs.replace(_limits(submission["limits"]), concurrency=shard["concurrency"])
    gate = Gate(site.policy, lambda since: ledger.spent(account, since), site.clock.now)
    # Operations that no run has touched need no look at their history. A shard that was executed before may hold some
    # that do.
    fresh = shard["attempts"] == 1 and not submission["resumed"]
    histories = None if fresh else (lambda leads: ledger.histories(account, leads))
    context = RunContext(
        run=run_id,
        ledger=ledger,
        lease=turn.lease,
        terms=RunTerms(
            limits=limits,
            wire=site.account.wire,
            # Waves are phases of the run: `settle` decides about all of them together, between shards.
            policy=msgspec.structs.replace(site.policy, waves=()),
            waits=_monotonic(_waits(shard["waits"]), site.clock),
        ),
        clock=site.clock,
        random=site.random,
        listener=site.listener,
        signal=turn.signal,
        leave=site.lease_seconds * _LEAVE_WITHIN,
    )
    return Executor(
        context,
        feed=Feed(PlanDigest(submission["plan"]), _lines(shop, site, shard), histories),
        senders=senders,
        limits=SendingLimits(
            pace=_pace(shop, site, turn, limits),
            rules=SharedRules(shop.quick, run=run_id, worker=site.worker, rule=site.policy.stop_when),
            guard=None if gate.is_always_open else gate,
        ),
        recheck=recheck,
    )


def _pace(shop: Shop, site: Site, turn: Turn, limits: Limits) -> SharedPace:
    return SharedPace(
        shop.quick,
        account=site.account.identity,
        run=turn.shard["run"],
        requests_per_second=limits.requests_per_second,
        clock=site.clock,
        signal=turn.signal,
    )


def _lines(shop: Shop, site: Site, shard: Row) -> Iterator[PlannedOperation]:
    chunks = shop.store.rows("get_chunks", run=shard["run"], shard=shard["number"])
    return lines_in(site.sealer.open(bytes(chunk["content"])) for chunk in chunks)


def _monotonic(waits: Mapping[OperationId, str], clock: Clock) -> dict[OperationId, float]:
    if not waits:
        return {}
    now, monotonic = datetime.fromisoformat(clock.now()), clock.monotonic()
    return {
        operation: monotonic + (datetime.fromisoformat(until) - now).total_seconds()
        for operation, until in waits.items()
    }


def _close(connection: psycopg.Connection[Row], submission: Row, shard: Row, outcomes: Outcomes) -> None:
    """Record how the shard ended. `settle` announces the next shard of its lane, or the same one again."""
    if outcomes.again:
        run(connection, "put_shard_back", **_key(shard), doubtful=outcomes.doubtful, epoch=shard["epoch"])
        return
    state = "left" if outcomes.reason else "done"
    reasons = _encode(dict(outcomes.reasons)).decode()
    run(connection, "end_shard", **_key(shard), doubtful=outcomes.doubtful, state=state, reasons=reasons)
    if outcomes.reason:
        run(connection, "stop_run", run=submission["run"], reason=outcomes.reason)
