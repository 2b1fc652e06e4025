"""Ports that planning and applying depend on: ledger, gateway, clock, listener."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol, TypeVar

import msgspec

from syncengine.core.events import RunEvent
from syncengine.core.history import Attempt, LeadHistory
from syncengine.core.operations import Kind
from syncengine.core.outcomes import LeadEntry, Ruling, Verdict
from syncengine.core.plan import Selection
from syncengine.core.values import ChangesetId, LeadId, OperationId, PlanDigest, RunId

T = TypeVar("T")


class LedgerIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of a ledger. `position` grows with every record; `key` says whether the configured key is the ledger's
    key."""

    id: str
    position: int
    url: str
    key: Literal["right", "wrong", "missing"]
    generation: int = 0
    """How many times a user accepted that records were lost. Plans made before the last time are refused."""
    highest: int = 0
    """The highest known position of this ledger. If it is above `position`, records were lost."""


class NameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The id that a configured name resolved to when a changeset was first applied with it."""

    changeset: str
    kind: str
    name: str
    target: str


class PlannedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The inputs of a run's plan, so that the plan can be computed again without its file.

    `position` is the ledger's position at planning; `parts` maps part names to digests.
    """

    position: int
    parts: dict[str, str]
    selection: Selection

    @property
    def partial(self) -> bool:
        """Whether only a part of the changesets was planned."""
        return self.selection.partial


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of apply. `exit` None: the run has not ended, or it died. `live`: it holds the lease right now.

    `shared`: workers execute it (submit); it is live until its last shard is done.
    """

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
    wire_digest: str = ""
    approvals: tuple[str, ...] = ()
    """Principals whose approvals counted, with key fingerprints, as text."""
    claimed: str = ""
    """What CI says about who approved, unverified; it counts as no approval."""
    shared: bool = False
    planned: PlannedFrom | None = None
    """None for runs of versions that did not record it, and for baselines of such."""


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of intents since a moment, doubts included. Each run counts an operation once and a lead once.

    Amounts are in hundredths. Requests known never to have left, and operations recorded as done by other means, are
    excluded.
    """

    irreversible: int = 0
    leads: int = 0
    payout: int = 0
    revenue: int = 0


class Usage(Protocol):
    """Names and amounts in an account's records; findings compare a plan with them."""

    def fields(self) -> frozenset[str]:
        """Names of fields in the latest updates on record."""
        ...

    def seen(self, what: str, targets: Collection[str]) -> frozenset[str]:
        """The subset of these deliveries ("delivery") or buyers ("buyer") that is on record."""
        ...

    def amounts(self, name: str) -> Sequence[int]:
        """The last 1,000 payouts or revenues on record, in hundredths."""
        ...


class LedgerView(Protocol):
    """Read access. Every method raises LedgerTrouble where the ledger cannot be read."""

    def require_sound(self) -> None:
        """Raise LedgerDamaged where records may be hidden or changed. Fast enough to run at each planning."""
        ...

    def identity(self) -> LedgerIdentity:
        """Id and position."""
        ...

    def store(self, kind: Kind, lead: LeadId, name: str, value: str) -> str:
        """The stored form of a value; equal forms mean equal values."""
        ...

    def stored(self, kind: Kind, lead: LeadId, values: Mapping[str, str]) -> dict[str, str]:
        """The stored forms of values, by name: `store` for each."""
        ...

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:
        """Whether a stored form represents `value`, in whichever form the ledger kept values at the time."""
        ...

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads; a lead without any is left out. One batch is at most 1,000 leads."""
        ...

    def hosts(self) -> Mapping[str, str]:
        """Account identity to the host it was first applied on; loopback accounts have "loopback"."""
        ...

    def names(self, account: str) -> Mapping[tuple[str, str, str], str]:
        """(changeset, kind, name) to the id that the name resolved to when that changeset was first applied with it."""
        ...

    def changesets_of(self, account: str) -> frozenset[str]:
        """Changesets with at least one attempt."""
        ...

    def attempts_of(self, account: str, changeset: str) -> int:
        """How many attempts a changeset has."""
        ...

    def runs(self, account: str | None = None, *, plan: PlanDigest | None = None) -> Sequence[RunRecord]:
        """Runs, newest first."""
        ...

    def last_run(self, account: str) -> RunRecord | None:
        """The newest run of an account."""
        ...

    def usage(self, account: str) -> Usage:
        """Names and amounts on record."""
        ...

    def spent(self, account: str, since: str) -> Spent:
        """Totals of the account's intents since a moment (UTC, ISO 8601 with microseconds and Z)."""
        ...


class OutgoingRequest(msgspec.Struct, frozen=True):
    """A request about to be sent: the entries whose intents must be durable first."""

    entries: tuple[LeadEntry, ...]


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request, to be recorded. `rulings` is parallel to the entries; `status` is the HTTP status or
    0."""

    request: int
    rulings: tuple[tuple[Ruling, ...], ...]
    verdict: str
    status: int
    message: str
    at: str


class RunStart(msgspec.Struct, frozen=True, kw_only=True):
    """Facts known when a run begins."""

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
    claimed: str = ""
    """What CI says about who approved, unverified; it counts as no approval."""
    planned: PlannedFrom | None = None


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one commit. `requests` is parallel to the outgoing requests: the id under which the answer is recorded,
    or None where every part was stopped. `stopped` gives the reason for each operation left out of its request."""

    requests: tuple[int | None, ...]
    stopped: Mapping[OperationId, str]
    cancelled: bool


Recheck = Callable[[LeadEntry, LeadHistory], Mapping[OperationId, str]]
"""Called inside the transaction that commits intents. Returns operations of the entry that must not be sent, with
reasons."""


class Lease(Protocol):
    """The exclusive right to apply to one account. Leaving the context releases it."""

    @property
    def account(self) -> str:
        """Identity name of the account."""
        ...

    @property
    def lane(self) -> str:
        """The lane of the account's leads that the lease covers; "" for all of them."""
        ...

    @property
    def epoch(self) -> int:
        """Increases with every holder; no two leases of an account share an epoch."""
        ...

    def renew(self) -> None:
        """Extend a timed lease; raises LeaseLost where another holder took over."""
        ...


class LedgerWriter(LedgerView, Protocol):
    """Write access. Only the thread that holds the lease may call these methods."""

    def lease(self, account: str, *, wait: float, lane: str = "") -> AbstractContextManager[Lease]:
        """Take the lease, waiting up to `wait` seconds. Raises LeaseHeld naming the holder, its host and the time it
        began.

        Only a ledger on PostgreSQL has lanes. The account's lease cannot be taken while a shared run is open.
        """
        ...

    def begin(self, lease: Lease, start: RunStart) -> RunId:
        """Record that a run begins, and the host and names it uses."""
        ...

    def commit(
        self,
        lease: Lease,
        run: RunId,
        outgoing: Sequence[OutgoingRequest],
        answers: Sequence[Answered],
        recheck: Recheck,
    ) -> Committed:
        """In one durable transaction: record answers, then intents under the current lease epoch.

        If the lease is lost, the answers are recorded before LeaseLost is raised. `recheck` is called for entries that
        hold irreversible operations or financials, and for every entry of a lead that was forgotten.
        """
        ...

    def is_cancelled(self, run: RunId) -> bool:
        """Whether the run's cancel flag is set. A run reads it before every request."""
        ...

    def baseline(self, lease: Lease, start: RunStart, entries: Iterable[LeadEntry], *, by: str, note: str) -> RunId:
        """Record operations as already done by other means; nothing is sent. Rechecks nothing."""
        ...

    def end(self, run: RunId, *, exit_code: int, stopped: str) -> None:
        """Record that the run ended."""
        ...


OperationOutcome = Literal["applied", "rejected", "in_doubt", "not_sent"]


class OperationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The full record of one operation: all its attempts, oldest first, and the resulting state."""

    account: str
    operation: OperationId
    changeset: ChangesetId
    lead: LeadId
    kind: Kind
    delivery: str
    generation: int
    outcome: OperationOutcome
    attempts: tuple[Attempt, ...]
    forgotten: bool = False


class CheckFinding(msgspec.Struct, frozen=True, kw_only=True):
    """An inconsistency in the ledger's records. `where` names the record, as in "request 12 of account acme"."""

    where: str
    message: str
    position: int = 0


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of what an erasure affected, and the plans (digest, path) whose files still contain the lead."""

    attempts: int
    plans: tuple[tuple[PlanDigest, str], ...]


class Gateway(Protocol):
    """A connection to the service, used by one thread."""

    def send(self, entries: tuple[LeadEntry, ...], *, leave_by: float = math.inf) -> tuple[Verdict, int]:
        """Send one request without retrying. Returns the verdict and the HTTP status (0 where no answer came).

        `leave_by` (monotonic seconds): if the first byte has not left by then, the request is not sent.
        """
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


GatewayFactory = Callable[[], Gateway]


class Clock(Protocol):
    """Clock, passed in as a dependency."""

    def now(self) -> str:
        """UTC, ISO 8601 with microseconds and Z."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never decreasing."""
        ...


class Listener(Protocol):
    """Receives the events of a run, for progress and logs. Must not raise."""

    def note(self, text: str) -> None:
        """Receive a text message for the log."""
        ...

    def tell(self, event: RunEvent) -> None:
        """Receive an event, for logs and telemetry."""
        ...
