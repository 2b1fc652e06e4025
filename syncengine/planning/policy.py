"""Guardrails: each rule judges an operation or the whole plan and says why, with its numbers and the line it stands in.

Rules only judge; none rewrites an operation. See docs/policy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

from syncengine.core.errors import ConfigError, Problem
from syncengine.core.operations import Financials, Kind, Trigger, Update, is_irreversible, kind_of, values_of
from syncengine.core.plan import Counts, Finding, PlannedOperation, State
from syncengine.core.settings import Account, ApprovalRule, DenyRule, Policy
from syncengine.core.values import Cents, format_money, parse_money
from syncengine.documents.rendering import RenderError

if TYPE_CHECKING:
    from syncengine.documents.expressions import Condition

Rule = Callable[[PlannedOperation], Iterator[str]]
_FINANCIALS = frozenset({Kind.FINANCIALS})

_DENY = ("op", "plan")
_APPROVALS = ("plan",)


class PolicyJudge:
    """Judges the operations that would be sent. `changesets` and `account` are what `plan` in a rule can name."""

    def __init__(self, policy: Policy, account: Account, changesets: tuple[str, ...]) -> None:
        self._policy = policy
        self._account = account
        self._changesets = changesets
        active = tuple(self._active())
        self._rules = {kind: tuple(rule for kinds, rule in active if kind in kinds) for kind in Kind}
        self._unknown_before = 0
        compiled = [(rule, _compiled(_DENY, rule.when, policy, rule.line)) for rule in policy.deny]
        self._deny = [pair for pair in compiled if not _mentions_plan(pair[0])]
        self._deny_plan = [pair for pair in compiled if _mentions_plan(pair[0])]

    @property
    def needs_totals(self) -> bool:
        """Whether a rule looks at the whole plan, so that operations must be judged again once it is counted."""
        return bool(self._deny_plan)

    @property
    def concerns_updates(self) -> bool:
        """Whether any rule could have a word on an update."""
        policy = self._policy
        fields = policy.allowed_fields is not None or policy.denied_fields
        return bool(fields or policy.deny or Kind.UPDATE in policy.require_before)

    def look(self, planned: PlannedOperation) -> str | None:
        """Why the operation must not be sent."""
        if planned.state is not State.TO_SEND:
            return None
        rules = self._rules[kind_of(planned.operation)]
        if not (rules or self._deny):
            return None
        reasons = [reason for rule in rules for reason in rule(planned)]
        if self._deny:
            scope = {"op": operation_scope(planned)}
            reasons.extend(filter(None, (self._denied(rule, condition, scope) for rule, condition in self._deny)))
        return "; ".join(reasons) or None

    def look_again(self, planned: PlannedOperation, counts: Counts) -> str | None:
        """Why the operation must not be sent, now that the plan is counted."""
        if not self._deny_plan or planned.state is not State.TO_SEND:
            return None
        scope = {"op": operation_scope(planned), "plan": plan_scope(counts, self._account, self._changesets)}
        reasons = [self._denied(rule, condition, scope) for rule, condition in self._deny_plan]
        return "; ".join(filter(None, reasons)) or None

    def findings(self, counts: Counts) -> tuple[Finding, ...]:
        """What the plan as a whole exceeds."""
        policy = self._policy
        limits: tuple[tuple[str, int | None, int, Callable[[int], str]], ...] = (
            ("max_leads", policy.max_leads, counts.leads, lambda n: _count(n, "lead")),
            (
                "max_irreversible",
                policy.max_irreversible,
                counts.irreversible,
                lambda n: _count(n, "irreversible operation"),
            ),
            ("max_total_payout", policy.max_total_payout, counts.payout, lambda n: f"payouts of {format_money(n)}"),
            ("max_total_revenue", policy.max_total_revenue, counts.revenue, lambda n: f"revenue of {format_money(n)}"),
        )
        exceeded = [
            f"{name}: {words(actual)} would be sent, over {_limit(name, limit)} ({self._where(name)})"
            for name, limit, actual, words in limits
            if limit is not None and actual > limit
        ]
        failed = _approvals_needed(policy, plan_scope(counts, self._account, self._changesets))
        if isinstance(failed, str):
            exceeded.append(f"approvals: {failed} ({self._where('approvals')})")
        return tuple(Finding(reason=reason) for reason in exceeded)

    def warnings(self) -> tuple[str, ...]:
        """What could not be judged."""
        if not self._unknown_before:
            return ()
        amounts = _count(self._unknown_before, "amount")
        return (f"max_change_percent could not be judged for {amounts} whose value before is unknown",)

    def _where(self, rule: str) -> str:
        line = self._policy.lines.get(rule)
        return f"{self._policy.file}:{line}" if line else self._policy.file or "policy"

    def _active(self) -> Iterator[tuple[frozenset[Kind], Rule]]:
        """The rules that are set, with the kinds that each can object to."""
        policy = self._policy
        if policy.max_payout is not None or policy.max_revenue is not None:
            yield _FINANCIALS, self._amounts
        if not policy.allow_negative:
            yield _FINANCIALS, self._negative
        if policy.max_change_percent is not None:
            yield _FINANCIALS, self._change
        if policy.require_before:
            yield frozenset(Kind(kind) for kind in policy.require_before), self._before
        if policy.allowed_fields is not None or policy.denied_fields:
            yield frozenset({Kind.UPDATE}), self._fields
        if policy.allowed_deliveries is not None:
            yield frozenset({Kind.TRIGGER}), self._deliveries

    def _amounts(self, planned: PlannedOperation) -> Iterator[str]:
        operation = planned.operation
        if not isinstance(operation, Financials):
            return
        for name, amount, limit in (
            ("payout", operation.payout, self._policy.max_payout),
            ("revenue", operation.revenue, self._policy.max_revenue),
        ):
            if amount is not None and limit is not None and amount > limit and name in planned.send:
                yield (
                    f"max_{name}: {name} {format_money(amount)} is over {format_money(limit)} "
                    f"({self._where(f'max_{name}')})"
                )

    def _negative(self, planned: PlannedOperation) -> Iterator[str]:
        operation = planned.operation
        if not isinstance(operation, Financials):
            return
        for name, amount in (("payout", operation.payout), ("revenue", operation.revenue)):
            if amount is not None and amount < 0 and name in planned.send:
                yield f"allow_negative: {name} {format_money(amount)} is below zero ({self._where('allow_negative')})"

    def _change(self, planned: PlannedOperation) -> Iterator[str]:
        operation, limit = planned.operation, self._policy.max_change_percent
        if not isinstance(operation, Financials) or limit is None:
            return
        for name, new in (("payout", operation.payout), ("revenue", operation.revenue)):
            if new is None or name not in planned.send:
                continue
            old = known_amount(planned, name)
            if old is None:
                self._unknown_before += Kind.FINANCIALS not in self._policy.require_before
            elif (percent := change_percent(old, new)) is None or percent > limit:
                words = "from 0.00" if percent is None else f"by {_percent(percent)} %"
                yield (
                    f"max_change_percent: {name} {format_money(old)} -> {format_money(new)} changes {words}, "
                    f"over {limit.normalize():f} % ({self._where('max_change_percent')})"
                )

    def _before(self, planned: PlannedOperation) -> Iterator[str]:
        kind = kind_of(planned.operation)
        if kind not in self._policy.require_before:
            return
        names = [name for name in planned.send if name != "buyer"]
        missing = [name for name in names if (b := planned.before.get(name)) is None or b.value is None]
        if missing:
            yield (
                f"require_before: the value of {', '.join(missing)} before is unknown "
                f"({self._where('require_before')}); give one with --observed"
            )

    def _fields(self, planned: PlannedOperation) -> Iterator[str]:
        if not isinstance(planned.operation, Update):
            return
        allowed = self._policy.allowed_fields
        denied = {name.casefold() for name in self._policy.denied_fields}
        for name in planned.send:
            if name.casefold() in denied:
                yield f"denied_fields: {name} must not be changed ({self._where('denied_fields')})"
            elif allowed is not None and name not in allowed:
                yield f"allowed_fields: {name} is not among them ({self._where('allowed_fields')})"

    def _deliveries(self, planned: PlannedOperation) -> Iterator[str]:
        operation, allowed = planned.operation, self._policy.allowed_deliveries
        if not isinstance(operation, Trigger) or allowed is None:
            return
        ids = {self._account.deliveries.get(name, name) for name in allowed}
        if operation.delivery not in ids:
            yield (
                f"allowed_deliveries: delivery {operation.delivery} is not among them "
                f"({self._where('allowed_deliveries')})"
            )

    def _denied(self, rule: DenyRule, condition: Condition, scope: Mapping[str, object]) -> str | None:
        where = f"{self._policy.file}:{rule.line}" if rule.line else self._policy.file
        try:
            return f"deny: {rule.message} (matched, {where})" if condition.evaluate(scope) else None
        except RenderError as error:
            return f"deny: {rule.message} (the rule failed, with this error: {error.message}; {where})"


def known_amount(planned: PlannedOperation, name: str) -> Cents | None:
    """The amount before, in hundredths; None where it is unknown."""
    before = planned.before.get(name)
    return None if before is None or before.value is None else parse_money(before.value)


def change_percent(old: int, new: int) -> Decimal | None:
    """How far an amount moves, in percent of what it was; None from 0 to anything else, which no percentage covers."""
    if old == new:
        return Decimal(0)
    return None if old == 0 else abs(Decimal(new - old)) * 100 / abs(Decimal(old))


def approval_rule(policy: Policy, counts: Counts, account: Account, changesets: tuple[str, ...]) -> ApprovalRule | None:
    """The rule by which a plan with these counts needs approvals; None where it needs none.

    Where its condition fails it counts as holding: the plan is blocked besides.
    """
    needed = _approvals_needed(policy, plan_scope(counts, account, changesets))
    return policy.approvals if needed else None


def _approvals_needed(policy: Policy, plan: Mapping[str, object]) -> bool | str:
    """Whether approvals are needed, or in words why nobody can tell."""
    rule = policy.approvals
    if rule is None or rule.required < 1:
        return False
    if not rule.when:
        return True
    try:
        return _compiled(_APPROVALS, rule.when, policy, rule.line).evaluate({"plan": plan})
    except RenderError as error:
        return f"the condition failed, with this error: {error.message}"


def operation_scope(planned: PlannedOperation) -> dict[str, object]:
    """`op` as rules see it: what would be sent of it. Amounts are exact decimals, a missing value is none."""
    operation = planned.operation
    sent = {name: value for name, value in values_of(operation).items() if name in planned.send}
    money = isinstance(operation, Financials)
    return {
        "kind": kind_of(operation).value,
        "lead": operation.lead,
        "changeset": planned.changeset,
        "change": planned.change,
        "fields": sent if isinstance(operation, Update) else {},
        "before": {name: before.value for name, before in planned.before.items()},
        "payout": Decimal(sent["payout"]) if money and "payout" in sent else None,
        "revenue": Decimal(sent["revenue"]) if money and "revenue" in sent else None,
        "buyer": sent.get("buyer") if money else None,
        "delivery": operation.delivery if isinstance(operation, Trigger) else None,
        "irreversible": is_irreversible(operation),
        "state": planned.state.value,
    }


def plan_scope(counts: Counts, account: Account, changesets: tuple[str, ...]) -> dict[str, object]:
    """`plan` as rules see it: what is to be sent."""
    return {
        "account": account.name,
        "changesets": list(changesets),
        "leads": counts.leads,
        "update": counts.update,
        "reprocess": counts.reprocess,
        "trigger": counts.trigger,
        "financials": counts.financials,
        "release": counts.release,
        "reject": counts.reject,
        "irreversible": counts.irreversible,
        "payout": _decimal(counts.payout),
        "revenue": _decimal(counts.revenue),
    }


def _decimal(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-2)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(value: Decimal) -> str:
    """With at most two places, rounded away from what it is compared with."""
    return f"{value.quantize(Decimal('0.01'), ROUND_UP).normalize():f}"


def _limit(name: str, limit: int) -> str:
    return format_money(limit) if "payout" in name or "revenue" in name else str(limit)


def _mentions_plan(rule: DenyRule) -> bool:
    return "plan" in rule.when


def _compiled(names: tuple[str, ...], when: str, policy: Policy, line: int) -> Condition:
    # Most policies hold no expression, and what reads them takes long to load.
    from syncengine.documents.expressions import ExpressionProblem, Expressions

    condition = Expressions(names, missing="none").compile_condition(when)
    if isinstance(condition, ExpressionProblem):
        problem = Problem(
            code="SE561", message=f"{when}: {condition.message}", file=policy.file, line=line, hint=condition.hint
        )
        raise ConfigError(f"a rule of the policy cannot be read: {condition.message}", code="SE561", problems=[problem])
    return condition
