"""What somebody saw of a lead at some moment: in a dated export, or by asking the service."""

from __future__ import annotations

from typing import Protocol

import msgspec

from syncengine.core.values import LeadId

AMOUNTS = ("payout", "revenue")
MONEY = (*AMOUNTS, "buyer")
"""Names that stand for a lead's money wherever values are observed; every other name is a field's."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="seen"):
    """The values of one lead. Amounts among `values` have two places.

    `at` is UTC, ISO 8601 with microseconds and Z: nothing that was sent later can show in it. `by` is what a plan
    says about where it was seen; it holds no time where two plans made one after the other should be alike.
    """

    at: str
    by: str
    values: dict[str, str]


class UnreadLead(msgspec.Struct, frozen=True, array_like=True, tag="unread"):
    """A lead that could not be read, and why."""

    reason: str


class LeadReading(Protocol):
    """Asks the service about one lead."""

    def read(self, lead: LeadId) -> Observation | UnreadLead:
        """What it holds now, or why that is not known."""
        ...


class LeadExport(Protocol):
    """A dated export of leads."""

    @property
    def label(self) -> str:
        """The file, as messages name it."""
        ...

    def get(self, lead: LeadId) -> Observation | None:
        """What it says about a lead."""
        ...
