"""plans.json: the list of the plans that `plan --each DIR` wrote into DIR. The only reader and writer of the file.

It is written last, so a folder without it holds no complete set of plans.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Self

import msgspec

from syncengine.core.errors import InputError
from syncengine.core.plan import Counts, PlanSummary, State
from syncengine.core.values import ChangesetId, PlanDigest, is_changeset_id
from syncengine.documents.files import read_bounded
from syncengine.documents.result_files import write_file

NAME = "plans.json"
_LARGEST = 64 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HINT = "name a plans.json that 'syncengine plan --each DIR' wrote, or plan again"


class StateCounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts of a plan's operations by state, as in the plan's JSON view. The states add up to `total`."""

    total: int
    to_send: int
    already_applied: int
    unchanged: int
    held: int
    blocked: int
    in_doubt: int

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Those of a plan."""
        return cls(total=counts.total, **{state.value: getattr(counts, state.value) for state in State})


class ListedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plan of the folder. `file` is its name in the folder; `parts` are the digests of its inputs, by name.

    `settled` operations need nothing more, `left` ones are still to be sent, in doubt, held or blocked.
    """

    changeset: ChangesetId
    plan: PlanDigest
    file: str
    operations: StateCounts
    settled: int
    left: int
    parts: dict[str, str]


class PlansFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content of plans.json: plans in the order of their changesets' ids. `account` is the account's name."""

    account: str
    plans: tuple[ListedPlan, ...]
    warnings: tuple[str, ...]


def plan_name(changeset: str) -> str:
    """Name of the file that holds a changeset's plan."""
    return f"{changeset}.plan"


def listed(changeset: ChangesetId, summary: PlanSummary, *, settled: int, left: int) -> ListedPlan:
    """The entry for a plan."""
    return ListedPlan(
        changeset=changeset,
        plan=summary.digest,
        file=plan_name(changeset),
        operations=StateCounts.of(summary.counts),
        settled=settled,
        left=left,
        parts=dict(summary.parts),
    )


def read_plans_file(path: Path) -> PlansFile:
    """Read and check plans.json. Raises InputError with the place and the cause where it is not one.

    Symbolic links are not followed: an entry of the folder must not lead to a file elsewhere.
    """
    data = _bytes_of(path)
    try:
        found = msgspec.json.decode(data, type=PlansFile)
        json.loads(data, object_pairs_hook=_without_duplicates)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _unusable(path, _reason(error, data)) from error
    ids = Counter(plan.changeset for plan in found.plans)
    for index, plan in enumerate(found.plans):
        fault = _fault(plan) or (f"changeset {plan.changeset} is listed twice" if ids[plan.changeset] > 1 else "")
        if fault:
            raise _unusable(path, f"{fault} (at plans[{index}])")
    return msgspec.structs.replace(found, plans=tuple(sorted(found.plans, key=lambda plan: plan.changeset)))


def write_plans_file(folder: Path, content: PlansFile) -> Path:
    """Write DIR/plans.json whole or not at all. Raises InputError where it cannot be written."""
    path = folder / NAME
    write_file(path, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    return path


def _bytes_of(path: Path) -> bytes:
    try:
        return read_bounded(path, _LARGEST, links=False)
    except InputError as error:
        raise InputError(error.message, code="SE140", hint=_HINT) from error


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is not a list of plans: {reason}", code="SE140", hint=_HINT)


class _DuplicateKey(ValueError):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        name = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _DuplicateKey(f"the key {name[:40]!r} appears twice in one object")
    return found


def _reason(error: Exception, data: bytes) -> str:
    if isinstance(error, _DuplicateKey | msgspec.ValidationError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    place = re.search(r"\(byte (\d+)\)", str(error))
    if place is None:
        return str(error) or "it is no JSON"
    before = data[: int(place[1])]
    line = before.count(b"\n") + 1
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    return f"line {line}, column {column}: {str(error).partition(' (byte')[0]}"


def _fault(plan: ListedPlan) -> str:
    """What is wrong with one entry beyond its types."""
    counts = plan.operations
    numbers = [getattr(counts, state.value) for state in State]
    if not is_changeset_id(plan.changeset):
        return f"{plan.changeset[:80]!r} is no id of a changeset"
    if not _DIGEST.fullmatch(plan.plan):
        return f"{plan.plan[:80]!r} is no digest of a plan (64 hexadecimal characters)"
    if plan.file != plan_name(plan.changeset):
        return f"the file of changeset {plan.changeset} is called {plan_name(plan.changeset)}, not {plan.file[:80]!r}"
    if min(numbers) < 0 or sum(numbers) != counts.total:
        return f"the states of changeset {plan.changeset} do not add up to its operations"
    if min(plan.settled, plan.left) < 0 or plan.settled + plan.left != counts.total:
        return f"settled and left of changeset {plan.changeset} do not add up to its operations"
    return ""
