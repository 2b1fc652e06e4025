"""`submit`: turns an approved plan into a run whose shards wait for workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.api import Quiet, approval_request
from syncengine.applying import ApplyRequest
from syncengine.applying.apply import examine, nothing_to_send, permit, run_start
from syncengine.applying.remaining import Feed
from syncengine.core.errors import Exit
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.ports import Listener
from syncengine.core.results import RunResult
from syncengine.core.values import OperationId, PlanDigest, RunId
from syncengine.distributed.content import Sealer
from syncengine.distributed.engine import engine_schema, require_engine
from syncengine.distributed.run_end import NEVER_ENQUEUED, heal, settle
from syncengine.distributed.sharding import SHARD_SIZE, ShardTerms, cut
from syncengine.distributed.store import Row, WorkerStore, found_schema, require_server, run
from syncengine.ledger.key import read_key
from syncengine.make_plan import TOOL
from syncengine.moved_inputs import naming_moves
from syncengine.planning import open_plan
from syncengine.planning.approvals import authorize, checked_claim, missing_named
from syncengine.project import Project

if TYPE_CHECKING:
    import psycopg

    from syncengine.applying.preflight import PreflightResult
    from syncengine.ledger import Ledger
    from syncengine.planning import Identities, PlanFile

_encode = msgspec.json.Encoder().encode


class SubmitRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`approvals` are files besides PLAN.approval and the repository's; `claimed_approval` is what CI says about who
    approved; `shard_size` is the approximate number of operations in a shard."""

    plan_path: Path
    approvals: Sequence[Path] = ()
    claimed_approval: str | None = None
    lock_timeout: float = 0.0
    shard_size: int = SHARD_SIZE


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waits for workers. `operations` are to be sent; shards and lanes are totals of all its waves."""

    run: RunId
    plan: PlanDigest
    account: str
    operations: int
    shards: int
    lanes: int


def submit(
    project: Project, request: SubmitRequest, *, identities: Identities, listener: Listener | None = None
) -> Submitted | RunResult:
    """Check a saved plan as apply does, and enqueue it. Returns a result instead where there is nothing to send.

    Raises InputError or Refusal; nothing was enqueued then.
    """
    sound = listener or Quiet()
    require_engine()
    dsn = require_server(project.pin())
    claimed = checked_claim(request.claimed_approval)
    missing_named(list(request.approvals))
    with ExitStack() as stack:
        saved = stack.enter_context(open_plan(request.plan_path, identities))
        account = project.planned_account(saved)
        ledger = stack.enter_context(project.ledger(account))
        store = WorkerStore(dsn)
        stack.callback(store.close)
        found_schema(store, engine_schema)
        heal(store, ledger, account.identity)
        asked = ApplyRequest(
            account=account,
            policy=project.settings.policy,
            plan_path=str(request.plan_path),
            tool=TOOL,
            lock_timeout=request.lock_timeout,
            authorize=lambda: authorize(approval_request(saved, project, request.approvals), sound.note),
            claimed=claimed,
        )
        with ledger.lease(account.identity, wait=request.lock_timeout) as lease:
            with naming_moves(saved, ledger):
                findings = examine(saved, ledger, asked, project.clock, sound)
                if not findings.to_send:
                    return nothing_to_send(saved.summary.digest, findings, asked)
                approvals, _gate = permit(findings, ledger, asked, project.clock)
            run_id = ledger.begin_shared(lease, run_start(saved, findings, asked, approvals))
            storing = _Storing(
                project=project,
                store=store,
                saved=saved,
                request=asked,
                findings=findings,
                run_id=run_id,
                shard_size=request.shard_size,
            )
            try:
                storing.store(ledger)
            except BaseException:
                # Do not report shards that were not stored. If only the acknowledgement was lost, they exist.
                if not store.rows("get_submission", run=run_id):
                    ledger.end(run_id, exit_code=Exit.INCOMPLETE, stopped=NEVER_ENQUEUED)
                    raise
        settle(store, ledger, store.rows("get_submission", run=run_id)[0])
        shards = store.rows("shards_of_run", run=run_id)
    return Submitted(
        run=run_id,
        plan=saved.summary.digest,
        account=account.name,
        operations=findings.to_send,
        shards=len(shards),
        lanes=len({shard["lane"] for shard in shards}),
    )


def queue_name(*, account: str, tool: str, host: str, policy_digest: str, wire_digest: str) -> str:
    """Queue name derived from the terms of a run. Workers listen on the queues of their own terms, so none takes a
    shard that it must not execute."""
    terms = hashlib.blake2b(_encode((tool, host, policy_digest, wire_digest)), digest_size=8).hexdigest()
    return f"{account}/{terms}"


class _Storing:
    """Everything about one run, written completely in one transaction or not at all."""

    def __init__(
        self,
        *,
        project: Project,
        store: WorkerStore,
        saved: PlanFile,
        request: ApplyRequest,
        findings: PreflightResult,
        run_id: RunId,
        shard_size: int,
    ) -> None:
        self._project = project
        self._store = store
        self._saved = saved
        self._request = request
        self._findings = findings
        self._run = run_id
        self._shard_size = shard_size
        key = read_key(Path(project.settings.root) / project.settings.ledger.key_path)
        self._sealer = Sealer(key or b"")

    def store(self, ledger: Ledger) -> None:
        """Write all of it."""
        self._store.write(lambda connection: self._write(connection, ledger))

    def _write(self, connection: psycopg.Connection[Row], ledger: Ledger) -> None:
        policy, limits = self._request.policy, self._request.account.limits
        run(connection, "insert_submission", **self._row())
        terms = ShardTerms(
            size=self._shard_size, concurrency=limits.concurrency, waves=policy.waves, alone=bool(policy.budgets)
        )

        def keep(shard: int, part: int, content: bytes) -> None:
            run(
                connection,
                "insert_chunk",
                run=self._run,
                shard=shard,
                part=part,
                content=self._sealer.seal(content),
            )

        shards = cut(self._open_lines(ledger), self._findings.to_send, terms, self._waits(), keep)
        for shard in shards:
            fields = msgspec.structs.asdict(shard)
            run(connection, "insert_shard", run=self._run, **{**fields, "waits": _encode(shard.waits).decode()})
        run(connection, "set_phases", run=self._run, phases=len({shard.phase for shard in shards}))

    def _open_lines(self, ledger: Ledger) -> Iterator[PlannedOperation]:
        account = self._request.account.identity
        histories = (lambda leads: ledger.histories(account, leads)) if self._findings.resumed else None
        lines = (planned for planned in self._saved.operations() if planned.state is State.TO_SEND)
        return Feed(self._saved.summary.digest, lines, histories).open_lines()

    def _waits(self) -> dict[OperationId, str]:
        """Converts moments of this machine's monotonic clock to wall-clock times."""
        clock = self._project.clock
        now, monotonic = datetime.fromisoformat(clock.now()), clock.monotonic()
        return {
            operation: (now + timedelta(seconds=until - monotonic)).isoformat()
            for operation, until in self._findings.waits.items()
        }

    def _row(self) -> Row:
        request, findings, header = self._request, self._findings, self._saved.header
        terms = {
            "account": request.account.identity,
            "tool": request.tool,
            "host": request.account.host,
            "policy_digest": header.policy_digest,
            "wire_digest": header.wire_digest,
        }
        return {
            **terms,
            "run": self._run,
            "name": request.account.name,
            "queue": queue_name(**terms),
            "plan": self._saved.summary.digest,
            "plan_path": request.plan_path,
            "limits": _encode(request.account.limits).decode(),
            "total": self._saved.summary.counts.total,
            "to_send": findings.to_send,
            "already_applied": findings.already_applied,
            "in_doubt_before": len(findings.in_doubt),
            "resumed": findings.resumed,
            "phases": 1,
        }
