"""The one place that decides whether a plan may be applied. The executor relies on it, and checks again only what can
change meanwhile: the lease, repeats, doubts and holds inside the intent's transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import assert_never

import msgspec

from syncengine.applying.policy_recheck import PolicyRecheck
from syncengine.applying.remaining import BATCH, AlreadyApplied, Doubtful, Open, remainder, what_travels
from syncengine.applying.windows_and_budgets import Firsts
from syncengine.core.digests import wire_digest
from syncengine.core.errors import NotApproved, PlanBlocked, Refusal, StalePlan, WrongLedger
from syncengine.core.history import NO_HISTORY, Attempt, LeadHistory, Standing, touch_of, touching_kinds
from syncengine.core.operations import Operation, kind_of, target_of, values_of
from syncengine.core.outcomes import LeadEntry
from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.ports import Clock, LedgerView, NameRecord
from syncengine.core.results import OperationLine
from syncengine.core.settings import Account, Limits, Policy
from syncengine.core.values import LeadId, OperationId, PlanDigest

_SHOWN = 5
"""Maximum number of stale lines in the message."""


class SavedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A verified plan file's facts; the operations are read from the file itself."""

    header: PlanHeader
    provenance: Provenance
    summary: PlanSummary


class PreflightResult(msgspec.Struct, frozen=True, kw_only=True):
    """Result of preflight. Counts are of operations of this plan, before the run."""

    to_send: int
    already_applied: int
    in_doubt: tuple[OperationLine, ...]
    held: tuple[OperationLine, ...]
    waits: dict[OperationId, float]
    resumed: bool
    """Whether this plan has recorded attempts, so that its lines must be compared with them."""
    firsts: tuple[LeadEntry, ...] = ()
    """The first operations to leave of each quantity that budgets limit."""
    doubted: frozenset[LeadId] = frozenset()
    """Leads with an operation that this plan sent in an earlier run, and whose outcome is unknown."""
    names: tuple[NameRecord, ...] = ()
    """The ids that the plan's names of deliveries and buyers resolved to."""


def check_identity(plan: SavedPlan, account: Account, ledger: LedgerView) -> None:
    """Refuse another account, host, wire or ledger. Raises Refusal."""
    header = plan.header
    again = "plan again with 'syncengine plan'"
    if header.account != account.name or header.identity != account.identity:
        raise Refusal(f"the plan is for account {header.account}, not {account.name}", code="SE601", hint=again)
    if header.host != account.host:
        raise WrongLedger(
            f"the plan was made for host {header.host}; account {account.name} is now at {account.host}",
            code="SE651",
            hint=again,
        )
    if header.wire_digest != wire_digest(account.wire):
        raise Refusal("the account's wire settings changed since the plan was made", code="SE602", hint=again)
    planned_with = plan.provenance.ledger_id
    if planned_with is not None and planned_with != ledger.identity().id:
        raise WrongLedger(
            f"the plan was made against ledger {planned_with}, and this is ledger {ledger.identity().id}",
            hint="apply with the ledger that the plan was made against, or plan again",
        )
    if (header.generation or 0) != ledger.identity().generation:
        raise Refusal(
            "the ledger lost records after the plan was made: neither the plan nor its approvals count any more",
            code="SE665",
            hint=again,
        )


class Preflight:
    """Reads a verified plan once under the lease and collects every reason to refuse it.

    `sent` are plans that the same command sent before: what the ledger knows from them alone, it did not know when the
    command began.
    """

    def __init__(
        self,
        plan: SavedPlan,
        *,
        policy: Policy,
        account: Account,
        ledger: LedgerView,
        clock: Clock,
        sent: Collection[PlanDigest] = (),
    ) -> None:
        self._plan = plan
        self._digest: PlanDigest = plan.summary.digest
        self._of_command = frozenset({self._digest, *sent})
        self._policy = policy
        self._limits: Limits = account.limits
        self._second = PolicyRecheck(plan.summary, policy, account)
        self._firsts = Firsts()
        self._overtaken: str | None = None
        self._ledger = ledger
        self._clock = clock
        self._to_send = 0
        self._already = 0
        self._in_doubt: list[OperationLine] = []
        self._doubted: set[LeadId] = set()
        self._held: list[OperationLine] = []
        self._stale: list[str] = []
        self._stale_count = 0
        self._known: str | None = None
        self._waits: dict[OperationId, float] = {}
        self._names: dict[tuple[str, str, str], str] = {}

    def check(
        self,
        operations: Iterator[PlannedOperation],
        looked: Callable[[int], None] = lambda _: None,
        watch: Callable[[PlannedOperation, LeadHistory], None] = lambda _, __: None,
    ) -> PreflightResult:
        """Raises PlanBlocked, StalePlan, WrongLedger or Refusal. A settled plan passes, whatever else changed.

        `looked` receives the number of operations checked, batch by batch; `watch` each operation with its lead's
        history.
        """
        counts = self._plan.summary.counts
        if counts.blocked or self._plan.summary.blocked:
            first = self._plan.summary.blocked[0].reason if self._plan.summary.blocked else "see the plan"
            raise PlanBlocked(
                f"the plan is blocked and cannot be applied: {first}",
                hint="'syncengine show' lists what blocks it; fix the changeset or the policy and plan again",
            )
        resumed = bool(self._ledger.runs(self._plan.header.identity, plan=self._digest))
        # One query for the leads of a batch: a query for each lead would take most of the time.
        while batch := list(islice(operations, BATCH)):
            leads = list({planned.operation.lead for planned in batch})
            histories = self._ledger.histories(self._plan.header.identity, leads)
            looked(len(batch))
            self._second.see(batch)
            for planned in batch:
                for use in planned.names:
                    self._names.setdefault((planned.changeset, use.kind, use.name), use.target)
                history = histories.get(planned.operation.lead, NO_HISTORY)
                watch(planned, history)
                self._look(planned, history)
        self._second.check_counts()
        if self._to_send:
            self._refuse()
        return PreflightResult(
            to_send=self._to_send,
            already_applied=self._already,
            in_doubt=tuple(self._in_doubt),
            held=tuple(self._held),
            waits=self._waits,
            resumed=resumed,
            firsts=self._firsts.entries,
            doubted=frozenset(self._doubted),
            names=tuple(
                NameRecord(changeset=changeset, kind=kind, name=name, target=target)
                for (changeset, kind, name), target in self._names.items()
            ),
        )

    def _refuse(self) -> None:
        header = self._plan.header
        if header.policy_digest != self._policy.digest:
            raise Refusal(
                "the policy changed since the plan was made", code="SE603", hint="plan again with the present policy"
            )
        if self._known is not None:
            raise WrongLedger(
                f"the plan was made without a ledger, and this ledger knows lead {self._known}",
                code="SE652",
                hint="plan again where the ledger can be read",
            )
        if self._stale:
            more = f" and {self._stale_count - len(self._stale)} more" if self._stale_count > len(self._stale) else ""
            raise StalePlan(
                f"the plan is stale: {'; '.join(self._stale)}{more}",
                hint="plan again: since planning the ledger learned something about what this plan still has to send",
            )
        if self._overtaken is not None and self._second.needs_approval:
            raise NotApproved(
                f"{self._overtaken} was sent by this plan and resolved as not applied; who approved the plan did not "
                "approve sending it again",
                code="SE638",
                hint="make a new plan with 'syncengine plan' and have it approved",
            )
        self._second.refuse()

    def _look(self, planned: PlannedOperation, history: LeadHistory) -> None:
        match planned.state:
            case State.TO_SEND:
                self._to_be_sent(planned, history)
            case State.ALREADY_APPLIED | State.UNCHANGED:
                self._already += 1
            case State.HELD:
                self._held.append(_line(planned, planned.reason))
            case State.IN_DOUBT:
                self._later(planned, history)
            case State.BLOCKED:
                pass
            case other:
                assert_never(other)

    def _later(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """A line saved as in doubt: a late answer or a resolution may have settled it since."""
        standing = [a.standing for a in history.of_operation(planned.id)]
        if Standing.APPLIED in standing:
            self._already += 1
        elif Standing.UNKNOWN in standing or Standing.IN_FLIGHT in standing:
            self._in_doubt.append(_line(planned, planned.reason))
        else:
            self._held.append(_line(planned, "was in doubt when planned and did not happen; plan again to send it"))

    def _to_be_sent(self, planned: PlannedOperation, history: LeadHistory) -> None:
        if not history.attempts and not history.forgotten:
            # The lead has no records, so none can have changed since planning.
            self._open(planned, history)
            return
        match remainder(planned, history, self._digest):
            case AlreadyApplied():
                self._already += 1
            case Doubtful(attempt=attempt):
                words = attempt.answer.message if attempt.answer is not None else "no answer is on record"
                self._in_doubt.append(_line(planned, f"sent in run {attempt.run}: {words}"))
                self._doubted.add(planned.operation.lead)
            case Open():
                self._open(planned, history)
                self._check_overtaken(planned, history)
                self._check_stale(planned, history)
                self._check_settle(planned, history)
            case other:
                assert_never(other)

    def _open(self, planned: PlannedOperation, history: LeadHistory) -> None:
        self._to_send += 1
        self._second.judge(planned, history)
        self._firsts.see(planned)

    def _check_stale(self, planned: PlannedOperation, history: LeadHistory) -> None:
        if not history.attempts and not history.forgotten:
            return
        foreign = next((a for a in history.attempts if a.plan not in self._of_command), None)
        if self._plan.provenance.ledger_id is None and foreign is not None:
            self._known = self._known or planned.operation.lead
        operation = planned.operation
        kind = kind_of(operation)
        facts = history.facts(kind, target_of(operation), values_of(operation), except_plan=self._digest)
        if facts == planned.facts:
            return
        self._stale_count += 1
        if len(self._stale) < _SHOWN:
            self._stale.append(_what_moved(planned, history, self._digest))

    def _check_overtaken(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """Check whether this plan sent it before, and a person resolved that it did not happen."""
        for attempt in history.of_operation(planned.id):
            resolved = attempt.resolution is not None and not attempt.resolution.applied
            if attempt.plan == self._digest and resolved and attempt.standing is Standing.NOT_SENT:
                kind = kind_of(planned.operation).value
                self._overtaken = self._overtaken or f"the {kind} of lead {planned.operation.lead}"

    def _check_settle(self, planned: PlannedOperation, history: LeadHistory) -> None:
        """After an unknown attempt, delay another value for the same field until the earlier one is unlikely to take
        effect."""
        if not history.attempts or self._limits.settle <= 0:
            return
        latest = self._last_unknown(planned, history)
        if latest:
            age = _seconds_between(latest, self._clock.now())
            if age < self._limits.settle:
                self._waits[planned.id] = self._clock.monotonic() + self._limits.settle - max(age, 0.0)

    def _last_unknown(self, planned: PlannedOperation, history: LeadHistory) -> str:
        """Time of the last unknown attempt to set one of the operation's fields to another value; "" for none."""
        kind, lead = kind_of(planned.operation), planned.operation.lead
        values = values_of(what_travels(planned))
        latest = ""
        for attempt in history.attempts:
            if attempt.kind is not kind or attempt.standing is not Standing.UNKNOWN:
                continue
            names = values.keys() & attempt.values.keys()
            if not all(self._ledger.matches(attempt.values[name], kind, lead, name, values[name]) for name in names):
                latest = max(latest, attempt.answer.at if attempt.answer is not None else attempt.at)
        return latest


def _line(planned: PlannedOperation, message: str) -> OperationLine:
    operation = planned.operation
    return OperationLine(
        operation=planned.id,
        lead=operation.lead,
        kind=kind_of(operation).value,
        message=message,
        changeset=planned.changeset,
    )


def _what_moved(planned: PlannedOperation, history: LeadHistory, digest: PlanDigest) -> str:
    operation = planned.operation
    if history.forgotten:
        return f"lead {operation.lead} was erased from the ledger"
    others = [attempt for attempt in history.attempts if attempt.plan != digest and _touches(attempt, operation)]
    if not others:
        return f"lead {operation.lead}: records that the plan relied on are gone"
    last = others[-1]
    what = last.touch or ", ".join(sorted(set(last.values) & set(values_of(operation))))
    return f"lead {operation.lead}: {what} was touched by run {last.run} (changeset {last.changeset})"


def _touches(attempt: Attempt, operation: Operation) -> bool:
    """Whether an attempt changed what the operation would change."""
    kind = kind_of(operation)
    if attempt.kind not in touching_kinds(kind):
        return False
    touch = touch_of(kind, target_of(operation))
    return attempt.touch == touch if touch else not attempt.values.keys().isdisjoint(values_of(operation))


def _seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
