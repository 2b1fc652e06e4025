"""Which operations of a saved plan `show` lists where it is asked for a part."""

from __future__ import annotations

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
    missing = {**{("lead", lead): None for lead in selection.leads}, **{("change", c): None for c in selection.changes}}
    for planned in plan.operations():
        missing.pop(("lead", planned.operation.lead), None)
        missing.pop(("change", planned.change), None)
        if planned.state is State.TO_SEND and len(first) < (selection.limit or 0) and part.holds(planned):
            first[planned.operation.lead] = None
    for what, name in missing:
        raise InputError(
            f"--{what} {name}: the plan holds no such {what}",
            code="SE130" if what == "lead" else "SE131",
            hint="'syncengine show' without it lists what the plan holds",
        )
    if selection.limit is not None:
        part = msgspec.structs.replace(part, leads=frozenset(first))
    return msgspec.structs.replace(part, count=sum(part.holds(planned) for planned in plan.operations()))
