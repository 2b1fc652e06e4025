"""The policy compiled for one plan: the active rules, by the kinds of operation that each can block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncengine.core.operations import Kind, kind_of
from syncengine.core.plan import Blocker, Counts, PlannedOperation, State
from syncengine.core.settings import Account, ApprovalRule, Policy
from syncengine.planning.policy_rules import (
    OPERATION_RULES,
    PLAN_RULES,
    ActiveRule,
    Judgement,
    PlanFacts,
    PlanRule,
    Terms,
    Unjudged,
    approvals_needed,
    plan_scope,
)

_NO_TOTALS: PlanFacts = {}


class PolicyJudge:
    """Evaluates the policy for operations that would be sent. `plan` in a rule can name `changesets` and `account`."""

    def __init__(self, policy: Policy, account: Account, changesets: tuple[str, ...]) -> None:
        self._account = account
        self._changesets = changesets
        self._terms = Terms(policy=policy, account=account, unjudged=Unjudged())
        active = [rule for each in OPERATION_RULES for rule in each.compile(self._terms)]
        self._rules = _by_kind(rule for rule in active if not rule.needs_totals)
        self._late_rules = _by_kind(rule for rule in active if rule.needs_totals)

    @property
    def needs_totals(self) -> bool:
        """Whether a rule needs totals of the whole plan, so that operations must be evaluated again after counting."""
        return bool(self._late_rules)

    def concerns(self, kind: Kind) -> bool:
        """Whether any active rule can block operations of this kind."""
        return kind in self._rules or kind in self._late_rules

    def look(self, planned: PlannedOperation) -> str | None:
        """Reasons why the operation must not be sent."""
        rules = self._rules.get(kind_of(planned.operation))
        return _reasons(rules, planned, _NO_TOTALS) if rules and planned.state is State.TO_SEND else None

    def look_again(self, planned: PlannedOperation, counts: Counts) -> str | None:
        """Reasons why the operation must not be sent, given the plan's totals."""
        rules = self._late_rules.get(kind_of(planned.operation))
        if not rules or planned.state is not State.TO_SEND:
            return None
        return _reasons(rules, planned, plan_scope(counts, self._account, self._changesets))

    def findings(self, counts: Counts) -> tuple[Blocker, ...]:
        """Limits that the plan as a whole exceeds."""
        return tuple(Blocker(reason=reason) for reason in self._broken(PLAN_RULES, counts))

    def exceeded_together(self, counts: Counts) -> tuple[str, ...]:
        """Limits that several plans exceed together; `counts` are their sums."""
        return tuple(self._broken((rule for rule in PLAN_RULES if rule.summed), counts))

    def _broken(self, rules: Iterable[PlanRule], counts: Counts) -> Iterator[str]:
        scope = plan_scope(counts, self._account, self._changesets)
        for rule in rules:
            reason = rule.judge(self._terms, counts, scope)
            if reason is not None:
                yield reason

    def warnings(self) -> tuple[str, ...]:
        """Warnings about what could not be evaluated."""
        number = self._terms.unjudged.amounts
        if not number:
            return ()
        amounts = "1 amount" if number == 1 else f"{number} amounts"
        return (f"max_change_percent could not be judged for {amounts} whose value before is unknown",)


def approval_rule(policy: Policy, counts: Counts, account: Account, changesets: tuple[str, ...]) -> ApprovalRule | None:
    """The rule that requires approvals for a plan with these counts; None where none does.

    If its condition fails to evaluate, it counts as true; the plan is blocked in any case.
    """
    needed = approvals_needed(policy, plan_scope(counts, account, changesets))
    return policy.approvals if needed else None


def _by_kind(rules: Iterable[ActiveRule]) -> dict[Kind, tuple[Judgement, ...]]:
    found: dict[Kind, tuple[Judgement, ...]] = {}
    for rule in rules:
        for kind in rule.kinds:
            found[kind] = (*found.get(kind, ()), rule.judge)
    return found


def _reasons(rules: Iterable[Judgement], planned: PlannedOperation, plan: PlanFacts) -> str | None:
    def told() -> Iterator[str]:
        for judge in rules:
            yield from judge(planned, plan)

    return "; ".join(told()) or None
