"""Entry point of applying: executes a verified plan with a ledger and a gateway, and returns the run's result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from syncengine.applying.executor import Executor
from syncengine.applying.gate import Gate
from syncengine.applying.jobs import RunTerms
from syncengine.applying.pace import LocalPace
from syncengine.applying.preflight import Preflight, PreflightResult, SavedPlan, check_identity
from syncengine.applying.recheck import Recheck
from syncengine.applying.remaining import Feed, Histories
from syncengine.applying.senders import Senders
from syncengine.applying.stopping import Cause, StopSignal
from syncengine.core.errors import Exit, LedgerTrouble
from syncengine.core.events import PlanLooked, RunBegan, RunEnded
from syncengine.core.plan import PlanHeader, PlanLine, PlannedOperation, PlanSummary, Provenance
from syncengine.core.ports import Clock, GatewayFactory, Lease, LedgerWriter, Listener, PlannedFrom, RunStart
from syncengine.core.results import RunCounts, RunResult
from syncengine.core.settings import Account, Policy
from syncengine.core.values import PlanDigest, RunId


class VerifiedPlan(Protocol):
    """A verified plan file; `operations()` can be called more than once."""

    header: PlanHeader
    provenance: Provenance
    summary: PlanSummary

    def operations(self) -> Iterator[PlannedOperation]:
        """Every operation in order."""
        ...

    def lines(self) -> Iterator[PlanLine]:
        """The same operations, decoded only as far as sending needs."""
        ...


class ApplyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of one execution of apply. `deadline` is in seconds from now; `approvals` are descriptions of
    principals.

    `authorize` is called once, under the lease, when something is to be sent. It raises NotApproved, or returns the
    approvals that counted.
    """

    account: Account
    policy: Policy
    plan_path: str
    tool: str
    lock_timeout: float = 0.0
    deadline: float | None = None
    authorize: Callable[[], tuple[str, ...]] | None = None


class RuntimeDependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Runtime dependencies of a run: gateway, clock, random source, event listener and stop signal."""

    connect: Callable[[], GatewayFactory]
    """Called once, when something is to be sent; raises ConfigError where the API key is not available."""
    clock: Clock
    random: Callable[[], float]
    listener: Listener
    signal: StopSignal


def apply_plan(
    plan: VerifiedPlan, ledger: LedgerWriter, request: ApplyRequest, world: RuntimeDependencies
) -> RunResult:
    """Apply exactly this plan. Raises Refusal before anything was sent; later errors are part of the result."""
    deadline = None if request.deadline is None else world.clock.monotonic() + request.deadline
    with ledger.lease(request.account.identity, wait=request.lock_timeout) as lease:
        findings = examine(plan, ledger, request, world.clock, world.listener)
        if not findings.to_send:
            return nothing_to_send(plan.summary.digest, findings, request)
        approvals, gate = permit(findings, ledger, request, world.clock)
        gateways = world.connect()
        run = ledger.begin(lease, run_start(plan, findings, request, approvals))
        execution = _Execution(
            plan=plan,
            ledger=ledger,
            lease=lease,
            findings=findings,
            request=request,
            world=world,
            gateways=gateways,
            run=run,
            gate=gate,
        )
        result = execution.go(deadline)
        try:
            ledger.end(run, exit_code=result.exit, stopped=result.stopped)
        except LedgerTrouble as error:
            # Every answer is recorded, or counted as unrecorded, so the result is valid despite the error.
            world.listener.note(f"{error.message}; the end of run {run} is not on record")
        return result


def examine(
    plan: VerifiedPlan, ledger: LedgerWriter, request: ApplyRequest, clock: Clock, listener: Listener
) -> PreflightResult:
    """What is to be sent, determined under the lease. Raises Refusal where the plan must not be applied."""
    saved = saved_plan(plan)
    check_identity(saved, request.account, ledger)
    preflight = Preflight(saved, policy=request.policy, account=request.account, ledger=ledger, clock=clock)
    total = plan.summary.counts.total
    return preflight.check(plan.operations(), looked=lambda count: listener.tell(PlanLooked(count, total)))


def permit(
    findings: PreflightResult, ledger: LedgerWriter, request: ApplyRequest, clock: Clock
) -> tuple[tuple[str, ...], Gate]:
    """The approvals that count, and the guard of windows and budgets, if sending may start now.

    Raises NotApproved or Refusal.
    """
    approvals = request.authorize() if request.authorize is not None else ()
    gate = Gate(request.policy, lambda since: ledger.spent(request.account.identity, since), clock.now)
    gate.check_start(findings.firsts)
    return approvals, gate


def saved_plan(plan: VerifiedPlan) -> SavedPlan:
    """A verified plan's facts, without its operations."""
    return SavedPlan(header=plan.header, provenance=plan.provenance, summary=plan.summary)


class _Execution(msgspec.Struct, frozen=True, kw_only=True):
    plan: VerifiedPlan
    ledger: LedgerWriter
    lease: Lease
    findings: PreflightResult
    request: ApplyRequest
    world: RuntimeDependencies
    gateways: GatewayFactory
    run: RunId
    gate: Gate

    def go(self, deadline: float | None) -> RunResult:
        """Send the remaining operations; `deadline` is in monotonic seconds."""
        request, world, account = self.request, self.world, self.request.account
        world.listener.tell(
            RunBegan(
                run=self.run,
                plan=self.plan.summary.digest,
                account=account.name,
                changesets=tuple(changeset.id for changeset in self.plan.summary.changesets),
                operations=self.findings.to_send,
            )
        )
        recheck = Recheck(request.policy)
        senders = Senders(self.gateways, account.limits.concurrency)
        executor = Executor(
            ledger=self.ledger,
            lease=self.lease,
            run=self.run,
            feed=Feed(self.plan.summary.digest, self.plan.lines(), self._histories()),
            senders=senders,
            pace=LocalPace(account.limits.requests_per_second),
            terms=RunTerms(
                limits=account.limits,
                wire=account.wire,
                policy=request.policy,
                deadline=deadline,
                waits=self.findings.waits,
            ),
            recheck=recheck,
            clock=world.clock,
            listener=world.listener,
            signal=world.signal,
            random=world.random,
            guard=None if self.gate.is_always_open else self.gate,
        )
        try:
            executor.execute()
        except Exception as error:  # noqa: BLE001 - once intents are on record, a run ends with what became of them
            executor.abandon(error)
        finally:
            senders.close()
        result = self._result(executor, recheck)
        world.listener.tell(RunEnded(counts=result.counts, requests=result.requests, exit=result.exit))
        return result

    def _histories(self) -> Histories | None:
        if not self.findings.resumed:
            return None
        account = self.request.account.identity
        return lambda leads: self.ledger.histories(account, leads)

    def _result(self, executor: Executor, recheck: Recheck) -> RunResult:
        findings, board = self.findings, executor.board
        counts = board.counts(
            total=self.plan.summary.counts.total,
            already_applied=findings.already_applied,
            in_doubt_before=len(findings.in_doubt),
        )
        reasons = Counter(board.reasons)
        reasons.update(line.message for line in findings.held)
        unnamed = counts.not_sent - reasons.total()
        if unnamed > 0:
            reasons[executor.stopped] += unnamed
        interrupted = self.world.signal.cause is Cause.INTERRUPTED and bool(executor.stopped)
        return RunResult(
            run=self.run,
            plan=self.plan.summary.digest,
            counts=counts,
            requests=executor.requests,
            rejected=tuple(board.rejected),
            in_doubt=(*findings.in_doubt, *board.in_doubt),
            unrecorded=executor.unrecorded,
            not_sent=(*board.not_sent, *findings.held),
            tallies=board.tallies(),
            not_sent_reasons=dict(reasons),
            exit=_exit(counts, interrupted=interrupted, doubt=bool(recheck.doubtful or executor.has_unrecorded)),
            stopped=executor.stopped,
            warnings=tuple(board.warnings),
            account=self.request.account.name,
            host=self.request.account.host,
            plan_path=self.request.plan_path,
        )


def run_start(
    plan: VerifiedPlan, findings: PreflightResult, request: ApplyRequest, approvals: tuple[str, ...]
) -> RunStart:
    account = request.account
    return RunStart(
        account=account.identity,
        host=account.host,
        plan=plan.summary.digest,
        plan_path=request.plan_path,
        changesets=tuple(changeset.id for changeset in plan.summary.changesets),
        total=findings.to_send,
        policy_digest=plan.header.policy_digest,
        wire_digest=plan.header.wire_digest,
        tool=request.tool,
        names=findings.names,
        approvals=approvals,
        planned=PlannedFrom(
            position=plan.provenance.ledger_position,
            parts=plan.summary.parts,
            selection=plan.provenance.selection,
        ),
    )


def nothing_to_send(digest: PlanDigest, findings: PreflightResult, request: ApplyRequest) -> RunResult:
    """The result where everything is settled, held or in doubt already, so that no run begins."""
    exit_code = Exit.IN_DOUBT if findings.in_doubt else Exit.INCOMPLETE if findings.held else Exit.DONE
    return RunResult(
        run=None,
        plan=digest,
        counts=RunCounts(
            in_doubt=len(findings.in_doubt), already_applied=findings.already_applied, not_sent=len(findings.held)
        ),
        requests=0,
        in_doubt=findings.in_doubt,
        not_sent=findings.held,
        exit=exit_code,
        account=request.account.name,
        host=request.account.host,
        plan_path=request.plan_path,
    )


def _exit(counts: RunCounts, *, interrupted: bool, doubt: bool) -> Exit:
    if interrupted:
        return Exit.INTERRUPTED
    if counts.in_doubt or doubt:
        return Exit.IN_DOUBT
    if counts.rejected or counts.not_sent:
        return Exit.INCOMPLETE
    return Exit.DONE
