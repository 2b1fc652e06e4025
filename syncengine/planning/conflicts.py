"""Conflicts between changesets of one plan on the same lead, and generations that were lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.errors import Problem
from syncengine.core.history import touch_of
from syncengine.core.operations import (
    Financials,
    Update,
    generation_of,
    kind_of,
    target_of,
    values_of,
)
from syncengine.core.plan import PlannedOperation, State
from syncengine.core.values import LeadId
from syncengine.planning.diff import Generation


class EarlierClaim(Protocol):
    """An earlier claim of the same key."""

    @property
    def value(self) -> str: ...

    @property
    def origin(self) -> Origin: ...


class ClaimRegistry(Protocol):
    """Records the first claim on each name of a lead, in bounded memory."""

    def claim(self, lead: LeadId, name: str, value: str, origin: Origin) -> EarlierClaim | None:
        """None for the first claim of the name; otherwise the first claim."""
        ...

    def claim_all(self, lead: LeadId, values: Mapping[str, str], origin: Origin) -> Mapping[str, EarlierClaim]:
        """Claim several names at once. Returns the earlier claims among them."""
        ...


class Conflicts:
    """Checks the operations that would be sent, across all changesets of a plan.

    `several`: there is more than one. Within one changeset, its own checks ensure that no field has two values.
    """

    def __init__(self, claims: ClaimRegistry, report: Callable[[Problem], None], *, several: bool) -> None:
        self._claims = claims
        self._report = report
        self._several = several
        self._declared: dict[tuple[str, str, str], int] = {}
        self._lowered: list[Generation] = []

    def check(self, planned: PlannedOperation) -> PlannedOperation:
        """The operation, blocked where another line already does the same irreversible thing."""
        operation = planned.operation
        if isinstance(operation, Update | Financials):
            if self._several and planned.state is State.TO_SEND:
                self._values(planned)
            return planned
        if operation.generation > 1:
            self._remember(planned)
        return self._once(planned) if planned.state is State.TO_SEND else planned

    def lowered(self, generation: Generation) -> None:
        """Record a generation that is lower than one in the ledger. `finish` decides whether it is a mistake."""
        self._lowered.append(generation)

    def finish(self) -> None:
        """Report lowered generations, unless a copy of the change declares the recorded one."""
        # A file may keep the original change above its copy with a higher `rerun`, and is not at fault once that
        # copy was applied. Hence the check at the end: docs/decisions/0004-generations-across-changesets.md.
        for generation in self._lowered:
            declared = generation.declared
            if self._declared.get(_thing(declared), 1) >= generation.on_record:
                continue
            self._report(
                Problem(
                    code="SE407",
                    message=(
                        f"rerun {generation_of(declared.operation)} for lead {declared.operation.lead} is lower than "
                        f"generation {generation.on_record}, which is on record"
                    ),
                    file=declared.origin.file,
                    line=declared.origin.line,
                    column=1,
                    row=declared.origin.row,
                    hint=f"declare 'rerun: {generation.on_record}' (already done), or a higher one to do it again",
                )
            )

    def _remember(self, planned: PlannedOperation) -> None:
        thing = _thing(planned)
        self._declared[thing] = max(self._declared.get(thing, 1), generation_of(planned.operation))

    def _once(self, planned: PlannedOperation) -> PlannedOperation:
        kind = kind_of(planned.operation).value
        earlier = self._claims.claim(planned.operation.lead, f"\0{_thing(planned)[2]}", kind, planned.origin)
        if earlier is None:
            return planned
        if earlier.value != kind:
            where = f"{earlier.origin.file}:{earlier.origin.line}"
            self._report(
                Problem(
                    code="SE409",
                    message=(
                        f"lead {planned.operation.lead} would be released and rejected by one plan: here and at {where}"
                    ),
                    file=planned.origin.file,
                    line=planned.origin.line,
                    column=1,
                    row=planned.origin.row,
                    hint="keep one of the two",
                )
            )
            return planned
        return msgspec.structs.replace(
            planned,
            state=State.BLOCKED,
            # The digest covers the reason, and the line depends on the file's other documents.
            reason=f"the same thing is already declared for this lead in {earlier.origin.file}; one plan does it at "
            "most once",
        )

    def _values(self, planned: PlannedOperation) -> None:
        kind = kind_of(planned.operation).value
        values = values_of(planned.operation)
        claimed = {f"{kind}\0{name}": values[name] for name in values if name in planned.send}
        for key, earlier in self._claims.claim_all(planned.operation.lead, claimed, planned.origin).items():
            if earlier.value != claimed[key]:
                name = key.partition("\0")[2]
                self._report(
                    Problem(
                        code="SE402",
                        message=(
                            f"{name} of lead {planned.operation.lead} has two values in this plan: here and at "
                            f"{earlier.origin.file}:{earlier.origin.line}"
                        ),
                        file=planned.origin.file,
                        line=planned.origin.line,
                        column=1,
                        row=planned.origin.row,
                        hint="keep one of them, or plan the changesets one after the other with --changeset",
                    )
                )


def _thing(planned: PlannedOperation) -> tuple[str, str, str]:
    operation = planned.operation
    return planned.changeset, operation.lead, touch_of(kind_of(operation), target_of(operation))
