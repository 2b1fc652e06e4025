"""Conflicts inside one changeset: repeated declarations for a lead are merged where they agree, otherwise an error."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from syncengine.changeset.declared import Declared, DeclaredChange, Place
from syncengine.core.changes import Item, Origin
from syncengine.core.operations import (
    SPECS,
    Financials,
    Operation,
    Update,
    generation_of,
    spec_of,
    target_of,
    values_of,
)
from syncengine.documents.claims import ClaimStore, FirstClaim
from syncengine.documents.nodes import Scalar

_OWN = "\0"
"""Prefix of every claimed name other than a field's, so that a field called "payout" differs from the payout."""


class Settling:
    """Processes the items of one changeset in order."""

    def __init__(self, declared: Declared, place: Place, claims: ClaimStore) -> None:
        self._declared = declared
        self._place = place
        self._claims = claims
        self._by_line: dict[int, DeclaredChange] | None = None

    def settle(self, item: Item, change: DeclaredChange) -> Item | None:
        """The item without repeated declarations; None where nothing is left, or a conflict was reported."""
        operations = item.operations
        if len(operations) == 1 and operations[0].__class__ is Update:
            claimed: Mapping[str, str] = operations[0].fields
        else:
            claimed = self._names(item, change)
        earlier = self._claims.claim_all(item.lead, claimed, item.origin)
        if not earlier:
            return item
        fine = [self._fits(item, change, name, claimed[name], before) for name, before in earlier.items()]
        if not all(fine):
            return None
        left = tuple(kept for operation in operations if (kept := _without(operation, earlier)) is not None)
        return msgspec.structs.replace(item, operations=left) if left else None

    def _names(self, item: Item, change: DeclaredChange) -> dict[str, str]:
        names: dict[str, str] = {}
        for operation in item.operations:
            match operation:
                case Update(fields=fields):
                    names.update(fields)
                case Financials():
                    names.update((_OWN + name, value) for name, value in values_of(operation).items())
                case _:
                    name = _once_name(operation)
                    if name in names:
                        self._twice(item, change, name, self._where(name, item.origin))
                    names[name] = spec_of(operation).kind.value
        return names

    def _fits(self, item: Item, change: DeclaredChange, name: str, value: str, before: FirstClaim) -> bool:
        """Whether a second declaration is allowed. If not, it is reported."""
        first = self._where(name, before.origin)
        if name.startswith(_ONCE) and value != before.value:
            message = (
                f"lead {item.lead}: {before.value} is declared {first}, and {value} {self._where(name, item.origin)}"
            )
            self._place.problem("SE409", message, change, hint="keep one of the two", row=item.origin.row)
            return False
        if name.startswith(_ONCE):
            self._twice(item, change, name, first)
            return False
        what, scalar = _in_words(name), _scalar_of(change, name)
        row = item.origin.row
        both = f"{first}, and {self._where(name, item.origin)}"
        if value == before.value:
            message = f"lead {item.lead}: {what} is set to the same value {both}; the second counts for nothing"
            self._place.problem("SE404", message, scalar or change, severity="note", row=row)
            return True
        hint = "one changeset sets a field of a lead once; a later correction belongs into a changeset of its own"
        message = f"lead {item.lead}: {what} has two values: {both}"
        self._place.problem("SE402", message, scalar or change, hint=hint, row=row)
        return False

    def _twice(self, item: Item, change: DeclaredChange, name: str, first: str) -> None:
        second = self._where(name, item.origin)
        message = f"lead {item.lead}: {_in_words(name)} is declared {first}, and again {second}"
        hint = "it would be sent once only: take one of the two out"
        at = change.trigger[0] if change.trigger else change
        self._place.problem("SE403", message, at, hint=hint, row=item.origin.row)

    def _where(self, name: str, origin: Origin) -> str:
        """A declaration for messages, with the line of the value itself where it is known."""
        if self._by_line is None:
            self._by_line = _by_line(self._declared.changes)
        change = self._by_line.get(origin.line)
        scalar = None if change is None else _scalar_of(change, name)
        line = origin.line if scalar is None else scalar.line
        return f"in line {line}" + ("" if origin.row is None else f" for row {origin.row}")


_ONCE = _OWN + "once"


def _once_name(operation: Operation) -> str:
    """Operations with equal names affect the same thing: a lead's reprocess, one of its deliveries, its quarantine.
    Each generation may be declared once."""
    spec, target = spec_of(operation), target_of(operation)
    return _OWN.join((_ONCE, str(generation_of(operation)), spec.touch, target))


def _in_words(name: str) -> str:
    if name.startswith(_ONCE):
        _, touch, target = name.removeprefix(_ONCE + _OWN).split(_OWN)
        kinds = [spec for spec in SPECS.values() if spec.irreversible and spec.touch == touch]
        return " or ".join(spec.the for spec in kinds).replace("{target}", target)
    return f"the {name.removeprefix(_OWN)}" if name.startswith(_OWN) else f"the field {name!r}"


def _scalar_of(change: DeclaredChange, name: str) -> Scalar | None:
    """The scalar in which a change declares what was claimed under `name`."""
    if not name.startswith(_OWN):
        return next((scalar for field, scalar in change.update if field == name), None)
    own = {"payout": change.payout, "revenue": change.revenue, "buyer": change.buyer}
    return own.get(name.removeprefix(_OWN))


def _by_line(changes: Collection[DeclaredChange]) -> dict[int, DeclaredChange]:
    places: dict[int, DeclaredChange] = {}
    for change in changes:
        places.setdefault(change.line, change)
        if len(change.leads) > 1:
            for lead in change.leads:
                places.setdefault(lead.line, change)
    return places


def _without(operation: Operation, earlier: Mapping[str, FirstClaim]) -> Operation | None:
    """The rest of an operation. The buyer stays as long as an amount does, since it travels with every amount."""
    match operation:
        case Update(lead=lead, fields=fields):
            left = {name: value for name, value in fields.items() if name not in earlier}
            return Update(lead, left) if left else None
        case Financials(lead=lead, buyer=buyer):
            payout = None if _OWN + "payout" in earlier else operation.payout
            revenue = None if _OWN + "revenue" in earlier else operation.revenue
            return None if payout is revenue is None else Financials(lead, payout, revenue, buyer)
        case _:
            return operation
