"""A plan is a value: operations in order, each with what was known before. No JSON, no clock: that is planfile.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from syncengine.core.changes import ChangeFacts, NameUse, Origin
from syncengine.core.finding import Finding
from syncengine.core.operations import KindCounts, Operation
from syncengine.core.values import ChangesetId, LeadId, OperationId, PlanDigest


class State(StrEnum):
    """What the plan intends with an operation."""

    TO_SEND = "to_send"
    ALREADY_APPLIED = "already_applied"
    UNCHANGED = "unchanged"
    HELD = "held"
    BLOCKED = "blocked"
    IN_DOUBT = "in_doubt"

    __hash__ = str.__hash__  # Enum's own is a call of Python code for every look-up


class Before(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A value before the change. `value` is None where it is unknown or the ledger keeps only digests.

    `by` is the changeset (origin "ledger") or the time (origin "observed") that the knowledge comes from; `note` says
    why a value is unknown.
    """

    origin: Literal["ledger", "observed", "unknown"]
    value: str | None = None
    by: str = ""
    note: str = ""


class PlannedOperation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One line of a plan.

    `entry` numbers the entries of the plan from 1: consecutive lines with the same number travel as one element of a
    request. `send` names the fields or amounts that differ and will be sent (empty for irreversible kinds). `facts`
    counts the intents, outcomes, resolutions and erasures that the ledger held on what this line touches.
    `done` tells, for irreversible kinds, which runs did the same before. `beside_doubt`: an update that goes on
    although an irreversible operation of its lead is in doubt. `before` also holds the one of payout and revenue that
    is not declared, where the other one is.
    """

    id: OperationId
    changeset: ChangesetId
    change: str
    entry: int
    operation: Operation
    origin: Origin
    state: State
    reason: str = ""
    send: tuple[str, ...] = ()
    before: dict[str, Before] = {}
    facts: int = 0
    done: tuple[str, ...] = ()
    names: tuple[NameUse, ...] = ()
    beside_doubt: bool = False


class PlanLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What sending takes of a line of a plan. Reading no more than this is a quarter cheaper."""

    id: OperationId
    changeset: ChangesetId
    entry: int
    operation: Operation
    state: State
    send: tuple[str, ...] = ()


class ChangesetHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the plan says of one changeset. `authors` are the git author and committer e-mails of its file.

    Authors, and the line where its document begins, are not covered by the digest.
    """

    id: ChangesetId
    title: str
    file: str
    vars: dict[str, str | tuple[str, ...] | dict[str, str]]
    sources: dict[str, str]
    authors: tuple[str, ...] = ()
    line: int = 1
    description: str = ""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plan was asked to plan. `variables` are those given on the command line; `each` is the changeset that
    `--each` made the plan for; the others restrict it to a part."""

    variables: dict[str, str] = {}
    changesets: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    limit: int | None = None
    each: str = ""

    @property
    def partial(self) -> bool:
        """Whether only a part of the changesets was planned."""
        return bool(self.leads or self.changes or self.limit is not None)


class PlanHeader(msgspec.Struct, frozen=True, kw_only=True):
    """The covered facts that hold for the whole plan."""

    format: int
    account: str
    identity: str
    host: str
    policy_digest: str
    wire_digest: str
    observed: str = ""
    """SHA-256 of the observed file; empty where there was none."""
    partial: bool = False
    """Whether only a part of the changesets was planned, see Provenance.selection."""


class MadeFrom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The commit and branch that a plan was made from, as git said then; all is empty where it could not tell.

    `differ` holds the first of the `differing` files that the plan read and that are not as they were committed.
    """

    commit: str = ""
    branch: str = ""
    differ: tuple[str, ...] = ()
    differing: int = 0


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What the digest does not cover: when, by which version, against which ledger, from which commit."""

    created: str
    tool: str
    ledger_id: str | None
    ledger_position: int
    ledger_note: str = ""
    """Why the ledger counted as empty, where it did; every view opens with it."""
    selection: Selection = Selection()
    made_from: MadeFrom = MadeFrom()


class Moved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Amounts of one kind that are to be sent, in hundredths.

    `new` adds up all `count` of them; of `known` the value before is known: `old` and `known_new` add up those.
    """

    count: int = 0
    new: int = 0
    known: int = 0
    old: int = 0
    known_new: int = 0

    @property
    def unknown(self) -> int:
        """Amounts whose value before is unknown."""
        return self.count - self.known


class Counts(KindCounts, frozen=True, kw_only=True):
    """Counts of operations, unless said otherwise. The states add up to `total`; the rest counts what is to be sent."""

    total: int = 0
    to_send: int = 0
    already_applied: int = 0
    unchanged: int = 0
    held: int = 0
    blocked: int = 0
    in_doubt: int = 0
    leads: int = 0
    entries: int = 0
    payout: int = 0
    """Sum of the new payouts to be sent, in hundredths; likewise revenue."""
    revenue: int = 0
    payouts: Moved = Moved()
    revenues: Moved = Moved()
    margins: Moved = Moved()
    """Revenue less payout, where an operation declares both."""
    skipped_fields: int = 0


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stops the plan; operation, lead and kind are None where a rule is about the whole plan."""

    operation: OperationId | None = None
    lead: LeadId | None = None
    kind: str | None = None
    reason: str


class PlanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a plan: its digest, its counts, and what a reviewer must see first."""

    digest: PlanDigest
    counts: Counts
    blocked: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Further remarks that are no findings; like `warnings` the digest does not cover them."""
    changesets: tuple[ChangesetHeader, ...] = ()
    changes: tuple[ChangeFacts, ...] = ()
    covered: tuple[Finding, ...] = ()
    """Findings that were recorded when planning, under the digest."""
    recorded: tuple[Finding, ...] = ()
    """Findings that were recorded when planning and speak of other changesets, runs or files: not covered."""
    findings: tuple[Finding, ...] = ()
    """All findings in order, those worked out from the plan's lines included. A plan file does not hold them."""
    parts: dict[str, str] = {}
    """A digest of each part that the plan rests on, by name: what a refusal names as moved."""
