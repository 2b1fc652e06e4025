"""What the outside implements for planning and applying: ledger, gateway, clock, listener."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol

import msgspec

from syncengine.core.history import LeadHistory
from syncengine.core.operations import Kind
from syncengine.core.outcomes import Parcel, Ruling, Verdict
from syncengine.core.values import LeadId, OperationId, PlanDigest, RunId


class LedgerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledger this is. `position` grows with every record; `key` tells whether the configured key is its key."""

    id: str
    position: int
    url: str
    key: Literal["right", "wrong", "missing"]


class NameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a configured name stood for when a changeset last applied it."""

    kind: str
    name: str
    target: str


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of apply. `exit` None: it has not ended, or it died. `live`: it holds the lease right now."""

    run: RunId
    account: str
    plan: PlanDigest
    changesets: tuple[str, ...]
    total: int
    """Operations that the plan had to send when it was first applied."""
    started: str
    ended: str | None
    exit: int | None
    stopped: str
    policy_digest: str
    host: str
    pid: int
    live: bool
    cancelled: bool
    plan_path: str = ""


class LedgerView(Protocol):
    """Reading. Every method raises LedgerTrouble where the ledger cannot be read."""

    def identity(self) -> LedgerIdentity:
        """Id and position."""
        ...

    def store(self, kind: Kind, lead: LeadId, name: str, value: str) -> str:
        """The form in which a value would be stored; two equal forms mean equal values."""
        ...

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:
        """Whether a stored form stands for `value`, whichever way the ledger kept values at the time."""
        ...

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads; a lead without any is left out. One batch is at most 1,000 leads."""
        ...

    def hosts(self) -> Mapping[str, str]:
        """Account identity to the host it was first applied on; loopback accounts have "loopback"."""
        ...

    def names(self, account: str) -> Mapping[tuple[str, str], str]:
        """(kind, name) to the id that the name stood for when it was last applied."""
        ...

    def changesets_of(self, account: str) -> frozenset[str]:
        """Changesets with at least one attempt."""
        ...

    def runs(self, account: str | None = None, *, plan: PlanDigest | None = None) -> Sequence[RunRecord]:
        """Runs, newest first."""
        ...


class Outgoing(msgspec.Struct, frozen=True):
    """A request about to be sent: the parcels whose intents must be durable first."""

    parcels: tuple[Parcel, ...]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be recorded of a request. `rulings` run parallel to the parcels; `status` is the HTTP status or 0."""

    request: int
    rulings: tuple[tuple[Ruling, ...], ...]
    verdict: str
    status: int
    message: str
    at: str


class RunStart(msgspec.Struct, frozen=True, kw_only=True):
    """What is known when a run begins."""

    account: str
    """Identity name."""
    host: str
    plan: PlanDigest
    plan_path: str
    changesets: tuple[str, ...]
    total: int
    policy_digest: str
    wire_digest: str
    tool: str
    names: tuple[NameRecord, ...]
    approvals: tuple[str, ...] = ()
    """Principals whose approvals counted, with key fingerprints, as text."""


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one commit. `requests` holds, per Outgoing, the id under which its answer is recorded, or None where
    every part was stopped; `stopped` tells why single operations were left out of their request."""

    requests: tuple[int | None, ...]
    stopped: Mapping[OperationId, str]
    cancelled: bool


class Recheck(Protocol):
    """Asked inside the transaction that commits intents: may this parcel still be sent, given these histories?"""

    def __call__(self, parcel: Parcel, history: LeadHistory) -> Mapping[OperationId, str]:
        """Operations that must not be sent, each with its reason."""
        ...


class Lease(Protocol):
    """The exclusive right to apply to one account. Leaving the context gives it back."""

    @property
    def epoch(self) -> int:
        """Grows by one with every holder."""
        ...

    def renew(self) -> None:
        """Extend it where it is timed; raises LeaseLost where another took over."""
        ...


class LedgerWriter(LedgerView, Protocol):
    """Writing. The one thread that holds the lease calls these."""

    def lease(self, account: str, *, wait: float) -> AbstractContextManager[Lease]:
        """Take the lease, waiting up to `wait` seconds; raises LeaseHeld naming holder, host and since when."""
        ...

    def begin(self, lease: Lease, start: RunStart) -> RunId:
        """Record that a run begins, and the host and names it uses."""
        ...

    def commit(
        self, lease: Lease, run: RunId, outgoing: Sequence[Outgoing], answers: Sequence[Answered], recheck: Recheck
    ) -> Committed:
        """In one durable transaction: record answers, then intents under the current lease epoch.

        Where the lease is lost the answers are recorded all the same, then LeaseLost is raised. `recheck` is asked for
        parcels that hold irreversible operations or financials, and for every parcel of a lead that was forgotten.
        """
        ...

    def end(self, run: RunId, *, exit_code: int, stopped: str) -> None:
        """Record that the run ended."""
        ...


class Gateway(Protocol):
    """One connection to the service, used by one thread."""

    def send(self, parcels: tuple[Parcel, ...]) -> tuple[Verdict, int]:
        """One request, never repeated by itself. Verdict and HTTP status (0 where none came)."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


GatewayFactory = Callable[[], Gateway]


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds and Z."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class Listener(Protocol):
    """Hears what a run does, for progress and logs. Must not raise."""

    def sent(self, parcels: int) -> None:
        """A request left."""
        ...

    def settled(self, applied: int, rejected: int, in_doubt: int) -> None:
        """So many more operations have this outcome."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line."""
        ...
