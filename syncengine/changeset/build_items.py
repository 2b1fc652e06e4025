"""Builds the operations of one lead from the validated values of one change, in the order in which they are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from syncengine.changeset.checks import LEFT_OUT, Check, Checks, Resolved, Unfit, Value, clean
from syncengine.changeset.declared import Action, DeclaredChange
from syncengine.core.changes import Item, NameUse, Origin
from syncengine.core.operations import Financials, Operation, Reject, Release, Reprocess, Return, Trigger, Update
from syncengine.core.text import is_blank
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId
from syncengine.documents.nodes import Scalar

_ACTIONS: dict[Action, type[Reprocess | Release | Reject]] = {
    "reprocess": Reprocess,
    "release": Release,
    "reject": Reject,
}


class TextSlot(msgspec.Struct, frozen=True, gc=False):
    """One text of a change: its purpose, its position, and the check for its rendered value."""

    what: str
    scalar: Scalar
    check: Check
    name: str = ""
    """The field, amount, "buyer" or "delivery" that it sets; empty where it sets nothing."""


def slots_of(change: DeclaredChange, checks: Checks) -> tuple[TextSlot, ...]:
    """The texts of a change except its leads, in the order in which `Maker` takes their values."""
    slots = [TextSlot(f"the field {name!r}", scalar, checks.field, name) for name, scalar in change.update]
    slots += [TextSlot("the delivery", scalar, checks.delivery, "delivery") for scalar in change.trigger]
    named: tuple[tuple[str, Scalar | None, Check], ...] = (
        ("payout", change.payout, checks.amount),
        ("revenue", change.revenue, checks.amount),
        ("buyer", change.buyer, checks.buyer),
        ("buyer", change.returned_by, _needed(checks.buyer, "the buyer")),
        ("reason", change.reason, _needed(clean, "the reason")),
    )
    slots += [TextSlot(f"the {name}", scalar, check, name) for name, scalar, check in named if scalar is not None]
    return (*slots, *_expected_slots(change, checks))


def _expected_slots(change: DeclaredChange, checks: Checks) -> Iterator[TextSlot]:
    """`expect` reads amounts and buyers as such beside financials only: elsewhere they are fields of those names."""
    money = change.payout is not None or change.revenue is not None
    special = {"payout": checks.expected_amount, "revenue": checks.expected_amount, "buyer": checks.expected_buyer}
    for name, scalar in change.expect:
        check = special.get(name, checks.expected) if money else checks.expected
        yield TextSlot(f"the expected value of {name!r}", scalar, check)


def _needed(check: Check, what: str) -> Check:
    """A check for a value that `skip_empty` cannot leave out."""

    def checked(text: str) -> Value:
        if is_blank(clean(text)):
            raise Unfit("SE247", f"{what} of a return is empty", "a return needs both a buyer and a reason")
        return check(text)

    return checked


class Maker:
    """Builds the items of one change."""

    def __init__(self, changeset: ChangesetId, change: DeclaredChange) -> None:
        self._changeset = changeset
        self._change = change
        self._fields = tuple(name for name, _ in change.update)
        self._expected = tuple(name for name, _ in change.expect)
        self._triggers_end = len(self._fields) + len(change.trigger)
        self._amounts = tuple(name for name in ("payout", "revenue") if getattr(change, name) is not None)

    def fields(self, values: list[Value]) -> dict[str, str]:
        """The fields to set, in declared order."""
        pairs = zip(self._fields, values, strict=False)
        if self._change.skip_empty:
            return {name: value for name, value in pairs if value is not LEFT_OUT}  # type: ignore[misc]  # texts
        return dict(pairs)  # type: ignore[arg-type]  # a field's check returns a text

    def item(self, lead: LeadId, values: list[Value], fields: dict[str, str], origin: Origin) -> Item:
        """One item. `operations` may be empty where `skip_empty` left nothing."""
        change = self._change
        operations: list[Operation] = [Update(lead, fields)] if fields else []
        uses: list[NameUse] = []
        if change.action is not None:
            operations.append(_ACTIONS[change.action](lead, change.generation))
        if change.trigger:
            self._add_triggers(lead, values, operations, uses)
        if self._amounts:
            self._add_financials(lead, values, operations, uses)
        if change.returned_by is not None and change.reason is not None:
            self._add_return(lead, values, operations, uses)
        return Item(
            changeset=self._changeset,
            change=change.label,
            lead=lead,
            origin=origin,
            operations=tuple(operations),
            expect=self._expect(values),
            names=tuple(uses),
            skipped=values.count(LEFT_OUT) if change.skip_empty else 0,
        )

    def _add_triggers(
        self, lead: LeadId, values: list[Value], operations: list[Operation], uses: list[NameUse]
    ) -> None:
        for value in values[len(self._fields) : self._triggers_end]:
            delivery = cast(Resolved, value)
            operations.append(Trigger(lead, DeliveryId(delivery.id), self._change.generation))
            if delivery.use is not None:
                uses.append(delivery.use)

    def _expect(self, values: list[Value]) -> dict[str, str]:
        if not self._expected:
            return {}
        return dict(zip(self._expected, cast(list[str], values[-len(self._expected) :]), strict=True))

    def _add_return(self, lead: LeadId, values: list[Value], operations: list[Operation], uses: list[NameUse]) -> None:
        start = self._triggers_end + len(self._amounts) + (self._change.buyer is not None)
        buyer, reason = cast(Resolved, values[start]), cast(str, values[start + 1])
        if buyer.use is not None:
            uses.append(buyer.use)
        operations.append(Return(lead, BuyerId(buyer.id), reason, self._change.generation))

    def _add_financials(
        self, lead: LeadId, values: list[Value], operations: list[Operation], uses: list[NameUse]
    ) -> None:
        position = self._triggers_end
        amounts: dict[str, Cents] = {}
        for name in self._amounts:
            if values[position] is not LEFT_OUT:
                amounts[name] = cast(Cents, values[position])
            position += 1
        if not amounts:
            return
        buyer = values[position] if self._change.buyer is not None else LEFT_OUT
        if isinstance(buyer, Resolved) and buyer.use is not None:
            uses.append(buyer.use)
        operations.append(
            Financials(
                lead,
                payout=amounts.get("payout"),
                revenue=amounts.get("revenue"),
                buyer=BuyerId(buyer.id) if isinstance(buyer, Resolved) else None,
            )
        )
