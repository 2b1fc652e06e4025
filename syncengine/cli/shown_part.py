"""Which operations of a saved plan `show` lists where it is asked for a part."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from syncengine.core.errors import InputError
from syncengine.core.plan import Selection, State
from syncengine.planning import PlanFile
from syncengine.reports.facts import ShownPart


def shown_part(plan: PlanFile, selection: Selection) -> ShownPart:
    """The part, with its number of operations. Raises InputError where a lead or change is not in the plan."""
    part = ShownPart(
        leads=frozenset(selection.leads) if selection.leads else None,
        changes=frozenset(selection.changes) if selection.changes else None,
    )
    first: dict[str, None] = {}
    leads, changes = dict.fromkeys(selection.leads), dict.fromkeys(selection.changes)
    for planned in plan.operations():
        leads.pop(planned.operation.lead, None)
        changes.pop(planned.change, None)
        if planned.state is State.TO_SEND and len(first) < (selection.limit or 0) and part.holds(planned):
            first[planned.operation.lead] = None
    _refuse_missing("lead", leads, "SE130")
    _refuse_missing("change", changes, "SE131")
    if selection.limit is not None:
        part = msgspec.structs.replace(part, leads=frozenset(first))
    return msgspec.structs.replace(part, count=sum(part.holds(planned) for planned in plan.operations()))


def _refuse_missing(what: str, names: Iterable[str], code: str) -> None:
    for name in names:
        raise InputError(
            f"--{what} {name}: the plan holds no such {what}",
            code=code,
            hint="'syncengine show' without it lists what the plan holds",
        )
