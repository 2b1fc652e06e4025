"""Applies a folder of plans, one after the other, under one lease.

First every plan is examined, so that the policy can judge those together that would be sent. A plan without its
approvals waits, and one that must not be applied is refused; the others are sent in the order of their changesets' ids.
Whatever ends a run early ends the command. Once something was sent, an error is part of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import msgspec

from syncengine.applying.apply import (
    ApplyRequest,
    CommandContext,
    RuntimeDependencies,
    close_leads,
    command_context,
    deadline_of,
    examine,
    not_sent,
    nothing_to_send,
    open_gate,
    send_plan,
)
from syncengine.applying.executor import DEADLINE_PASSED
from syncengine.applying.policy_sum import PolicySum
from syncengine.applying.preflight import PreflightResult
from syncengine.applying.remaining import Feed
from syncengine.applying.stopping import Cause
from syncengine.applying.windows_and_budgets import Gate
from syncengine.core.errors import Exit, PlanBlocked, Refusal, SyncError, TooFewApprovals
from syncengine.core.outcomes import Outcome
from syncengine.core.plan import Counts, PlannedOperation
from syncengine.core.ports import LedgerWriter
from syncengine.core.results import ChangesetResult, FolderResult, RefusedCommand, RefusedPlan, RunResult, WaitingPlan
from syncengine.core.values import ChangesetId, PlanDigest
from syncengine.planning import PlanFile


class FolderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of the folder. `open` verifies it anew; it raises AlteredPlan where it is not the plan of this digest."""

    changeset: ChangesetId
    digest: PlanDigest
    path: str
    open: Callable[[], AbstractContextManager[PlanFile]]


class FolderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`apply` holds for every plan, except for its path. `authorize` returns the approvals that counted for a plan; it
    raises TooFewApprovals or NotApproved."""

    apply: ApplyRequest
    authorize: Callable[[PlanFile], tuple[str, ...]]


class _Examined(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that is not refused and does not wait."""

    entry: FolderEntry
    findings: PreflightResult
    counts: Counts
    approvals: tuple[str, ...] = ()


def apply_directory(
    entries: Sequence[FolderEntry], ledger: LedgerWriter, request: FolderRequest, world: RuntimeDependencies
) -> FolderResult:
    """Apply these plans, given in the order of their changesets' ids. Raises Refusal or LedgerTrouble only where
    nothing was sent."""
    apply = request.apply
    deadline = deadline_of(apply, world.clock)
    with ledger.lease(apply.account.identity, wait=apply.lock_timeout) as lease:
        command = _DirectoryCommand(request, command_context(ledger, lease, apply, world, deadline))
        return command.run(entries)


class _CommandEnded(Exception):
    """The command ended while a plan was examined again: `_stopped` says why."""


class _DirectoryCommand:
    """One call of `apply DIR`. `_whole` is set where nothing is sent of any plan, `_stopped` where the rest is not."""

    def __init__(self, request: FolderRequest, context: CommandContext) -> None:
        self._request = request
        self._context = context
        self._plans: list[ChangesetResult] = []
        self._waiting: list[WaitingPlan] = []
        self._refused: list[RefusedPlan] = []
        self._whole: Refusal | None = None
        self._stopped = ""
        self._sent: list[PlanDigest] = []

    def run(self, entries: Sequence[FolderEntry]) -> FolderResult:
        """Examine every plan, then send those that may be sent."""
        examined = [found for entry in entries if (found := self._examined(entry)) is not None]
        try:
            self._judge_together([each for each in examined if each.findings.to_send])
        except PlanBlocked as error:
            self._whole = error
        for each in examined:
            self._settle(each)
        whole = self._whole
        return FolderResult(
            account=self._request.apply.account.name,
            plans=tuple(self._plans),
            waiting=tuple(self._waiting),
            refused=tuple(sorted(self._refused, key=lambda refused: refused.changeset)),
            refusal=None
            if whole is None
            else RefusedCommand(code=whole.code, message=whole.message, hint=whole.hint, problems=whole.problems),
            stopped=self._stopped,
            exit=self._exit(),
        )

    # Before anything is sent

    def _examined(self, entry: FolderEntry) -> _Examined | None:
        """The plan; None where it waits or is refused."""
        try:
            with entry.open() as saved:
                findings = self._examine(saved)
                approvals = self._request.authorize(saved) if findings.to_send else ()
                return _Examined(entry=entry, findings=findings, counts=saved.summary.counts, approvals=approvals)
        except TooFewApprovals as error:
            self._wait(entry, error)
        except Refusal as error:
            self._refuse(entry, error)
        return None

    def _examine(self, saved: PlanFile) -> PreflightResult:
        world = self._context.world
        return examine(
            saved,
            self._context.ledger,
            self._request.apply,
            world.clock,
            world.listener,
            check=self._check_ended,
            sent=self._sent,
        )

    def _judge_together(self, to_send: Sequence[_Examined]) -> None:
        """Raise PlanBlocked where plans that keep the policy one by one break it together."""
        if len(to_send) <= 1:
            return
        apply = self._request.apply
        counts = {each.entry.changeset: each.counts for each in to_send}
        policy_sum = PolicySum(apply.policy, apply.account, counts)
        if policy_sum.counts_leads:
            for each in to_send:
                with each.entry.open() as saved:
                    policy_sum.count_leads(saved.operations())
        if policy_sum.reads_lines:
            for each in to_send:
                with each.entry.open() as saved:
                    policy_sum.judge(self._open_lines(saved, each.findings))
        policy_sum.refuse()

    def _open_lines(self, saved: PlanFile, findings: PreflightResult) -> Iterator[PlannedOperation]:
        account, ledger = self._request.apply.account.identity, self._context.ledger
        histories = (lambda leads: ledger.histories(account, leads)) if findings.resumed else None
        return Feed(saved.summary.digest, saved.operations(), histories).open_lines()

    def _wait(self, entry: FolderEntry, error: TooFewApprovals) -> None:
        self._waiting.append(
            WaitingPlan(
                changeset=entry.changeset,
                plan=entry.digest,
                needed=error.needed,
                given=error.given,
                left_out=error.left_out,
                message=error.message,
            )
        )

    def _refuse(self, entry: FolderEntry, error: Refusal) -> None:
        self._refused.append(
            RefusedPlan(
                changeset=entry.changeset, plan=entry.digest, code=error.code, message=error.message, hint=error.hint
            )
        )

    # Sending

    def _settle(self, each: _Examined) -> None:
        """Send one plan, or account for it where nothing of it is sent."""
        entry, findings = each.entry, each.findings
        request = msgspec.structs.replace(self._request.apply, plan_path=entry.path)
        if not findings.to_send:
            close_leads(self._context, (entry.changeset,), dict.fromkeys(findings.doubted, Outcome.UNKNOWN))
            self._keep(entry, nothing_to_send(entry.digest, findings, request))
            return
        self._look_for_reasons_to_stop()
        if self._whole is None and not self._stopped:
            self._send(each, request)
        else:
            self._leave(each, request)

    def _send(self, each: _Examined, request: ApplyRequest) -> None:
        try:
            with each.entry.open() as saved:
                # Earlier plans of this command may have changed what the ledger knows about this one's leads.
                findings = self._examine(saved) if self._sent else each.findings
                gate = self._open_gate(findings, request)
                if gate is None:
                    self._leave(each, request)
                    return
                result = send_plan(saved, findings, request, self._context, approvals=each.approvals, gate=gate)
        except Refusal as error:
            self._refuse(each.entry, error)
        except _CommandEnded:
            self._leave(each, request)
        except Exception as error:
            if not self._sent:
                raise
            self._stopped = f"{_in_words(error)}; nothing more is sent"
            self._leave(each, request)
        else:
            self._sent.append(each.entry.digest)
            self._stopped = result.stopped
            self._keep(each.entry, result)

    def _open_gate(self, findings: PreflightResult, request: ApplyRequest) -> Gate | None:
        """The guard of windows and budgets; None where they end the command."""
        try:
            return open_gate(findings, self._context.ledger, request, self._context.world.clock)
        except Refusal as error:
            if self._sent:
                self._stopped = error.message
            else:
                self._whole = error
            return None

    def _check_ended(self) -> None:
        self._look_for_reasons_to_stop()
        if self._stopped:
            raise _CommandEnded

    def _look_for_reasons_to_stop(self) -> None:
        """Reasons that arose between two plans; within one, its run finds them."""
        if not self._sent or self._stopped:
            return
        signal, deadline = self._context.world.signal, self._context.deadline
        if signal.cause is not None:
            self._stopped = signal.reason
        elif deadline is not None and self._context.world.clock.monotonic() >= deadline:
            self._stopped = DEADLINE_PASSED

    def _leave(self, each: _Examined, request: ApplyRequest) -> None:
        """Account for a plan of which nothing is sent because the command was refused or stopped."""
        if self._whole is not None:
            self._refuse(each.entry, self._whole)
            return
        interrupted = self._context.world.signal.cause is Cause.INTERRUPTED
        digest = each.entry.digest
        self._keep(each.entry, not_sent(digest, each.findings, request, reason=self._stopped, interrupted=interrupted))

    def _keep(self, entry: FolderEntry, result: RunResult) -> None:
        self._plans.append(ChangesetResult(changeset=entry.changeset, result=result))

    def _exit(self) -> Exit:
        if self._whole is not None:
            return Exit.REFUSED
        codes = {plan.result.exit for plan in self._plans}
        for code in (Exit.INTERRUPTED, Exit.IN_DOUBT, Exit.INCOMPLETE):
            if code in codes:
                return code
        if self._refused:
            return Exit.INCOMPLETE if self._sent else Exit.REFUSED
        return Exit.WAITING if self._waiting else Exit.DONE


def _in_words(error: Exception) -> str:
    return error.message if isinstance(error, SyncError) else f"an error in syncengine: {type(error).__name__}"
