"""Records a plan's operations as already done by other means. Sends nothing."""

from __future__ import annotations

from syncengine.applying.apply import ApplyRequest, VerifiedPlan, run_start, saved_plan
from syncengine.applying.preflight import Preflight, check_identity
from syncengine.applying.remaining import Feed
from syncengine.core.ports import Clock, LedgerWriter


def record_baseline(
    plan: VerifiedPlan, ledger: LedgerWriter, request: ApplyRequest, clock: Clock, *, by: str, note: str
) -> int:
    """Record what the plan would send as applied, in a run of its own. Returns the number of operations.

    The plan is checked as for applying. Raises Refusal.
    """
    saved = saved_plan(plan)
    with ledger.lease(request.account.identity, wait=request.lock_timeout) as lease:
        check_identity(saved, request.account, ledger)
        preflight = Preflight(saved, policy=request.policy, account=request.account, ledger=ledger, clock=clock)
        findings = preflight.check(plan.operations())
        if not findings.to_send:
            return 0
        account = request.account.identity
        feed = Feed(
            plan.summary.digest,
            plan.operations(),
            (lambda leads: ledger.histories(account, leads)) if findings.resumed else None,
        )
        ledger.baseline(lease, run_start(plan, findings, request, ()), feed, by=by, note=note)
    return findings.to_send
