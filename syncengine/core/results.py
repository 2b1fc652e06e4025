"""Results of commands as values. The reports package renders them as text, JSON, JUnit, SARIF or CSV."""

from __future__ import annotations

import msgspec

from syncengine.core.errors import Problem
from syncengine.core.observations import LeadEvent
from syncengine.core.operations import QUEUED, Kind
from syncengine.core.values import ChangesetId, LeadId, OperationId, PlanDigest, RunId


class OperationLine(msgspec.Struct, frozen=True, kw_only=True):
    """One operation that needs a person's attention, with the service's message or the product's."""

    operation: OperationId
    lead: LeadId
    kind: str
    message: str = ""
    changeset: str = ""
    """Empty where it is not available; shown in text and JUnit only."""
    change: str = ""
    """Likewise; for JUnit only."""


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of operations; they add up to the plan's total.

    `applied` and `rejected` count this run. `already_applied` counts operations settled before it (unchanged included).
    `not_sent` counts the rest (held included).
    """

    applied: int = 0
    rejected: int = 0
    in_doubt: int = 0
    already_applied: int = 0
    not_sent: int = 0

    @property
    def total(self) -> int:
        """All operations of the plan."""
        return self.applied + self.rejected + self.in_doubt + self.already_applied + self.not_sent


class ChangeTally(msgspec.Struct, frozen=True, kw_only=True):
    """The applied operations of one change, for reports that hold one test case per change."""

    changeset: str
    change: str
    kind: str
    applied: int


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one execution of apply. `run` is None where nothing had to be sent, so that no run began.

    `unrecorded` was answered, but the ledger failed before that was recorded, so `status` lists it as in doubt. The
    counts count it by its answer. `not_sent_reasons` maps each reason to a number of operations that were not sent.
    `stopped` is the sentence that ended the run early, or empty. `pin_line` is the `ledger.id` line to commit.
    `warnings` come from the service and from the product. `not_sent`, `applied` and `tallies` may be empty; JUnit
    reports then contain counts only.
    """

    run: RunId | None
    plan: PlanDigest
    counts: RunCounts
    requests: int
    rejected: tuple[OperationLine, ...] = ()
    in_doubt: tuple[OperationLine, ...] = ()
    unrecorded: tuple[OperationLine, ...] = ()
    not_sent: tuple[OperationLine, ...] = ()
    applied: tuple[OperationLine, ...] = ()
    tallies: tuple[ChangeTally, ...] = ()
    not_sent_reasons: dict[str, int] = {}
    exit: int = 0
    stopped: str = ""
    pin_line: str = ""
    warnings: tuple[str, ...] = ()
    account: str = ""
    host: str = ""
    plan_path: str = ""
    claimed: str = ""
    """What CI said about who approved the run, unverified."""

    @property
    def queued(self) -> int | None:
        """Number of applied operations that the service only queued: releases and rejections of quarantined leads.

        None where the run did not count applied operations by kind; the history has them.
        """
        if self.counts.applied and not self.tallies:
            return None
        return sum(tally.applied for tally in self.tallies if tally.kind in QUEUED)


class ChangesetResult(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of a folder that was applied, or of which nothing was left to be sent or could be sent any more."""

    changeset: ChangesetId
    result: RunResult


class WaitingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of a folder that too few people approved. `left_out` holds (principal, reason) of signatures that did not
    count; `message` also names what moved since an earlier plan."""

    changeset: ChangesetId
    plan: PlanDigest
    needed: int
    given: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    message: str = ""


class RefusedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan of a folder that must not be applied: blocked, stale or refused. `code` is a diagnostic code."""

    changeset: ChangesetId
    plan: PlanDigest
    code: str
    message: str
    hint: str = ""


class RefusedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """Why nothing was sent of any plan."""

    code: str
    message: str
    hint: str
    problems: tuple[Problem, ...] = ()


class FolderResult(msgspec.Struct, frozen=True, kw_only=True):
    """Result of applying a folder of plans; each plan is in one of the three lists, in the order of changeset ids.

    `refusal` is set where the plans were refused together. `stopped` is the sentence that ended the command early.
    """

    account: str
    plans: tuple[ChangesetResult, ...] = ()
    waiting: tuple[WaitingPlan, ...] = ()
    refused: tuple[RefusedPlan, ...] = ()
    refusal: RefusedCommand | None = None
    stopped: str = ""
    exit: int = 0
    pin_line: str = ""

    @property
    def sent(self) -> bool:
        """Whether a run began."""
        return any(plan.result.run is not None for plan in self.plans)


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of unknown outcome. `in_flight`: its run is alive, so its answer may still come.

    `attempts` numbers its attempts of unknown outcome, oldest first; `resolve` takes these numbers. `since` (UTC, ISO
    8601) is the time of the first, `last` that of the last. `run` and `message` are those of the last.
    """

    operation: OperationId
    lead: LeadId
    kind: Kind
    changeset: ChangesetId
    run: RunId
    since: str
    last: str
    delivery: str = ""
    message: str = ""
    in_flight: bool = False
    account: str
    attempts: tuple[int, ...]


class DoubtEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the service shows of a doubtful lead now: its values, masked, and its history since the attempt."""

    values: dict[str, str]
    history: tuple[LeadEvent, ...]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of operations by their present state."""

    applied: int = 0
    rejected: int = 0
    in_doubt: int = 0
    not_sent: int = 0
    """Attempted, but known to have had no effect: never left, or resolved as not applied."""


class UnfinishedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was begun and not settled, with its newest run. `open` counts operations that are not applied (or
    resolved as applied) yet."""

    plan: PlanDigest
    path: str
    run: RunId
    account: str
    changesets: tuple[str, ...]
    started: str
    stopped: str = ""
    open: int
    live: bool = False


class SharedRun(msgspec.Struct, frozen=True, kw_only=True):
    """A submitted run whose shards are open. Rates are of the last minute, over all workers.

    `workers` counts those that are alive and may work on it; `wave` counts from 1, of `waves`, the last being the rest.
    """

    run: RunId
    account: str
    plan: PlanDigest
    submitted: str
    operations: int
    shards: dict[str, int]
    wave: int
    waves: int
    workers: int
    requests_per_second: float
    entries_per_second: float
    stopping: str = ""


class WorkerLine(msgspec.Struct, frozen=True, kw_only=True):
    """A worker process. `silent`: seconds since its last heartbeat; `alive`: whether that is recent enough."""

    worker: str
    machine: str
    pid: int
    tool: str
    accounts: tuple[str, ...]
    silent: float
    alive: bool
    shards: tuple[str, ...]
    """The shard that it works on, as RUN/NUMBER."""
    requests_per_second: float
    entries_per_second: float


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """Unresolved operations and unfinished plans. `counts` holds operations by present state, and the ledger's other
    counts.

    `in_doubt` holds irreversible and repeatable operations alike; `evidence` is by operation, and None where it was
    not asked for. `contradictions` are sentences about answers that contradict a resolution.
    """

    ledger_id: str | None
    ledger_url: str
    counts: Totals
    in_doubt: tuple[Doubt, ...] = ()
    evidence: dict[OperationId, DoubtEvidence] | None = None
    unfinished_plans: tuple[UnfinishedPlan, ...] = ()
    contradictions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shared_runs: tuple[SharedRun, ...] = ()
    workers: tuple[WorkerLine, ...] = ()


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One operation and its outcome. `at` is the time of its last attempt or answer, UTC, ISO 8601.

    `outcome` is applied, rejected, in_doubt or not_sent; `note` describes resolutions and contradictions.
    """

    operation: OperationId
    changeset: ChangesetId
    lead: LeadId
    kind: str
    outcome: str
    attempts: int
    run: RunId
    at: str
    message: str = ""
    note: str = ""
    delivery: str = ""


class ValidateResult(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of `validate`. `operations` and `leads` are None where errors prevented the changes from being
    rendered."""

    changesets: int
    problems: tuple[Problem, ...] = ()
    operations: int | None = None
    leads: int | None = None
    more: dict[str, int] = {}
    """Number of further problems per code that are not listed."""

    @property
    def valid(self) -> bool:
        """Whether there are no errors; warnings and notes are allowed."""
        return not any(problem.severity == "error" for problem in self.problems)
