"""Plans that no planning made, with right sums: what somebody gains who writes a plan file by hand."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.planning import open_plan
from syncengine.planning.planfile import PlanWriter


def claim_policy(path: Path, digest: str) -> None:
    """Write a plan anew as if it had been made under the policy with this digest; both sums are right."""
    with open_plan(path) as plan:
        operations = list(plan.operations())
        header, provenance, summary = plan.header, plan.provenance, plan.summary
    with PlanWriter(path, msgspec.structs.replace(header, policy_digest=digest), provenance) as writer:
        for planned in operations:
            writer.write(planned)
        writer.finish(
            counts=summary.counts,
            blocked=summary.blocked,
            warnings=summary.warnings,
            notes=summary.notes,
            changesets=summary.changesets,
        )
