"""How much of a saved plan is settled by now, for the views that say it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncengine.core.errors import SyncError

if TYPE_CHECKING:
    from syncengine.core.plan import PlanProgress
    from syncengine.planning import PlanFile
    from syncengine.project import Project


def progress_so_far(project: Project | None, plan: PlanFile) -> PlanProgress | None:
    """The progress as the ledger knows it; None where the plan was never applied, or the ledger cannot tell.

    Only a ledger in a file is read: showing a plan opens no connection, and a view never fails because of the ledger.
    """
    if project is None or not project.settings.ledger.url.startswith("sqlite:"):
        return None
    from syncengine.applying.plan_progress import progress_of

    try:
        with project.view() as ledger:
            if ledger is None or plan.provenance.ledger_id not in (None, ledger.identity().id):
                return None
            return progress_of(plan.summary.digest, plan.header.identity, plan.operations(), ledger)
    except SyncError:
        return None
