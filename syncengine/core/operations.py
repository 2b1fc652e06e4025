"""Operations on one lead: a closed union, and one description of each kind.

`SPECS` answers every question that depends on the kind alone, so most of the product names no kind. Code that does name
one needs what only that kind has: fields, amounts, a delivery.
"""

from __future__ import annotations

from enum import StrEnum
from keyword import iskeyword
from typing import Literal, get_args

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
    RETURN = "return"

    __hash__ = str.__hash__  # Enum's own hash is a Python-level call for every look-up.


class Call(StrEnum):
    """The service's calls that carry operations, as events and logs name them."""

    LEADS = "leads"
    FINANCIALS = "leadfinancials"
    QUARANTINE = "quarantine"
    RETURNS = "returns"


def counter_of(kind: Kind) -> str:
    """The attribute of `KindCounts` for a kind: the kind's own name, or a variant where that name is a Python
    keyword."""
    return f"{kind.value}_" if iskeyword(kind.value) else kind.value


class KindCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many operations there are of each kind."""

    update: int = 0
    reprocess: int = 0
    trigger: int = 0
    financials: int = 0
    release: int = 0
    reject: int = 0
    return_: int = msgspec.field(default=0, name="return")

    def of(self, kind: Kind) -> int:
        """The number of one kind."""
        number: int = getattr(self, counter_of(kind))
        return number

    @property
    def irreversible(self) -> int:
        """Operations that cannot be taken back."""
        return sum(self.of(kind) for kind in IRREVERSIBLE)


class Update(msgspec.Struct, frozen=True, gc=False, tag="update", tag_field="kind"):
    """Set fields of a lead. `fields` maps names to text, in declared order."""

    lead: LeadId
    fields: dict[str, str]


class Reprocess(msgspec.Struct, frozen=True, gc=False, tag="reprocess", tag_field="kind"):
    """Send the lead through distribution again."""

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
    """Release the lead from quarantine. The service queues it; the lead then passes dedupe, caps and rules again."""

    lead: LeadId
    generation: int = 1


class Reject(msgspec.Struct, frozen=True, gc=False, tag="reject", tag_field="kind"):
    """Reject the quarantined lead permanently; the service queues this too."""

    lead: LeadId
    generation: int = 1


class Return(msgspec.Struct, frozen=True, gc=False, tag="return", tag_field="kind"):
    """Ask the service to take the lead back from its buyer. It queues the request; a person may have to approve it."""

    lead: LeadId
    buyer: BuyerId
    reason: str
    generation: int = 1


Irreversible = Reprocess | Trigger | Release | Reject | Return
Repeatable = Update | Financials
Operation = Repeatable | Irreversible


class KindSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a kind that is not in the operation itself.

    In `touch`, `done` and `the` "{target}" is replaced by the delivery or buyer that the operation is aimed at.
    """

    kind: Kind
    shape: type[Operation]
    call: Call
    permission: str
    """Name of the API key's permission in the service's settings."""
    noun: str
    nouns: str
    the: str
    """A single operation in a sentence: "the reprocess"."""
    done: str = ""
    """What the operation did to a lead: "a reprocess"; for irreversible kinds."""
    touch: str = ""
    """Name of the thing that operations of this kind share on a lead, also with other kinds of the same touch; "" where
    they share single fields only. Two operations of one touch are the same thing done again."""
    irreversible: bool = False
    """It can neither be taken back nor sent again: a repeat may sell the lead a second time."""
    queued: bool = False
    """The service only confirms that it is queued; "applied" means no more than that."""
    alone: bool = False
    """It travels in an entry and a request of its own."""
    leads: Literal["lead", "quarantined", "any"] = "lead"
    """The leads that it applies to."""
    target: Literal["", "delivery", "buyer"] = ""
    """Name of the field that holds the target of an irreversible operation. The target is part of the identity."""
    carries: tuple[str, ...] = ()
    """Names of further text fields of an irreversible operation. They are not part of the identity."""
    repeat: str = ""
    """The policy setting that allows a repeat of another changeset's operation; "" where only `rerun` does."""
    moves_money: bool = False
    """It changes what a buyer or supplier owes."""
    open_values: bool = False
    """Views show its values unmasked: reviewers need them, and they are not personal data."""
    always_counted: bool = True
    """Results show its count even where it is zero."""


_SPECS = (
    KindSpec(
        kind=Kind.UPDATE,
        shape=Update,
        call=Call.LEADS,
        permission="Leads > Update",
        noun="update",
        nouns="updates",
        the="the update",
        leads="any",
    ),
    KindSpec(
        kind=Kind.FINANCIALS,
        shape=Financials,
        call=Call.FINANCIALS,
        permission="Update Payout/Revenue",
        noun="financials",
        nouns="financials",
        the="the financials",
        touch="money",
        moves_money=True,
        open_values=True,
    ),
    KindSpec(
        kind=Kind.TRIGGER,
        shape=Trigger,
        call=Call.LEADS,
        permission="Leads > Update",
        noun="trigger",
        nouns="triggers",
        the="the trigger of delivery {target}",
        done="delivery {target}",
        touch="delivery {target}",
        irreversible=True,
        target="delivery",
        repeat="repeat_trigger",
    ),
    KindSpec(
        kind=Kind.REPROCESS,
        shape=Reprocess,
        call=Call.LEADS,
        permission="Leads > Reprocess",
        noun="reprocess",
        nouns="reprocesses",
        the="the reprocess",
        done="a reprocess",
        touch="reprocess",
        irreversible=True,
        repeat="repeat_reprocess",
    ),
    KindSpec(
        kind=Kind.RELEASE,
        shape=Release,
        call=Call.QUARANTINE,
        permission="Quarantine > Process",
        noun="release from quarantine",
        nouns="releases from quarantine",
        the="the release",
        done="a release",
        touch="quarantine",
        irreversible=True,
        queued=True,
        alone=True,
        leads="quarantined",
        always_counted=False,
    ),
    KindSpec(
        kind=Kind.REJECT,
        shape=Reject,
        call=Call.QUARANTINE,
        permission="Quarantine > Process",
        noun="rejection in quarantine",
        nouns="rejections in quarantine",
        the="the rejection",
        done="a rejection",
        touch="quarantine",
        irreversible=True,
        queued=True,
        alone=True,
        leads="quarantined",
        always_counted=False,
    ),
    KindSpec(
        kind=Kind.RETURN,
        shape=Return,
        call=Call.RETURNS,
        permission="Leads > Return",
        noun="return",
        nouns="returns",
        the="the return",
        done="a return",
        touch="return",
        irreversible=True,
        queued=True,
        alone=True,
        target="buyer",
        carries=("reason",),
        repeat="repeat_return",
        moves_money=True,
        open_values=True,
    ),
)

SPECS = {spec.kind: spec for spec in _SPECS}
"""The kinds in display order, the repeatable before the irreversible ones."""

IRREVERSIBLE = frozenset(spec.kind for spec in _SPECS if spec.irreversible)
"""Kinds that can neither be taken back nor sent again."""

QUEUED = frozenset(spec.kind for spec in _SPECS if spec.queued)
"""Kinds whose "applied" means that the service queued the operation."""

_BY_SHAPE: dict[type, KindSpec] = {spec.shape: spec for spec in _SPECS}
_IRREVERSIBLE_SHAPES = frozenset(get_args(Irreversible))


def spec_of(operation: Operation) -> KindSpec:
    """The description of an operation's kind."""
    return _BY_SHAPE[operation.__class__]


def kind_of(operation: Operation) -> Kind:
    """The kind of an operation."""
    return _BY_SHAPE[operation.__class__].kind


def is_irreversible(operation: Operation) -> bool:
    """Whether sending the operation a second time could do harm."""
    return operation.__class__ in _IRREVERSIBLE_SHAPES


def values_of(operation: Operation) -> dict[str, str]:
    """What the operation sets or carries, name to text: fields; payout, revenue and buyer; an irreversible one's
    further texts."""
    if isinstance(operation, Update):
        return operation.fields
    if isinstance(operation, Financials):
        amounts = {"payout": operation.payout, "revenue": operation.revenue}
        texts = {name: format_money(amount) for name, amount in amounts.items() if amount is not None}
        return texts if operation.buyer is None else {**texts, "buyer": operation.buyer}
    return {name: getattr(operation, name) for name in spec_of(operation).carries}


def names_of(operation: Operation) -> tuple[str, ...]:
    """The names of what the operation sets, as `values_of` has them."""
    return tuple(operation.fields) if operation.__class__ is Update else tuple(values_of(operation))


def target_of(operation: Operation) -> str:
    """The delivery or buyer that an irreversible operation is aimed at; empty for every other."""
    name = _BY_SHAPE[operation.__class__].target
    return getattr(operation, name) if name else ""


def delivery_among(kind: Kind, target: str) -> str:
    """The target of a kind where it is a delivery; empty for every other."""
    return target if SPECS[kind].target == "delivery" else ""


def generation_of(operation: Operation) -> int:
    """The `rerun` generation of an irreversible operation; 1 for every other."""
    return operation.generation if isinstance(operation, Irreversible) else 1


def recalled(kind: Kind, lead: LeadId, target: str, generation: int, names: tuple[str, ...]) -> Operation:
    """An operation as far as records tell that keep no values: they are empty, and amounts are left out."""
    spec = SPECS[kind]
    if spec.shape is Update:
        return Update(lead, dict.fromkeys(names, ""))
    if spec.shape is Financials:
        return Financials(lead)
    known = {"kind": kind, "lead": lead, "generation": generation, **dict.fromkeys(spec.carries, "")}
    recalled: Irreversible = msgspec.convert(known | ({spec.target: target} if spec.target else {}), Irreversible)
    return recalled
