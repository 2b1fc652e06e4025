"""Identifiers and money: parsed once at the edge, trusted afterwards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NewType

LeadId = NewType("LeadId", str)
DeliveryId = NewType("DeliveryId", str)
BuyerId = NewType("BuyerId", str)
ChangesetId = NewType("ChangesetId", str)
OperationId = NewType("OperationId", str)
RunId = NewType("RunId", str)
PlanDigest = NewType("PlanDigest", str)

Cents = NewType("Cents", int)
"""An amount in hundredths; an int, because a binary float cannot hold 80.10."""

_SERVICE_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_SERVICE_IDS = re.compile(rf"{_SERVICE_ID.pattern}(?: {_SERVICE_ID.pattern})*+", re.ASCII)
_CHANGESET_ID = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}", re.ASCII)
_QUARANTINED = "quarantined:"
_MONEY = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?", re.ASCII)


def margin_of(payout: int | None, revenue: int | None) -> int | None:
    """Revenue less payout, in hundredths; None where one of them is unknown."""
    return None if payout is None or revenue is None else revenue - payout


def is_service_id(text: str) -> bool:
    """Whether `text` has the shape of a lead, delivery or quarantine id: ASCII digits, no leading zero, at most 19."""
    return _SERVICE_ID.fullmatch(text) is not None


def quarantined(number: str) -> LeadId:
    """The lead in quarantine with this quarantine id: "quarantined:123", a different lead from 123."""
    return LeadId(_QUARANTINED + number)


def is_quarantined(lead: str) -> bool:
    """Whether `lead` is addressed by its quarantine id."""
    return lead.startswith(_QUARANTINED)


def number_of(lead: str) -> str:
    """The id that the service uses: lead id or quarantine id."""
    return lead.removeprefix(_QUARANTINED)


def is_lead_id(text: str) -> bool:
    """Whether `text` names a lead in the product's own notation: 2932682, or quarantined:123."""
    return is_service_id(number_of(text))


def are_service_ids(texts: Sequence[str]) -> bool:
    """Whether every one of `texts` has that shape. Takes a third of the time of single calls."""
    joined = " ".join(texts)
    return not texts or (joined.count(" ") == len(texts) - 1 and _SERVICE_IDS.fullmatch(joined) is not None)


def is_changeset_id(text: str) -> bool:
    """Whether `text` may name a changeset."""
    return _CHANGESET_ID.fullmatch(text) is not None


def parse_money(text: str) -> Cents | None:
    """Exact amount of `text`, or None where it is not an amount with at most two decimals."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    sign, whole, fraction = match.groups()
    cents = int(whole) * 100 + int((fraction or "0").ljust(2, "0"))
    return Cents(-cents if sign else cents)


def format_money(amount: int) -> str:
    """`amount` with two decimals, as it is hashed, shown and sent: 8000 is "80.00"."""
    whole, cents = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{cents:02d}"
