"""What the ledger's tests are made of: a clock, operations, and short ways to begin, send and answer."""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from syncengine.core.history import LeadHistory
from syncengine.core.identity import operation_id
from syncengine.core.operations import Financials, Operation, Reprocess, Trigger, Update
from syncengine.core.outcomes import LeadEntry, Outcome, Ruling, SentOperation
from syncengine.core.ports import Answered, Committed, Lease, NameRecord, OutgoingRequest, RunStart
from syncengine.core.settings import LedgerPin
from syncengine.core.values import Cents, ChangesetId, DeliveryId, LeadId, OperationId, PlanDigest, RunId
from syncengine.ledger import Ledger, create_ledger, open_ledger, open_view

ACCOUNT = "acme"
APPLIED, REJECTED = Ruling(Outcome.APPLIED, "Lead updated"), Ruling(Outcome.REJECTED, "Invalid lead")
UNKNOWN, NOT_SENT = Ruling(Outcome.UNKNOWN, "connection lost"), Ruling(Outcome.NOT_SENT, "too many requests")


class Ticking:
    """A clock whose every reading is one millisecond later; waiting takes real time."""

    def __init__(self) -> None:
        self._start = datetime.datetime(2026, 11, 23, 9, 0, tzinfo=datetime.UTC)
        self._ticks = itertools.count()

    def now(self) -> str:
        moment = self._start + datetime.timedelta(milliseconds=next(self._ticks))
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def monotonic(self) -> float:
        return time.monotonic()


class Home:
    """Where one test's ledger lives."""

    def __init__(self, root: Path, url: str, values: Literal["digest", "plain"] = "digest") -> None:
        self.root = root
        self.pin = LedgerPin(url=url, key_path=str(root / ".syncengine" / "ledger.key"), values=values)
        self.clock = Ticking()
        self._opened: list[Ledger] = []

    @property
    def is_file(self) -> bool:
        return self.pin.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return self.root / ".syncengine" / "ledger.db"

    def create(self) -> Ledger:
        return self._kept(create_ledger(self.pin, root=self.root, clock=self.clock))

    def open(self, pin: LedgerPin | None = None, lease_seconds: float = 30.0) -> Ledger:
        opened = open_ledger(pin or self.pin, root=self.root, clock=self.clock, lease_seconds=lease_seconds)
        return self._kept(opened)

    def view(self, pin: LedgerPin | None = None) -> Ledger | None:
        found = open_view(pin or self.pin, root=self.root, clock=self.clock)
        return None if found is None else self._kept(found)

    def close(self) -> None:
        for ledger in self._opened:
            ledger.close()

    def _kept(self, ledger: Ledger) -> Ledger:
        self._opened.append(ledger)
        return ledger


def part(operation: Operation, changeset: str = "repair") -> SentOperation:
    identity = operation_id(ACCOUNT, ChangesetId(changeset), operation)
    return SentOperation(identity, ChangesetId(changeset), operation)


def entry(*operations: Operation, changeset: str = "repair") -> LeadEntry:
    return LeadEntry(operations[0].lead, 1, tuple(part(operation, changeset) for operation in operations))


def update(lead: int, **fields: str) -> Update:
    return Update(LeadId(str(lead)), fields or {"postcode": "TN25 6QD"})


def trigger(lead: int, delivery: str = "1053", generation: int = 1) -> Trigger:
    return Trigger(LeadId(str(lead)), DeliveryId(delivery), generation)


def reprocess(lead: int) -> Reprocess:
    return Reprocess(LeadId(str(lead)))


def financials(lead: int, payout: int = 8000) -> Financials:
    return Financials(LeadId(str(lead)), payout=Cents(payout))


def start(
    plan: str = "p1", total: int = 1, changesets: Sequence[str] = ("repair",), names: Sequence[NameRecord] = ()
) -> RunStart:
    return RunStart(
        account=ACCOUNT,
        host="acme.leadbyte.co.uk",
        plan=PlanDigest(plan),
        plan_path=f"{plan}.plan",
        changesets=tuple(changesets),
        total=total,
        policy_digest="policy",
        wire_digest="wire",
        tool="1.0",
        names=tuple(names),
        approvals=("ann SHA256:abc",),
    )


def allow(_entry: LeadEntry, _history: LeadHistory) -> Mapping[OperationId, str]:
    return {}


def answered(request: int, *rulings: Ruling | Sequence[Ruling], message: str = "OK") -> Answered:
    """Per entry: one ruling for an entry of one part, or a sequence."""
    groups = tuple((ruling,) if isinstance(ruling, Ruling) else tuple(ruling) for ruling in rulings)
    return Answered(
        request=request, rulings=groups, verdict="elements", status=200, message=message, at="2026-11-23T10:00:00Z"
    )


def intend(ledger: Ledger, lease: Lease, run: RunId, *entries: LeadEntry) -> int:
    """One request with these entries; its id."""
    committed = ledger.commit(lease, run, [OutgoingRequest(entries)], [], allow)
    request = committed.requests[0]
    assert request is not None
    return request


def settle(ledger: Ledger, lease: Lease, run: RunId, *answers: Answered) -> Committed:
    return ledger.commit(lease, run, [], answers, allow)


def send(ledger: Ledger, lease: Lease, run: RunId, sent: LeadEntry, *rulings: Ruling) -> None:
    """One entry, intended and answered; one ruling for each part, or one for all."""
    request = intend(ledger, lease, run, sent)
    settle(ledger, lease, run, answered(request, rulings if len(rulings) > 1 else rulings * len(sent.parts)))


def run_once(ledger: Ledger, sent: LeadEntry, *rulings: Ruling, plan: str = "p1", total: int = 1) -> RunId:
    """A whole run of one request; without rulings its answer never comes, as after a crash."""
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start(plan, total))
        if not rulings:
            intend(ledger, lease, run, sent)
        else:
            send(ledger, lease, run, sent, *rulings)
            ledger.end(run, exit_code=0, stopped="")
    return run


def history_of(ledger: Ledger, lead: int) -> LeadHistory:
    return ledger.histories(ACCOUNT, [LeadId(str(lead))]).get(LeadId(str(lead)), LeadHistory())
