"""Data types of the sandbox: leads, deliveries, campaigns, requests, effects and replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import msgspec

EffectKind = Literal["update", "reprocess", "trigger", "financials", "release", "reject", "return"]
Json = Any

ID_PATTERN = r"[1-9][0-9]{0,18}"
QUARANTINE_PREFIX = "q"
USUAL_RECEIVED = "2026-11-02T09:30:00Z"


class LeadState(StrEnum):
    """State of a lead. An approved lead is valid too; only approved leads have financials that can be changed."""

    VALID = "valid"
    APPROVED = "approved"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    UNSOLD = "unsold"

    @property
    def updatable(self) -> bool:
        return self in (LeadState.VALID, LeadState.APPROVED)


@dataclass(slots=True)
class Lead:
    """One lead. `reference` is its number, with the prefix `q` while it is addressed by quarantineId."""

    reference: str
    state: LeadState
    payout: str | None = None
    revenue: str | None = None
    buyer: str | None = None
    campaign: str | None = None
    received: str = USUAL_RECEIVED
    fields: dict[str, str] = field(default_factory=dict)
    history: list[tuple[str, str]] = field(default_factory=list)
    # A quarantined lead that was released or rejected takes its new state only when the queue is due.
    next_state: LeadState | None = None
    due: float = 0.0

    @property
    def number(self) -> str:
        return self.reference.removeprefix(QUARANTINE_PREFIX)

    @property
    def in_quarantine(self) -> bool:
        return self.state is LeadState.QUARANTINED

    def becomes(self, state: LeadState, due: float | None) -> None:
        self.next_state, self.due = state, due or 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery to a buyer. Only a manual one can be triggered over the API."""

    number: str
    name: str
    manual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignField:
    name: str
    label: str
    data_type: str = "text"
    required: bool = False
    selection: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    number: str
    name: str
    fields: tuple[CampaignField, ...]

    @property
    def field_names(self) -> frozenset[str]:
        return frozenset(item.name for item in self.fields)


class NumberText(str):
    """A JSON number with a fraction or an exponent, kept as the characters that were sent."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as received. Header names are in lower case; `query` holds decoded values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change made to one lead; `lead` has the prefix `q` for a quarantined one."""

    effect: EffectKind
    lead: str
    fields: dict[str, str] | None = None
    delivery: str | None = None
    payout: str | None = None
    revenue: str | None = None
    buyer: str | None = None
    due: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The service's answer and its effects. Nothing changes until the effects are committed."""

    status: int
    document: dict[str, Json]
    effects: Sequence[Effect] = ()


def failure(status: int, message: str) -> Reply:
    """An envelope that holds only an error."""
    return Reply(status, {"status": "Error", "message": message})


def id_text(value: Json) -> str | None:
    """An id as the API takes it, text or whole number, as text; None for anything else."""
    if isinstance(value, str) and not isinstance(value, NumberText):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None
