"""Entry point of applying: executes a verified plan with a ledger and a gateway, and returns the run's result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from syncengine.applying.executor import Executor
from syncengine.applying.jobs import RunTerms
from syncengine.applying.pace import LocalPace
from syncengine.applying.preflight import Preflight, PreflightResult, SavedPlan, check_identity
from syncengine.applying.recheck import Recheck
from syncengine.applying.remaining import Feed, Histories
from syncengine.applying.run_context import RunContext, SendingLimits
from syncengine.applying.run_results import WORDS
from syncengine.applying.senders import Senders
from syncengine.applying.stopping import Cause, StopRules, StopSignal
from syncengine.applying.windows_and_budgets import Gate
from syncengine.core.errors import Exit, LedgerTrouble
from syncengine.core.events import PlanLooked, RunBegan, RunEnded
from syncengine.core.outcomes import Outcome
from syncengine.core.plan import PlanHeader, PlanLine, PlannedOperation, PlanSummary, Provenance
from syncengine.core.ports import Clock, GatewayFactory, Lease, LedgerWriter, Listener, PlannedFrom, RunStart
from syncengine.core.results import RunCounts, RunResult
from syncengine.core.settings import Account, Policy
from syncengine.core.values import ChangesetId, LeadId, PlanDigest, RunId


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
    """Parameters of one execution of apply. `deadline` is in seconds from now; `claimed` is what CI says about who
    approved.

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
    claimed: str = ""


class RuntimeDependencies(msgspec.Struct, frozen=True, kw_only=True):
    """Runtime dependencies of a run: gateway, clock, random source, event listener and stop signal."""

    connect: Callable[[], GatewayFactory]
    """Called once, when something is to be sent; raises ConfigError where the API key is not available."""
    clock: Clock
    random: Callable[[], float]
    listener: Listener
    signal: StopSignal


class CommandContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the plans of one command share. `deadline` is in monotonic seconds.

    `closed` collects the leads with an operation that was rejected or is in doubt, each with the reason for later plans
    to send nothing for it.
    """

    ledger: LedgerWriter
    lease: Lease
    world: RuntimeDependencies
    deadline: float | None
    pace: LocalPace
    rules: StopRules
    closed: dict[LeadId, str]


def command_context(
    ledger: LedgerWriter,
    lease: Lease,
    request: ApplyRequest,
    world: RuntimeDependencies,
    deadline: float | None,
) -> CommandContext:
    """The context of a command that begins under this lease."""
    return CommandContext(
        ledger=ledger,
        lease=lease,
        world=world,
        deadline=deadline,
        pace=LocalPace(request.account.limits.requests_per_second),
        rules=StopRules(request.policy.stop_when),
        closed={},
    )


def deadline_of(request: ApplyRequest, clock: Clock) -> float | None:
    """The request's deadline in monotonic seconds."""
    return None if request.deadline is None else clock.monotonic() + request.deadline


def apply_plan(
    plan: VerifiedPlan, ledger: LedgerWriter, request: ApplyRequest, world: RuntimeDependencies
) -> RunResult:
    """Apply exactly this plan. Raises Refusal before anything was sent; later errors are part of the result."""
    deadline = deadline_of(request, world.clock)
    with ledger.lease(request.account.identity, wait=request.lock_timeout) as lease:
        findings = examine(plan, ledger, request, world.clock, world.listener)
        if not findings.to_send:
            return nothing_to_send(plan.summary.digest, findings, request)
        approvals, gate = permit(findings, ledger, request, world.clock)
        context = command_context(ledger, lease, request, world, deadline)
        return send_plan(plan, findings, request, context, approvals=approvals, gate=gate)


def send_plan(
    plan: VerifiedPlan,
    findings: PreflightResult,
    request: ApplyRequest,
    context: CommandContext,
    *,
    approvals: tuple[str, ...],
    gate: Gate,
) -> RunResult:
    """Send what `findings` left to be sent, as one run. An error is raised only before the run is on record."""
    world, ledger = context.world, context.ledger
    gateways = world.connect()
    context.rules.begin_plan()
    run = ledger.begin(context.lease, run_start(plan, findings, request, approvals))
    execution = _Execution(
        plan=plan, findings=findings, request=request, context=context, gateways=gateways, run=run, gate=gate
    )
    result = execution.go()
    try:
        ledger.end(run, exit_code=result.exit, stopped=result.stopped)
    except LedgerTrouble as error:
        # Every answer is recorded, or counted as unrecorded, so the result is valid despite the error.
        world.listener.note(f"{error.message}; the end of run {run} is not on record")
    return result


def examine(
    plan: VerifiedPlan,
    ledger: LedgerWriter,
    request: ApplyRequest,
    clock: Clock,
    listener: Listener,
    *,
    check: Callable[[], None] = lambda: None,
    sent: Collection[PlanDigest] = (),
) -> PreflightResult:
    """What is to be sent, determined under the lease. Raises Refusal where the plan must not be applied.

    `check` is called now and then; what it raises ends the examination. `sent` are plans that the command sent before.
    """
    saved = saved_plan(plan)
    check_identity(saved, request.account, ledger)
    preflight = Preflight(saved, policy=request.policy, account=request.account, ledger=ledger, clock=clock, sent=sent)
    total = plan.summary.counts.total

    def looked(count: int) -> None:
        listener.tell(PlanLooked(count, total))
        check()

    return preflight.check(plan.operations(), looked=looked)


def permit(
    findings: PreflightResult, ledger: LedgerWriter, request: ApplyRequest, clock: Clock
) -> tuple[tuple[str, ...], Gate]:
    """The approvals that count, and the guard of windows and budgets, if sending may start now.

    Raises NotApproved or Refusal.
    """
    approvals = request.authorize() if request.authorize is not None else ()
    return approvals, open_gate(findings, ledger, request, clock)


def open_gate(findings: PreflightResult, ledger: LedgerWriter, request: ApplyRequest, clock: Clock) -> Gate:
    """The guard of windows and budgets. Raises Refusal where nothing may be sent now."""
    gate = Gate(request.policy, lambda since: ledger.spent(request.account.identity, since), clock.now)
    gate.check_start(findings.firsts)
    return gate


def saved_plan(plan: VerifiedPlan) -> SavedPlan:
    """A verified plan's facts, without its operations."""
    return SavedPlan(header=plan.header, provenance=plan.provenance, summary=plan.summary)


class _Execution(msgspec.Struct, frozen=True, kw_only=True):
    plan: VerifiedPlan
    findings: PreflightResult
    request: ApplyRequest
    context: CommandContext
    gateways: GatewayFactory
    run: RunId
    gate: Gate

    def go(self) -> RunResult:
        """Send the remaining operations."""
        request, account = self.request, self.request.account
        context, world = self.context, self.context.world
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
            self._run_context(),
            feed=Feed(self.plan.summary.digest, self.plan.lines(), self._histories()),
            senders=senders,
            limits=SendingLimits(
                pace=context.pace,
                rules=context.rules,
                guard=None if self.gate.is_always_open else self.gate,
                closed=context.closed,
            ),
            recheck=recheck,
        )
        try:
            executor.execute()
        except Exception as error:  # noqa: BLE001 - once intents are on record, a run ends with what became of them
            executor.abandon(error)
        finally:
            senders.close()
        changesets = tuple(changeset.id for changeset in self.plan.summary.changesets)
        close_leads(context, changesets, executor.board.troubled)
        close_leads(context, changesets, dict.fromkeys(self.findings.doubted, Outcome.UNKNOWN))
        result = self._result(executor, recheck)
        world.listener.tell(RunEnded(counts=result.counts, requests=result.requests, exit=result.exit))
        return result

    def _run_context(self) -> RunContext:
        account, context, world = self.request.account, self.context, self.context.world
        return RunContext(
            run=self.run,
            ledger=context.ledger,
            lease=context.lease,
            terms=RunTerms(
                limits=account.limits,
                wire=account.wire,
                policy=self.request.policy,
                deadline=context.deadline,
                waits=self.findings.waits,
            ),
            clock=world.clock,
            random=world.random,
            listener=world.listener,
            signal=world.signal,
        )

    def _histories(self) -> Histories | None:
        if not self.findings.resumed:
            return None
        account = self.request.account.identity
        return lambda leads: self.context.ledger.histories(account, leads)

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
        interrupted = self.context.world.signal.cause is Cause.INTERRUPTED and bool(executor.stopped)
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
            claimed=self.request.claimed,
        )


def close_leads(context: CommandContext, changesets: Sequence[ChangesetId], troubled: Mapping[LeadId, Outcome]) -> None:
    """Send nothing for these leads in later plans of the command. They are in trouble in a plan of `changesets`."""
    names = ", ".join(changesets)
    for lead, outcome in troubled.items():
        reason = f"an operation of this lead in an earlier plan is {WORDS[outcome]} (changeset {names})"
        context.closed.setdefault(lead, reason)


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
        claimed=request.claimed,
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


def not_sent(
    digest: PlanDigest, findings: PreflightResult, request: ApplyRequest, *, reason: str, interrupted: bool
) -> RunResult:
    """The result where a command ended before this plan's run began."""
    settled = nothing_to_send(digest, findings, request)
    reasons = Counter(line.message for line in findings.held)
    reasons[reason] += findings.to_send
    counts = msgspec.structs.replace(settled.counts, not_sent=reasons.total())
    return msgspec.structs.replace(
        settled,
        counts=counts,
        not_sent=(),
        not_sent_reasons=dict(reasons),
        exit=_exit(counts, interrupted=interrupted, doubt=False),
        stopped=reason,
    )


def _exit(counts: RunCounts, *, interrupted: bool, doubt: bool) -> Exit:
    if interrupted:
        return Exit.INTERRUPTED
    if counts.in_doubt or doubt:
        return Exit.IN_DOUBT
    if counts.rejected or counts.not_sent:
        return Exit.INCOMPLETE
    return Exit.DONE
