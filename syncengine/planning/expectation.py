"""What `plan --expect` is given: the digest of a plan, or a plans.json."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from syncengine.core.errors import InputError
from syncengine.core.values import PlanDigest
from syncengine.planning.planfile import position_of
from syncengine.planning.plans_file import ListedPlan, read_plans_file

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ExpectedPlans(msgspec.Struct, frozen=True, kw_only=True):
    """The plans of a plans.json by changeset, and the ledger's positions when those beside it were made."""

    account: str
    plans: Mapping[str, ListedPlan]
    positions: Mapping[str, int]


def expected_digest(text: str) -> PlanDigest:
    """The digest of the one plan that is expected. Raises InputError."""
    if not _DIGEST.fullmatch(text):
        raise InputError(
            f"--expect {text[:80]}: this is no digest of a plan, which has 64 characters of 0-9 and a-f",
            code="SE144",
            hint="copy the whole digest from the plan that was reviewed; a plans.json goes with --each DIR",
        )
    return PlanDigest(text)


def expected_plans(file: Path) -> ExpectedPlans:
    """The plans that are expected with `--each`. Raises InputError."""
    try:
        content = read_plans_file(file)
    except InputError as error:
        hint = "with --each, --expect names a plans.json" if _DIGEST.fullmatch(str(file)) else error.hint
        raise InputError(f"--expect: {error.message}", code="SE144", hint=hint) from error
    positions = {plan.changeset: position_of(file.parent / plan.file) for plan in content.plans}
    return ExpectedPlans(
        account=content.account,
        plans={plan.changeset: plan for plan in content.plans},
        positions={name: position for name, position in positions.items() if position is not None},
    )
