"""Observed values of leads, from a dated export or from the service."""

from __future__ import annotations

from typing import Protocol

import msgspec

from syncengine.core.values import LeadId

AMOUNTS = ("payout", "revenue")
MONEY = (*AMOUNTS, "buyer")
"""Names reserved for a lead's money wherever values are observed; every other name is a field's."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="seen"):
    """The values of one lead. Amounts among `values` have two decimals.

    `at` is UTC, ISO 8601 with microseconds and Z; anything sent later cannot show in the values. `by` is the plan's
    text for the origin. It holds no time where two consecutive plans should be identical.
    """

    at: str
    by: str
    values: dict[str, str]


class LeadEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the service's history of a lead. `at` is the time as the service writes it, or empty."""

    at: str
    event: str


class LeadDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A lead as the service shows it now: its values, and its history, in the service's order."""

    values: dict[str, str]
    history: tuple[LeadEvent, ...]


class UnreadLead(msgspec.Struct, frozen=True, array_like=True, tag="unread"):
    """A lead that could not be read, and the reason."""

    reason: str


class LeadReading(Protocol):
    """Reads one lead from the service."""

    def read(self, lead: LeadId) -> Observation | UnreadLead:
        """The lead's current values, or why they are unknown."""
        ...


class LeadExport(Protocol):
    """A dated export of leads."""

    @property
    def label(self) -> str:
        """Name of the file in messages."""
        ...

    def get(self, lead: LeadId) -> Observation | None:
        """The export's values of a lead."""
        ...
