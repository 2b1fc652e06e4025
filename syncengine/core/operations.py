"""What can be done to one lead: a closed union. A new kind must break mypy wherever it matters."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never, get_args

import msgspec

from syncengine.core.values import BuyerId, Cents, DeliveryId, LeadId, format_money


class Kind(StrEnum):
    """The kinds of operation, as they are written in plans, ledgers and results."""

    UPDATE = "update"
    REPROCESS = "reprocess"
    TRIGGER = "trigger"
    FINANCIALS = "financials"
    RELEASE = "release"
    REJECT = "reject"

    __hash__ = str.__hash__  # Enum's own is a call of Python code for every look-up


DECISIONS = frozenset({Kind.RELEASE, Kind.REJECT})
"""What can be done with a lead in quarantine, once: one of the two settles the other as well."""

IRREVERSIBLE = frozenset({Kind.REPROCESS, Kind.TRIGGER}) | DECISIONS
"""Kinds that cannot be taken back nor sent again: a repeat may sell the lead a second time."""


class Update(msgspec.Struct, frozen=True, gc=False, tag="update", tag_field="kind"):
    """Set fields of a lead. `fields` maps names to text, in declared order."""

    lead: LeadId
    fields: dict[str, str]


class Reprocess(msgspec.Struct, frozen=True, gc=False, tag="reprocess", tag_field="kind"):
    """Run the lead through distribution again."""

    lead: LeadId
    generation: int = 1


class Trigger(msgspec.Struct, frozen=True, gc=False, tag="trigger", tag_field="kind"):
    """Send the lead through one delivery."""

    lead: LeadId
    delivery: DeliveryId
    generation: int = 1


class Financials(msgspec.Struct, frozen=True, gc=False, tag="financials", tag_field="kind", omit_defaults=True):
    """Restate payout, revenue or both (hundredths); the buyer, where given, travels with every amount."""

    lead: LeadId
    payout: Cents | None = None
    revenue: Cents | None = None
    buyer: BuyerId | None = None


class Release(msgspec.Struct, frozen=True, gc=False, tag="release", tag_field="kind"):
    """Let the lead out of quarantine: the service queues it, and it passes dedupe, caps and rules again."""

    lead: LeadId
    generation: int = 1


class Reject(msgspec.Struct, frozen=True, gc=False, tag="reject", tag_field="kind"):
    """Turn the quarantined lead away for good; queued as well."""

    lead: LeadId
    generation: int = 1


Irreversible = Reprocess | Trigger | Release | Reject
Operation = Update | Financials | Irreversible

_IRREVERSIBLE_SHAPES = frozenset(get_args(Irreversible))


def kind_of(operation: Operation) -> Kind:
    """The kind of an operation."""
    if operation.__class__ is Update:
        return Kind.UPDATE
    match operation:
        case Update():
            return Kind.UPDATE
        case Reprocess():
            return Kind.REPROCESS
        case Trigger():
            return Kind.TRIGGER
        case Financials():
            return Kind.FINANCIALS
        case Release():
            return Kind.RELEASE
        case Reject():
            return Kind.REJECT
        case _:
            assert_never(operation)


def is_irreversible(operation: Operation) -> bool:
    """Whether a second sending could do harm."""
    return operation.__class__ in _IRREVERSIBLE_SHAPES


def is_decision(operation: Operation) -> bool:
    """Whether it releases or rejects a quarantined lead, which is a call of its own."""
    return isinstance(operation, Release | Reject)


def values_of(operation: Operation) -> dict[str, str]:
    """What the operation sets, name to text: fields, or payout, revenue and buyer. Empty for irreversible kinds."""
    match operation:
        case Update(fields=fields):
            return fields
        case Financials(payout=payout, revenue=revenue, buyer=buyer):
            amounts = {"payout": payout, "revenue": revenue}
            texts = {name: format_money(amount) for name, amount in amounts.items() if amount is not None}
            return texts if buyer is None else {**texts, "buyer": buyer}
        case Reprocess() | Trigger() | Release() | Reject():
            return {}
        case _:
            assert_never(operation)


def names_of(operation: Operation) -> tuple[str, ...]:
    """The names of what the operation sets, as `values_of` has them."""
    return tuple(operation.fields) if operation.__class__ is Update else tuple(values_of(operation))


def delivery_of(operation: Operation) -> str:
    """The delivery that a trigger names; empty for every other kind."""
    return operation.delivery if isinstance(operation, Trigger) else ""


def generation_of(operation: Operation) -> int:
    """The `rerun` generation of an irreversible operation; 1 for every other."""
    return operation.generation if isinstance(operation, Irreversible) else 1
