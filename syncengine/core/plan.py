"""A plan as a value: operations in order, each with what was known before. No JSON and no clock; planfile.py has
those."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

import msgspec

from syncengine.core.changes import ChangeFacts, NameUse, Origin
from syncengine.core.finding import Finding
from syncengine.core.operations import KindCounts, Operation
from syncengine.core.values import Cents, ChangesetId, LeadId, OperationId, PlanDigest, RunId, parse_money


class State(StrEnum):
    """State of an operation in the plan."""

    TO_SEND = "to_send"
    ALREADY_APPLIED = "already_applied"
    UNCHANGED = "unchanged"
    HELD = "held"
    BLOCKED = "blocked"
    IN_DOUBT = "in_doubt"

    __hash__ = str.__hash__  # Enum's own hash is a Python-level call for every look-up.


class Before(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Value before the change. `value` is None where it is unknown or where the ledger keeps digests only.

    `by` is the source of that knowledge: the changeset (origin "ledger") or the time (origin "observed"). `note` says
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
    counts the intents, outcomes, resolutions and erasures that the ledger held on what this line affects. For
    irreversible kinds, `done` lists the runs that did the same before. `beside_doubt` marks an update that is sent
    although an irreversible operation of its lead is in doubt. Where only one of payout and revenue is declared,
    `before` also holds the other one.
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

    def sends(self, name: str) -> bool:
        """Whether a declared field or amount travels; `send` is empty where every one does."""
        return not self.send or name in self.send

    def value_before(self, name: str) -> str | None:
        """What a field or amount was before; None where it is unknown."""
        before = self.before.get(name) if self.before else None
        return None if before is None else before.value

    def amount_before(self, name: str) -> Cents | None:
        """What an amount was before, in hundredths; None where it is unknown."""
        text = self.value_before(name)
        return None if text is None else parse_money(text)


class PlanLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The part of a plan line that sending needs. Decoding only this part is a quarter cheaper."""

    id: OperationId
    changeset: ChangesetId
    entry: int
    operation: Operation
    state: State
    send: tuple[str, ...] = ()


class AuthorCommit(msgspec.Struct, frozen=True, kw_only=True):
    """The newest commit that makes a person an author, the file that it changed, and what the person is of it."""

    commit: str
    file: str
    role: str


class ChangesetHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts about one changeset of the plan. `authors` are the e-mail addresses of the authors, committers and
    co-authors of its file and of its data files; `commits` names a commit of each.

    The digest does not cover the authors, their commits or the line where the document begins.
    """

    id: ChangesetId
    title: str
    file: str
    vars: dict[str, str | tuple[str, ...] | dict[str, str]]
    sources: dict[str, str]
    authors: tuple[str, ...] = ()
    commits: dict[str, AuthorCommit] = {}
    line: int = 1
    description: str = ""


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of the changesets that a plan covers. `variables` are those given on the command line; `each` is the
    changeset that `--each` made the plan for; the other fields restrict the plan to a part."""

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
    """Whether only a part of the changesets was planned; see Provenance.selection."""
    generation: int | msgspec.UnsetType = msgspec.UNSET
    """How many times a user accepted that the ledger lost records; left out where never."""


class MadeFrom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The commit and branch that a plan was made from, as reported by git. All fields are empty where git reported
    nothing.

    `differ` lists the first of the `differing` files that the plan read and that differ from their committed versions.
    """

    commit: str = ""
    branch: str = ""
    differ: tuple[str, ...] = ()
    differing: int = 0


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that the digest does not cover: when, by which version, against which ledger and from which commit."""

    created: str
    tool: str
    ledger_id: str | None
    ledger_position: int
    ledger_note: str = ""
    """Why the ledger counted as empty, where it did. Every view shows it first."""
    selection: Selection = Selection()
    made_from: MadeFrom = MadeFrom()


class Moved(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sums of the amounts of one kind to be sent, in hundredths.

    `new` sums all `count` amounts. The value before is known for `known` of them; `old` and `known_new` sum those.
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
    """Counts of operations, unless said otherwise. The states add up to `total`; the other counters cover what will be
    sent."""

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
    """Revenue minus payout, where an operation declares both."""
    skipped_fields: int = 0


class PlanProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a plan is settled. `settled` and `left` add up to its operations.

    Settled are operations that need nothing more: applied by the plan or resolved as applied, or never to be sent
    (already applied, unchanged). Of those left, `in_doubt` cannot be sent before someone resolves them. `payout` and
    `revenue` are the sums that are still to be sent, in hundredths.
    """

    settled: int
    left: int
    in_doubt: int = 0
    payout: int = 0
    revenue: int = 0
    run: RunId | None = None
    """The newest run of the plan; None where it was never applied."""

    @classmethod
    def of_new(cls, counts: Counts) -> Self:
        """That of a plan that was never applied."""
        settled = counts.already_applied + counts.unchanged
        return cls(
            settled=settled,
            left=counts.total - settled,
            in_doubt=counts.in_doubt,
            payout=counts.payout,
            revenue=counts.revenue,
        )


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """A reason why the plan must not be applied. Operation, lead and kind are None where a rule concerns the whole
    plan."""

    operation: OperationId | None = None
    lead: LeadId | None = None
    kind: str | None = None
    reason: str


class PlanSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a plan: its digest, its counts, and the facts that a reviewer must see first."""

    digest: PlanDigest
    counts: Counts
    blocked: tuple[Blocker, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Further remarks that are not findings. Like `warnings`, they are outside the digest."""
    changesets: tuple[ChangesetHeader, ...] = ()
    changes: tuple[ChangeFacts, ...] = ()
    covered: tuple[Finding, ...] = ()
    """Findings recorded at planning, covered by the digest."""
    recorded: tuple[Finding, ...] = ()
    """Findings recorded at planning about other changesets, runs or files; outside the digest."""
    findings: tuple[Finding, ...] = ()
    """All findings in order, including those computed from the plan's lines. Not part of the plan file."""
    parts: dict[str, str] = {}
    """A digest of each input of the plan, by name. A refusal uses them to name what changed."""
