"""The rules of the policy. Each declares the settings that it reads and the operations that it checks.

`OPERATION_RULES` and `PLAN_RULES` are the only lists of rules. Planning, the check at apply and the tests iterate over
them, so a rule that is added here is evaluated again at apply without being named anywhere else. A rule only evaluates;
it never rewrites an operation. See docs/policy.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import ROUND_UP, Decimal
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import ConfigError, Problem
from syncengine.core.operations import (
    SPECS,
    Financials,
    Kind,
    Return,
    Trigger,
    Update,
    is_irreversible,
    kind_of,
    values_of,
)
from syncengine.core.plan import Counts, PlannedOperation
from syncengine.core.settings import Account, DenyRule, Policy
from syncengine.core.values import format_money
from syncengine.documents.rendering import RenderError

if TYPE_CHECKING:
    from syncengine.documents.expressions import Condition

PlanFacts = Mapping[str, object]
"""Builds `plan` for expressions."""

Judgement = Callable[[PlannedOperation, PlanFacts], Iterator[str]]
"""Returns why an operation must not be sent. Each reason has its numbers and the line of the rule."""

EVERY_KIND = frozenset(Kind)
_UPDATES = frozenset({Kind.UPDATE})
_TRIGGERS = frozenset({Kind.TRIGGER})
_MONEY = frozenset({Kind.FINANCIALS})
_DENY_NAMES = ("op", "plan")
_APPROVAL_NAMES = ("plan",)


class Unjudged:
    """Counts the amounts that a rule could not evaluate, for a warning at the end."""

    amounts = 0


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters for compiling rules."""

    policy: Policy
    account: Account
    unjudged: Unjudged

    def where(self, rule: str) -> str:
        """The file and line of a rule's key."""
        return self.policy.place(self.policy.lines.get(rule))


class ActiveRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that this policy sets. `needs_totals`: it can be evaluated only after the whole plan was counted."""

    kinds: frozenset[Kind]
    """The kinds of operation that it can block; it is not called for others."""
    judge: Judgement
    needs_totals: bool = False


class OperationRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule about single operations.

    `settings` are the keys of the policy that it reads. `compile` yields nothing where the policy does not set it.
    """

    settings: tuple[str, ...]
    compile: Callable[[Terms], Iterator[ActiveRule]]


class PlanRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule about the plan as a whole: why it must not be applied, or None.

    `summed`: it also holds for the sum of the plans that one command applies.
    """

    settings: tuple[str, ...]
    judge: Callable[[Terms, Counts, PlanFacts], str | None]
    summed: bool = True


# Rules about one operation


def _largest_amounts(terms: Terms) -> Iterator[ActiveRule]:
    limits = {"payout": terms.policy.max_payout, "revenue": terms.policy.max_revenue}

    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        for name, amount in _amounts_sent(planned):
            limit = limits[name]
            if limit is not None and amount > limit:
                yield (
                    f"max_{name}: {name} {format_money(amount)} is over {format_money(limit)} "
                    f"({terms.where(f'max_{name}')})"
                )

    if any(limit is not None for limit in limits.values()):
        yield ActiveRule(kinds=_MONEY, judge=judge)


def _no_negative_amounts(terms: Terms) -> Iterator[ActiveRule]:
    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        for name, amount in _amounts_sent(planned):
            if amount < 0:
                yield f"allow_negative: {name} {format_money(amount)} is below zero ({terms.where('allow_negative')})"

    if not terms.policy.allow_negative:
        yield ActiveRule(kinds=_MONEY, judge=judge)


def _largest_change(terms: Terms) -> Iterator[ActiveRule]:
    limit = terms.policy.max_change_percent
    if limit is None:
        return

    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        for name, new in _amounts_sent(planned):
            old = planned.amount_before(name)
            if old is None:
                # `require_before` blocks it with a message of its own.
                if Kind.FINANCIALS not in terms.policy.require_before:
                    terms.unjudged.amounts += 1
            elif (percent := change_percent(old, new)) is None or percent > limit:
                words = "from 0.00" if percent is None else f"by {_percent(percent)} %"
                yield (
                    f"max_change_percent: {name} {format_money(old)} -> {format_money(new)} changes {words}, "
                    f"over {limit.normalize():f} % ({terms.where('max_change_percent')})"
                )

    yield ActiveRule(kinds=_MONEY, judge=judge)


def _known_before(terms: Terms) -> Iterator[ActiveRule]:
    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        names = [name for name in planned.send if name != "buyer"]
        missing = [name for name in names if (b := planned.before.get(name)) is None or b.value is None]
        if missing:
            yield (
                f"require_before: the value of {', '.join(missing)} before is unknown "
                f"({terms.where('require_before')}); give one with --observed"
            )

    if terms.policy.require_before:
        yield ActiveRule(kinds=frozenset(terms.policy.require_before), judge=judge)


def _listed_fields(terms: Terms) -> Iterator[ActiveRule]:
    allowed = terms.policy.allowed_fields
    denied = {name.casefold() for name in terms.policy.denied_fields}

    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        for name in planned.send:
            if name.casefold() in denied:
                yield f"denied_fields: {name} must not be changed ({terms.where('denied_fields')})"
            elif allowed is not None and name not in allowed:
                yield f"allowed_fields: {name} is not among them ({terms.where('allowed_fields')})"

    if allowed is not None or denied:
        yield ActiveRule(kinds=_UPDATES, judge=judge)


def _listed_deliveries(terms: Terms) -> Iterator[ActiveRule]:
    allowed = terms.policy.allowed_deliveries
    if allowed is None:
        return
    ids = {terms.account.deliveries.get(name, name) for name in allowed}

    def judge(planned: PlannedOperation, _: PlanFacts) -> Iterator[str]:
        operation = planned.operation
        if isinstance(operation, Trigger) and operation.delivery not in ids:
            yield (
                f"allowed_deliveries: delivery {operation.delivery} is not among them "
                f"({terms.where('allowed_deliveries')})"
            )

    yield ActiveRule(kinds=_TRIGGERS, judge=judge)


def _denied(terms: Terms) -> Iterator[ActiveRule]:
    rules = [(rule, compiled(_DENY_NAMES, rule.when, terms.policy, rule.line)) for rule in terms.policy.deny]
    for needs_totals in (False, True):
        chosen = [pair for pair in rules if ("plan" in pair[0].when) is needs_totals]
        if chosen:
            yield ActiveRule(kinds=EVERY_KIND, judge=_deny_judgement(terms, chosen), needs_totals=needs_totals)


def _deny_judgement(terms: Terms, rules: Sequence[tuple[DenyRule, Condition]]) -> Judgement:
    def judge(planned: PlannedOperation, plan: PlanFacts) -> Iterator[str]:
        scope = {"op": operation_scope(planned), "plan": plan}
        for rule, condition in rules:
            where = terms.policy.place(rule.line)
            try:
                if condition.evaluate(scope):
                    yield f"deny: {rule.message} (matched, {where})"
            except RenderError as error:
                yield f"deny: {rule.message} (the rule failed, with this error: {error.message}; {where})"

    return judge


OPERATION_RULES: tuple[OperationRule, ...] = (
    OperationRule(settings=("max_payout", "max_revenue"), compile=_largest_amounts),
    OperationRule(settings=("allow_negative",), compile=_no_negative_amounts),
    OperationRule(settings=("max_change_percent",), compile=_largest_change),
    OperationRule(settings=("require_before",), compile=_known_before),
    OperationRule(settings=("allowed_fields", "denied_fields"), compile=_listed_fields),
    OperationRule(settings=("allowed_deliveries",), compile=_listed_deliveries),
    OperationRule(settings=("deny",), compile=_denied),
)
"""In the order in which their reasons are reported."""


# Rules about the whole plan


def _limit(setting: str, counted: Callable[[Counts], int], words: Callable[[int], str]) -> PlanRule:
    money = "payout" in setting or "revenue" in setting

    def judge(terms: Terms, counts: Counts, _: PlanFacts) -> str | None:
        limit: int | None = getattr(terms.policy, setting)
        actual = counted(counts)
        if limit is None or actual <= limit:
            return None
        largest = format_money(limit) if money else str(limit)
        return f"{setting}: {words(actual)} would be sent, over {largest} ({terms.where(setting)})"

    return PlanRule(settings=(setting,), judge=judge)


def _approvals(terms: Terms, _: Counts, plan: PlanFacts) -> str | None:
    failed = approvals_needed(terms.policy, plan)
    return f"approvals: {failed} ({terms.where('approvals')})" if isinstance(failed, str) else None


PLAN_RULES: tuple[PlanRule, ...] = (
    _limit("max_leads", lambda counts: counts.leads, lambda number: _count(number, "lead")),
    _limit(
        "max_irreversible",
        lambda counts: counts.irreversible,
        lambda number: _count(number, "irreversible operation"),
    ),
    _limit("max_total_payout", lambda counts: counts.payout, lambda sum_: f"payouts of {format_money(sum_)}"),
    _limit("max_total_revenue", lambda counts: counts.revenue, lambda sum_: f"revenue of {format_money(sum_)}"),
    PlanRule(settings=("approvals",), judge=_approvals, summed=False),
)

REPEAT_RULES = tuple(spec.repeat for spec in SPECS.values() if spec.repeat)
"""Settings that core/repeats.py reads. They need the ledger's records, so they are evaluated when planning, before a
run and again in the transaction that commits an intent."""

MOMENT_RULES: tuple[str, ...] = ("windows", "budgets")
"""Settings that decide when a plan may be applied, never whether: see applying/windows_and_budgets.py."""

PACE_RULES: tuple[str, ...] = ("waves", "stop_when")
"""Settings that shape a run and block nothing beforehand: see applying/stopping.py."""


# Helpers of the rules


def change_percent(old: int, new: int) -> Decimal | None:
    """Change of an amount in percent of its old value; None for a change from 0, which no percentage describes."""
    if old == new:
        return Decimal(0)
    return None if old == 0 else abs(Decimal(new - old)) * 100 / abs(Decimal(old))


def approvals_needed(policy: Policy, plan: PlanFacts) -> bool | str:
    """Whether approvals are needed, or a text that says why that cannot be decided."""
    rule = policy.approvals
    if rule is None or rule.required < 1:
        return False
    if not rule.when:
        return True
    try:
        return compiled(_APPROVAL_NAMES, rule.when, policy, rule.line).evaluate({"plan": plan})
    except RenderError as error:
        return f"the condition failed, with this error: {error.message}"


def operation_scope(planned: PlannedOperation) -> dict[str, object]:
    """`op` for expressions: the part that would be sent. Amounts are exact decimals; a missing value is none."""
    operation = planned.operation
    # Every name is there for every kind: an expression may ask for op.buyer without asking for op.kind first.
    scope: dict[str, object] = {
        "kind": kind_of(operation).value,
        "lead": operation.lead,
        "changeset": planned.changeset,
        "change": planned.change,
        "fields": {},
        "before": {name: before.value for name, before in planned.before.items()},
        "payout": None,
        "revenue": None,
        "buyer": None,
        "reason": None,
        "delivery": None,
        "irreversible": is_irreversible(operation),
        "state": planned.state.value,
    }
    sent = {name: value for name, value in values_of(operation).items() if name in planned.send}
    match operation:
        case Update():
            scope["fields"] = sent
        case Financials():
            scope |= {name: text if name == "buyer" else Decimal(text) for name, text in sent.items()}
        case Return(buyer=buyer, reason=reason):
            scope |= {"buyer": buyer, "reason": reason}
        case Trigger(delivery=delivery):
            scope["delivery"] = delivery
    return scope


def plan_scope(counts: Counts, account: Account, changesets: tuple[str, ...]) -> dict[str, object]:
    """`plan` for expressions: what is to be sent."""
    return {
        "account": account.name,
        "changesets": list(changesets),
        "leads": counts.leads,
        **{kind.value: counts.of(kind) for kind in Kind},
        "irreversible": counts.irreversible,
        "payout": Decimal(counts.payout).scaleb(-2),
        "revenue": Decimal(counts.revenue).scaleb(-2),
    }


def compiled(names: tuple[str, ...], when: str, policy: Policy, line: int) -> Condition:
    """A compiled expression of the policy. Raises ConfigError (SE561) where it is invalid."""
    # Most policies hold no expression, and the compiler takes long to import.
    from syncengine.documents.expressions import ExpressionProblem, Expressions

    condition = Expressions(names, missing="none").compile_condition(when)
    if isinstance(condition, ExpressionProblem):
        problem = Problem(
            code="SE561", message=f"{when}: {condition.message}", file=policy.file, line=line, hint=condition.hint
        )
        raise ConfigError(f"a rule of the policy cannot be read: {condition.message}", code="SE561", problems=[problem])
    return condition


def _amounts_sent(planned: PlannedOperation) -> Iterator[tuple[str, int]]:
    operation = planned.operation
    if isinstance(operation, Financials):
        for name, amount in (("payout", operation.payout), ("revenue", operation.revenue)):
            if amount is not None and name in planned.send:
                yield name, amount


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _percent(value: Decimal) -> str:
    """With at most two decimals, rounded away from the value that it is compared with."""
    return f"{value.quantize(Decimal('0.01'), ROUND_UP).normalize():f}"
