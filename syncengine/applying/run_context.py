"""What a run works with: its place in the ledger, its terms, its limits, and what is passed in from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from syncengine.applying.jobs import RunTerms
from syncengine.applying.pace import RequestPace
from syncengine.applying.stopping import Rules, StopSignal
from syncengine.core.outcomes import LeadEntry
from syncengine.core.ports import Clock, Lease, LedgerWriter, Listener
from syncengine.core.values import LeadId, RunId

Guard = Callable[[Sequence[LeadEntry]], str | None]
"""Called before every request: returns why these entries must not leave (windows, budgets), or None and counts them."""

_LEAVE = 20.0
"""Seconds in which a request must begin to leave after its intents were committed under the lease. Shorter than a timed
lease: a process that was stopped in between must not send what another runner takes for a doubt."""


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """A run in the ledger, and the dependencies of what executes it. `leave` is shorter than the lease lasts."""

    run: RunId
    ledger: LedgerWriter
    lease: Lease
    terms: RunTerms
    clock: Clock
    random: Callable[[], float]
    listener: Listener
    signal: StopSignal
    leave: float = _LEAVE


class SendingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What holds requests back besides the terms. `pace` and `rules` may be shared with other executors.

    `closed` are leads for which nothing is sent, each with the reason.
    """

    pace: RequestPace
    rules: Rules
    guard: Guard | None = None
    closed: Mapping[LeadId, str] = {}
