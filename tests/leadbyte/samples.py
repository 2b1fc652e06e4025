"""LeadEntries, accounts and keys that the tests of the adapter share."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from syncengine.core.operations import Financials, Operation, Reprocess, Trigger, Update
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.settings import Account, Limits, Wire
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, OperationId
from syncengine.leadbyte import Secret

KEY = "cb266b24ef4a5d123s42ca5801431120"
SECRET = Secret(KEY)
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class SteadyClock:
    """The real monotonic time, plus whatever the test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> str:
        return "2026-11-23T12:00:00.000000Z"

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def entry(*operations: Operation) -> LeadEntry:
    """An entry of these operations, which are all of one lead."""
    changeset = ChangesetId("postcode-repair")
    parts = tuple(
        SentOperation(OperationId(f"1{position:039x}"), changeset, operation)
        for position, operation in enumerate(operations)
    )
    return LeadEntry(operations[0].lead, 0, parts)


def update(lead: str = "2932682", **fields: str) -> Update:
    return Update(LeadId(lead), fields or {"postcode": "TN25 6QD"})


def reprocess(lead: str = "2932682") -> Reprocess:
    return Reprocess(LeadId(lead))


def trigger(delivery: str = "1053", lead: str = "2932682") -> Trigger:
    return Trigger(LeadId(lead), DeliveryId(delivery))


def financials(
    lead: str = "2932682", payout: int | None = 8000, revenue: int | None = 12000, buyer: str | None = "33"
) -> Financials:
    return Financials(
        LeadId(lead),
        None if payout is None else Cents(payout),
        None if revenue is None else Cents(revenue),
        None if buyer is None else BuyerId(buyer),
    )


def account(base_url: str, *, timeout: float = 5.0, wire: Wire | None = None) -> Account:
    return Account(
        name="acme",
        identity="acme",
        base_url=base_url,
        host="loopback",
        limits=Limits(timeout=timeout),
        wire=wire or Wire(),
    )
