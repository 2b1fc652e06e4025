"""Who approved a plan so far, for the views that say it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.core.errors import SyncError
from syncengine.reports.facts import ApprovalsSoFar, LeftOut

if TYPE_CHECKING:
    from syncengine.core.plan import PlanHeader, PlanSummary
    from syncengine.project import Project


def approvals_so_far(
    project: Project, header: PlanHeader, summary: PlanSummary, path: Path | None
) -> ApprovalsSoFar | None:
    """The approvals of a plan that is saved at `path`, as far as they can be judged here; None where the configuration
    does not have its account. A view never fails because of them."""
    from syncengine.planning.approvals import ApprovalRequest, would_count

    account = project.settings.accounts.get(header.account)
    if account is None:
        return None
    request = ApprovalRequest(
        summary=summary,
        plan=path,
        files=(),
        account=account,
        policy=project.settings.policy,
        root=Path(project.settings.root),
        environ=project.environ,
        now=project.clock.now(),
    )
    rule = request.rule
    if rule is None:
        return ApprovalsSoFar()
    try:
        found = would_count(request)
    except SyncError as error:
        return ApprovalsSoFar(needed=rule.required, left_out=(LeftOut("every signature", error.message),))
    if found is None:
        return ApprovalsSoFar()
    return ApprovalsSoFar(
        needed=rule.required,
        given=tuple(approval.principals[0] for approval in found.counted),
        left_out=tuple(LeftOut(principal, reason) for principal, reason in found.left_out),
    )
