"""Names what moved between an earlier plan of the same changesets and the present one: for `plan --expect`, and for
refusals of approvals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice

import msgspec

from syncengine.core.digests import LEDGER, moved_parts, part_in_words, parts_about
from syncengine.core.errors import NotApproved, SyncError
from syncengine.core.history import NO_HISTORY, Attempt, LeadHistory
from syncengine.core.operations import kind_of, target_of, values_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.ports import RunRecord
from syncengine.core.values import LeadId
from syncengine.ledger import Ledger
from syncengine.planning import PlanFile

_BATCH = 1_000
_NAMED = 5
"""Leads that are named."""
_NAMING = frozenset({"SE638", "SE640", "SE648"})
"""Refusals that say what moved: the plan is not the one that was approved."""
_OTHERWISE = (
    "nothing that is recorded for this; the name of a changeset's file, values read from the service, the ledger's "
    "generation or the version of syncengine may be another"
)


class EarlierPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an earlier plan: its parts, and the ledger's position when it was made (None: unknown)."""

    parts: Mapping[str, str]
    position: int | None = None


def moved_in_words(earlier: EarlierPlan, plan: PlanFile, ledger: Ledger | None) -> str:
    """What moved since an earlier plan: "source rows of uplift, ledger facts (leads 101, 102)"."""
    moved = moved_parts(earlier.parts, plan.summary.parts)
    told = [part_in_words(name) for name in moved if name != LEDGER]
    leads: list[str] = []
    # With other lines, the facts about them are others too, although the ledger is the same: only its position tells.
    if ledger is not None and (LEDGER in moved or not moved) and (earlier.position is not None or not told):
        leads = _moved_leads(earlier, plan, ledger)
    if leads:
        told.append(f"{part_in_words(LEDGER)} ({_leads_in_words(leads)})")
    elif LEDGER in moved and not told:
        told.append(part_in_words(LEDGER))
    return ", ".join(told) or _OTHERWISE


@contextmanager
def naming_moves(plan: PlanFile, ledger: Ledger) -> Iterator[None]:
    """Add to a refusal of an approval what moved since the last plan of each changeset that the ledger knows."""
    try:
        yield
    except NotApproved as error:
        codes = {error.code, *(problem.code for problem in error.problems)}
        if not codes.isdisjoint(_NAMING):
            # It only explains the refusal: what cannot be read does not replace it.
            with suppress(SyncError):
                error.extend(since_last_known(plan, ledger))
        raise


def since_last_known(plan: PlanFile, ledger: Ledger) -> str:
    """What moved since the last plans of these changesets on record; "" where there is none."""
    wanted = {str(changeset.id) for changeset in plan.summary.changesets}
    found: dict[str, RunRecord] = {}
    for run in ledger.runs(plan.header.identity):
        if run.planned is not None:
            found.update({name: run for name in wanted.intersection(run.changesets) if name not in found})
    told: list[str] = []
    for name, run in sorted(found.items()):
        if run.planned is None:
            continue
        parts = parts_about(run.planned.parts, ("", *wanted))
        words = moved_in_words(EarlierPlan(parts=parts, position=run.planned.position), plan, ledger)
        told.append(f"since the last plan of {name} on record ({run.plan[:12]}, run {run.run}) these moved: {words}")
    return "; ".join(dict.fromkeys(told))


def _moved_leads(earlier: EarlierPlan, plan: PlanFile, ledger: Ledger) -> list[str]:
    """The first leads of the plan about which the ledger learned something, one more than are named."""
    if earlier.position is None:
        return _leads_of_newest_run(plan, ledger)
    account, own = plan.header.identity, plan.summary.digest
    past = ledger.at_position(account, earlier.position)
    found: dict[str, None] = {}
    for batch, present in _with_histories(plan, lambda leads: ledger.histories(account, leads)):
        then = past.histories(account, list({planned.operation.lead for planned in batch}))
        for planned in batch:
            lead = planned.operation.lead
            if _facts(planned, present.get(lead), own) != _facts(planned, then.get(lead), own):
                found[lead] = None
        if len(found) > _NAMED:
            break
    return list(found)


def _leads_of_newest_run(plan: PlanFile, ledger: Ledger) -> list[str]:
    """The leads that the newest records are about, of those that the ledger has facts about: of one run, or of the
    resolutions of one. The ledger only ever learns, so what it learned since is the newest."""
    latest: tuple[str, str] = ("", "")
    found: dict[str, None] = {}
    account = plan.header.identity
    for batch, present in _with_histories(plan, lambda leads: ledger.histories(account, leads)):
        for planned in batch:
            lead = planned.operation.lead
            for at, cause in _records(present.get(lead, NO_HISTORY).attempts if planned.facts else ()):
                if cause != latest[1] and at > latest[0]:
                    found = {}
                if cause == latest[1] or at > latest[0]:
                    latest = max(at, latest[0]), cause
                    if len(found) <= _NAMED:
                        found[lead] = None
    return list(found)


def _records(attempts: Iterable[Attempt]) -> Iterator[tuple[str, str]]:
    """When something was recorded, and by what."""
    for attempt in attempts:
        yield attempt.moment, attempt.run
        if attempt.resolution is not None:
            yield attempt.resolution.at, f"resolution of {attempt.run}"


def _with_histories(
    plan: PlanFile, read: Callable[[list[LeadId]], Mapping[LeadId, LeadHistory]]
) -> Iterator[tuple[list[PlannedOperation], Mapping[LeadId, LeadHistory]]]:
    operations = plan.operations()
    while batch := list(islice(operations, _BATCH)):
        yield batch, read(list({planned.operation.lead for planned in batch}))


def _facts(planned: PlannedOperation, history: LeadHistory | None, own: str) -> int:
    """Records about an operation. Of those that the plan `own` itself made, only resolutions: people decided these."""
    if history is None:
        return 0
    operation = planned.operation
    resolved = sum(attempt.plan == own and attempt.resolution is not None for attempt in history.attempts)
    return resolved + history.facts(kind_of(operation), target_of(operation), values_of(operation), except_plan=own)


def _leads_in_words(leads: Iterable[str]) -> str:
    named = list(leads)
    what = "lead" if len(named) == 1 else "leads"
    return f"{what} {', '.join(named[:_NAMED])}{' and more' if len(named) > _NAMED else ''}"
