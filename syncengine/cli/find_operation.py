"""One operation's whole story, gathered from the ledger, the saved plans that are still there, and the changeset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.errors import InputError, SyncError
from syncengine.core.operations import SPECS, generation_of, kind_of, spec_of, target_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.ports import OperationRecord, RunRecord
from syncengine.planning import Identities, search_plan

if TYPE_CHECKING:
    from syncengine.ledger import Ledger

SHORTEST = 8
"""Characters of an id that are enough where only one operation has them."""


class PlannedIn(msgspec.Struct, frozen=True, kw_only=True):
    """The operation as a saved plan has it."""

    path: str
    digest: str
    account: str
    """Identity name."""
    created: str
    planned: PlannedOperation


class KnownOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one operation. `record` is None where nothing was ever sent."""

    operation: str
    record: OperationRecord | None
    runs: dict[str, RunRecord]
    plans: tuple[PlannedIn, ...]
    missing: tuple[str, ...]
    """Plans that are on record and whose file is gone or was altered, in words."""

    @property
    def planned(self) -> PlannedOperation | None:
        """The operation as the first plan at hand has it."""
        return self.plans[0].planned if self.plans else None

    @property
    def account(self) -> str:
        """Identity name of its account."""
        return self.record.account if self.record is not None else self.plans[0].account

    @property
    def origin(self) -> Origin | None:
        """Where it was declared."""
        return None if self.planned is None else self.planned.origin

    def facts(self) -> dict[str, str]:
        """Changeset, lead, kind, generation, and the delivery or buyer it is aimed at."""
        if self.record is not None:
            record = self.record
            return {
                "changeset": record.changeset,
                "lead": record.lead,
                "kind": record.kind.value,
                "target": record.delivery,
                "aimed_at": SPECS[record.kind].target,
                "generation": str(record.generation),
            }
        planned = self.plans[0].planned
        return {
            "changeset": planned.changeset,
            "lead": planned.operation.lead,
            "kind": kind_of(planned.operation).value,
            "target": target_of(planned.operation),
            "aimed_at": spec_of(planned.operation).target,
            "generation": str(generation_of(planned.operation)),
        }


def tell(
    prefix: str, ledger: Ledger | None, plans: Sequence[Path], *, root: Path, identities: Identities
) -> KnownOperation:
    """What is known of the one operation whose id begins with `prefix`. InputError where there is none or several."""
    if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST},40}}", prefix):
        raise InputError(
            f"{prefix[:60]!r} is not an operation's id, nor the first {SHORTEST} characters of one",
            code="SE901",
            hint="plans, 'syncengine history' and 'syncengine status' show ids",
        )
    found = [one for path in dict.fromkeys(plans) for one in _planned_in(path, prefix, identities)]
    records = _records(ledger, prefix)
    operation = _only(sorted({*records, *(one.planned.id for one in found)}), prefix, in_plans=bool(plans))
    record = records.get(operation)
    runs = _runs(ledger, record)
    missing: list[str] = []
    known = {one.digest for one in found}
    for run in runs.values():
        if run.plan not in known:
            known.add(run.plan)
            found.extend(_recorded_plan(run, operation, root, missing, identities))
    return KnownOperation(
        operation=operation,
        record=record,
        runs=runs,
        plans=tuple(found),
        missing=tuple(missing),
    )


def _only(ids: Sequence[str], prefix: str, *, in_plans: bool) -> str:
    if not ids:
        where = "the ledger or the named plans" if in_plans else "the ledger"
        raise InputError(
            f"no operation in {where} begins with {prefix}",
            code="SE904",
            hint="an operation that was never sent is only in its plan: add --plan FILE",
        )
    if len(ids) > 1:
        raise InputError(
            f"{len(ids)} operations begin with {prefix}: {', '.join(ids[:5])}", code="SE904", hint="write more of it"
        )
    return ids[0]


def _records(ledger: Ledger | None, prefix: str) -> dict[str, OperationRecord]:
    """The records whose ids begin so; of many only the first ones."""
    records: dict[str, OperationRecord] = {}
    for record in () if ledger is None else ledger.history(operation=prefix):
        records[record.operation] = record
        if len(records) > 5:
            break
    return records


def _runs(ledger: Ledger | None, record: OperationRecord | None) -> dict[str, RunRecord]:
    if ledger is None or record is None:
        return {}
    wanted = {attempt.run for attempt in record.attempts}
    return {run.run: run for run in reversed(ledger.runs(record.account)) if run.run in wanted}


def _planned_in(path: Path, prefix: str, identities: Identities) -> Iterator[PlannedIn]:
    with search_plan(path, prefix, identities) as saved:
        for planned in saved.found:
            yield PlannedIn(
                path=str(path),
                digest=saved.summary.digest,
                account=saved.header.identity,
                created=saved.provenance.created,
                planned=planned,
            )


def _recorded_plan(
    run: RunRecord, operation: str, root: Path, missing: list[str], identities: Identities
) -> list[PlannedIn]:
    """The plan that a run applied, where its file still is what it was."""
    for path in dict.fromkeys((Path(run.plan_path), root / run.plan_path)):
        if not run.plan_path or not path.is_file():
            continue
        try:
            found = [one for one in _planned_in(path, operation, identities) if one.digest == run.plan]
        except SyncError as error:
            missing.append(f"plan {run.plan[:12]}: {error.message}")
            return []
        if found:
            return found
        missing.append(f"plan {run.plan[:12]}: {run.plan_path} is another plan by now; name it with --plan")
        return []
    missing.append(f"plan {run.plan[:12]}: its file is not there; name it with --plan")
    return []
