"""A request during a run, and the terms of the run."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncengine.core.outcomes import LeadEntry
from syncengine.core.settings import Limits, Policy, Wire
from syncengine.core.values import OperationId


class Job(msgspec.Struct, eq=False):
    """LeadEntries that travel together. `request` is the ledger's number once their intents are durable; `left` is the
    moment (monotonic seconds) at which they were passed to a connection."""

    entries: tuple[LeadEntry, ...]
    tries: int = 0
    not_before: float = 0.0
    request: int | None = None
    left: float = 0.0

    @property
    def irreversible(self) -> bool:
        """Whether a second sending could do harm."""
        return any(entry.irreversible for entry in self.entries)


class RunTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a run. `deadline` is in monotonic seconds; `waits` gives operations a moment before which they must
    not leave (monotonic seconds), because an earlier value may still take effect."""

    limits: Limits
    wire: Wire
    policy: Policy
    deadline: float | None = None
    waits: Mapping[OperationId, float] = {}
