"""Every rule of the policy with its numbers: what it blocks, what it lets pass, and the words it uses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.changes import Origin
from syncengine.core.errors import ConfigError
from syncengine.core.operations import Financials, Kind, Operation, Reprocess, Trigger, Update
from syncengine.core.plan import Before, Counts, PlannedOperation, State
from syncengine.core.settings import Account, ApprovalRule, DenyRule, Policy
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, OperationId
from syncengine.documents.policy_settings import OPERATION_NAMES
from syncengine.planning.policy import PolicyJudge, approval_rule
from syncengine.planning.policy_rules import change_percent, operation_scope, plan_scope

LEAD = LeadId("2932682")
ACCOUNT = Account(
    name="acme", identity="acme", base_url="http://127.0.0.1:1", host="loopback", deliveries={"northwind": "1053"}
)


def planned(
    operation: Operation, *, send: tuple[str, ...] | None = None, before: dict[str, Before] | None = None,
    state: State = State.TO_SEND,
) -> PlannedOperation:  # fmt: skip
    if send is None:
        match operation:
            case Update(fields=fields):
                send = tuple(fields)
            case Financials():
                send = tuple(n for n in ("payout", "revenue", "buyer") if getattr(operation, n) is not None)
            case _:
                send = ()
    return PlannedOperation(
        id=OperationId("1" * 40),
        changeset=ChangesetId("release-one"),
        change="#1",
        entry=1,
        operation=operation,
        origin=Origin("release-one.yaml", 5),
        state=state,
        send=send,
        before=before or {},
    )


def money(payout: int | None = None, revenue: int | None = None, buyer: str | None = None) -> Financials:
    return Financials(
        LEAD,
        payout=None if payout is None else Cents(payout),
        revenue=None if revenue is None else Cents(revenue),
        buyer=None if buyer is None else BuyerId(buyer),
    )


def known(**values: str) -> dict[str, Before]:
    return {name: Before("observed", value) for name, value in values.items()}


def judge(lines: dict[str, int] | None = None, **rules: object) -> PolicyJudge:
    policy = Policy(file="syncengine.yaml", lines=lines or dict.fromkeys(rules, 9), **rules)  # type: ignore[arg-type]
    return PolicyJudge(policy, ACCOUNT, ("release-one",))


TRIGGER = Trigger(LEAD, DeliveryId("1053"))


@pytest.mark.parametrize(
    ("rules", "operation", "reason"),
    [
        ({"max_payout": 15000}, money(15000), None),
        ({"max_payout": 15000}, money(15001), "max_payout: payout 150.01 is over 150.00 (syncengine.yaml:9)"),
        ({"max_payout": 15000}, money(revenue=99999), None),
        ({"max_revenue": 100}, money(revenue=101), "max_revenue: revenue 1.01 is over 1.00 (syncengine.yaml:9)"),
        ({"max_payout": 0}, money(0), None),
        ({"allow_negative": True}, money(-1), None),
        ({}, money(-1), "allow_negative: payout -0.01 is below zero (syncengine.yaml)"),
        ({}, money(revenue=-100), "allow_negative: revenue -1.00 is below zero (syncengine.yaml)"),
        ({"allowed_fields": ("c1",)}, Update(LEAD, {"c1": "x"}), None),
        (
            {"allowed_fields": ("c1",)},
            Update(LEAD, {"c1": "x", "C1": "y"}),
            "allowed_fields: C1 is not among them (syncengine.yaml:9)",
        ),
        ({"allowed_fields": ()}, Update(LEAD, {"c1": "x"}), "allowed_fields: c1 is not among them (syncengine.yaml:9)"),
        ({"allowed_fields": ()}, TRIGGER, None),
        (
            {"denied_fields": ("email",)},
            Update(LEAD, {"Email": "x"}),
            "denied_fields: Email must not be changed (syncengine.yaml:9)",
        ),
        ({"denied_fields": ("email",)}, Update(LEAD, {"e-mail": "x"}), None),
        ({"allowed_deliveries": ("1053",)}, TRIGGER, None),
        ({"allowed_deliveries": ("northwind",)}, TRIGGER, None),
        (
            {"allowed_deliveries": ("1054",)},
            TRIGGER,
            "allowed_deliveries: delivery 1053 is not among them (syncengine.yaml:9)",
        ),
        ({"allowed_deliveries": ()}, Reprocess(LEAD), None),
        ({"allowed_deliveries": ()}, Update(LEAD, {"c1": "x"}), None),
        ({"max_change_percent": Decimal(50)}, Update(LEAD, {"c1": "x"}), None),
        ({"max_change_percent": Decimal(50)}, TRIGGER, None),
    ],
)
def test_rules_about_one_operation(rules: dict[str, object], operation: Operation, reason: str | None) -> None:
    assert judge(**rules).look(planned(operation)) == reason


def test_several_reasons_are_all_told() -> None:
    reason = judge(max_payout=1, max_revenue=1).look(planned(money(200, 300)))
    assert reason is not None
    assert reason.split("; ") == [
        "max_payout: payout 2.00 is over 0.01 (syncengine.yaml:9)",
        "max_revenue: revenue 3.00 is over 0.01 (syncengine.yaml:9)",
    ]


@pytest.mark.parametrize("state", [state for state in State if state is not State.TO_SEND])
def test_only_what_would_be_sent_is_judged(state: State) -> None:
    strict = judge(max_payout=0, deny=(DenyRule(when="true", message="no"),))
    assert strict.look(planned(money(100), state=state)) is None


def test_what_was_applied_before_and_does_not_travel_is_not_judged() -> None:
    assert judge(max_payout=0).look(planned(money(100, 200), send=("revenue",))) is None
    assert judge(denied_fields=("email",)).look(planned(Update(LEAD, {"email": "x", "c1": "y"}), send=("c1",))) is None


@pytest.mark.parametrize(
    ("before", "new", "words"),
    [
        ("100.00", 15000, None),
        ("100.00", 5000, None),
        ("100.00", 15001, "100.00 -> 150.01 changes by 50.01 %, over 50 %"),
        ("100.00", 4999, "100.00 -> 49.99 changes by 50.01 %, over 50 %"),
        ("999999.99", 150000000, "999999.99 -> 1500000.00 changes by 50.01 %, over 50 %"),
        ("0.00", 1, "0.00 -> 0.01 changes from 0.00, over 50 %"),
        ("0.00", 0, None),
        ("-10.00", 1000, "-10.00 -> 10.00 changes by 200 %, over 50 %"),
    ],
)
def test_change_percent(before: str, new: int, words: str | None) -> None:
    reason = judge(max_change_percent=Decimal(50), allow_negative=True).look(
        planned(money(new), before=known(payout=before))
    )
    assert reason == (words and f"max_change_percent: payout {words} (syncengine.yaml:9)")


@given(old=st.integers(-(10**6), 10**6), new=st.integers(-(10**6), 10**6))
def test_percentages_are_exact(old: int, new: int) -> None:
    percent = change_percent(old, new)
    if percent is None:
        assert old == 0
        assert new != 0
    else:
        assert percent >= 0
        assert percent * abs(old) == Decimal(abs(new - old)) * 100 or abs(
            percent * abs(old) - Decimal(abs(new - old)) * 100
        ) < Decimal("1e-15")


def test_an_unknown_before_passes_with_a_warning() -> None:
    lenient = judge(max_change_percent=Decimal(50))
    for operation, amounts in ((TRIGGER, ""), (money(100), "1 amount"), (money(100, 200), "3 amounts")):
        assert lenient.look(planned(operation)) is None
        told = f"max_change_percent could not be judged for {amounts} whose value before is unknown"
        assert lenient.warnings() == ((told,) if amounts else ())


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ({}, "the value of payout before is unknown"),
        ({"payout": Before("unknown")}, "the value of payout before is unknown"),
        ({"payout": Before("ledger")}, "the value of payout before is unknown"),
        ({"payout": Before("ledger", "1.00")}, None),
    ],
)
def test_require_before(before: dict[str, Before], reason: str | None) -> None:
    strict = judge(require_before=(Kind.FINANCIALS,), max_change_percent=Decimal(50))
    told = strict.look(planned(money(100, buyer="33"), before=before))
    assert told == (reason and f"require_before: {reason} (syncengine.yaml:9); give one with --observed")
    assert strict.warnings() == ()
    assert strict.look(planned(Update(LEAD, {"c1": "x"}))) is None


COUNTS = Counts(leads=3, trigger=2, reprocess=1, update=4, financials=2, payout=1000, revenue=2000)


@pytest.mark.parametrize(
    ("rule", "limit", "words"),
    [
        ("max_leads", 2, "3 leads would be sent, over 2"),
        ("max_irreversible", 2, "3 irreversible operations would be sent, over 2"),
        ("max_total_payout", 999, "payouts of 10.00 would be sent, over 9.99"),
        ("max_total_revenue", 1999, "revenue of 20.00 would be sent, over 19.99"),
    ],
)
def test_rules_about_the_whole_plan(rule: str, limit: int, words: str) -> None:
    assert judge(**{rule: limit + 1}).findings(COUNTS) == ()
    (finding,) = judge(**{rule: limit}).findings(COUNTS)
    assert finding.reason == f"{rule}: {words} (syncengine.yaml:9)"
    assert finding.operation is finding.lead is finding.kind is None


FINANCE = DenyRule(when="op.kind == 'financials' and (op.payout or 0) > 200", message="Ask finance first", line=12)


@pytest.mark.parametrize(
    ("when", "operation", "matches"),
    [
        (FINANCE.when, money(20001), True),
        (FINANCE.when, money(20000), False),
        (FINANCE.when, money(revenue=99999), False),
        (FINANCE.when, TRIGGER, False),
        ("op.payout == 80.1", money(8010), True),
        ("op.revenue == 80.1 and op.payout is none", money(revenue=8010), True),
        ("op.buyer == '33'", money(1, buyer="33"), True),
        ("op.buyer is none", Update(LEAD, {"buyer": "33"}), True),
        ("op.fields.payout is none", money(1), True),
        ("'postcode' in op.fields", Update(LEAD, {"postcode": "TN25 6QD"}), True),
        ("'postcode' in op.fields", Update(LEAD, {"c1": "x"}), False),
        ("op.delivery == '1053' and op.irreversible", TRIGGER, True),
        ("op.delivery is none and not op.irreversible", Update(LEAD, {"c1": "x"}), True),
        ("op.fields.postcode == 'TN25 6QD'", Update(LEAD, {"postcode": "TN25 6QD"}), True),
        ("op.fields.postcode == 'TN25 6QD'", Update(LEAD, {"c1": "x"}), False),
        ("op.lead == '2932682' and op.changeset == 'release-one' and op.change == '#1'", TRIGGER, True),
        ("op.state == 'to_send'", TRIGGER, True),
        ("op.nothing_like_it is none", TRIGGER, True),
    ],
)
def test_deny_rules_match(when: str, operation: Operation, matches: bool) -> None:
    strict = judge(deny=(DenyRule(when=when, message="Ask first", line=12),))
    assert strict.look(planned(operation)) == ("deny: Ask first (matched, syncengine.yaml:12)" if matches else None)


@pytest.mark.parametrize("when", ["op.lead > 3", "op.nothing_like_it", "op.delivery", "not op.payout"])
def test_a_deny_rule_that_fails_blocks_and_says_so(when: str) -> None:
    strict = judge(deny=(DenyRule(when=when, message="Ask first", line=12),))
    reason = strict.look(planned(TRIGGER))
    assert reason is not None
    assert reason.startswith("deny: Ask first (the rule failed, with this error: ")
    assert reason.endswith("; syncengine.yaml:12)")


def test_the_names_that_the_configuration_checks_are_those_that_rules_see() -> None:
    assert operation_scope(planned(TRIGGER)).keys() == OPERATION_NAMES["op"]
    assert plan_scope(Counts(), ACCOUNT, ()).keys() == OPERATION_NAMES["plan"]


def test_deny_rules_see_before_values() -> None:
    strict = judge(deny=(DenyRule(when="op.before.payout is none", message="No", line=1),))
    assert strict.look(planned(money(1))) == "deny: No (matched, syncengine.yaml:1)"
    assert strict.look(planned(money(1), before=known(payout="2.00"))) is None


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ("plan.leads == 3 and op.kind == 'trigger'", True),
        ("plan.irreversible == 3 and plan.update == 4 and plan.trigger == 2 and plan.reprocess == 1", True),
        ("plan.financials == 2 and plan.payout == 10 and plan.revenue == 20", True),
        ("plan.account == 'acme' and 'release-one' in plan.changesets", True),
        ("plan.leads > 3", False),
    ],
)
def test_deny_rules_about_the_plan_wait_until_it_is_counted(when: str, matches: bool) -> None:
    strict = judge(deny=(DenyRule(when=when, message="Ask first", line=12),))
    assert strict.needs_totals
    assert strict.look(planned(TRIGGER)) is None
    told = strict.look_again(planned(TRIGGER), COUNTS)
    assert told == ("deny: Ask first (matched, syncengine.yaml:12)" if matches else None)


def test_a_rule_that_cannot_be_read_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigError) as caught:
        judge(deny=(DenyRule(when="op.kind ==", message="No", line=12),))
    (problem,) = caught.value.problems
    assert (caught.value.code, problem.code, problem.file, problem.line) == ("SE561", "SE561", "syncengine.yaml", 12)
    assert problem.message.startswith("op.kind ==: ")
    assert str(caught.value).startswith("a rule of the policy cannot be read: ")


@pytest.mark.parametrize("when", ["{{ plan.leads }}", " "])
def test_a_condition_that_is_none_comes_with_an_example_for_its_place(when: str) -> None:
    with pytest.raises(ConfigError) as deny:
        judge(deny=(DenyRule(when=when, message="No"),))
    with pytest.raises(ConfigError) as approvals:
        approval_rule(Policy(approvals=ApprovalRule(required=1, when=when)), COUNTS, ACCOUNT, ("release-one",))
    hints = [caught.value.problems[0].hint for caught in (deny, approvals)]
    assert hints == ["op.kind == 'trigger'", "plan.leads > 100"]


def test_several_deny_rules_about_the_plan_are_all_told() -> None:
    rules = [DenyRule(when="plan.leads == 3", message=text, line=line) for text, line in (("One", 1), ("Two", 2))]
    strict = judge(deny=tuple(rules))
    told = "deny: One (matched, syncengine.yaml:1); deny: Two (matched, syncengine.yaml:2)"
    assert strict.look_again(planned(TRIGGER), COUNTS) == told
    assert strict.look_again(planned(TRIGGER, state=State.HELD), COUNTS) is None


def test_what_is_done_in_quarantine_is_counted_for_rules_too() -> None:
    strict = judge(deny=(DenyRule(when="plan.release == 5 and plan.reject == 6", message="No", line=1),))
    assert strict.look_again(planned(TRIGGER), COUNTS) is None
    assert strict.look_again(planned(TRIGGER), Counts(leads=3, release=5, reject=6)) is not None


def test_a_condition_of_approvals_that_fails_blocks_the_plan() -> None:
    rule = ApprovalRule(required=1, when="plan.changesets > 3", line=7)
    (finding,) = judge({"approvals": 7}, approvals=rule).findings(COUNTS)
    assert finding.reason.startswith("approvals: the condition failed, with this error: ")
    assert finding.reason.endswith(" (syncengine.yaml:7)")
    fine = ApprovalRule(required=1, when="plan.leads == 3 and plan.account == 'acme'")
    assert judge(approvals=fine).findings(COUNTS) == ()


def test_a_condition_of_approvals_that_cannot_be_read_names_its_line() -> None:
    policy = Policy(file="syncengine.yaml", approvals=ApprovalRule(required=1, when="plan.leads >", line=7))
    with pytest.raises(ConfigError) as caught:
        approval_rule(policy, COUNTS, ACCOUNT, ("release-one",))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == ("syncengine.yaml", 7)


def test_each_amount_is_judged_by_itself() -> None:
    strict = judge(max_change_percent=Decimal(50))
    before = known(payout="1.00", revenue="1.00")
    for send in (("revenue",), ("payout", "revenue")):
        reason = strict.look(planned(money(150, 151), send=send, before=before))
        assert reason == "max_change_percent: revenue 1.00 -> 1.51 changes by 51 %, over 50 % (syncengine.yaml:9)"
    assert strict.look(planned(money(revenue=151), before=before)) is not None
    assert strict.look(planned(money(999, 150), send=("revenue",), before=before)) is None
    assert strict.look(planned(TRIGGER)) is None


def test_every_rule_names_its_line_and_all_that_it_is_about() -> None:
    assert judge({"allow_negative": 4}).look(planned(money(-1))) == (
        "allow_negative: payout -0.01 is below zero (syncengine.yaml:4)"
    )
    strict = judge({"require_before": 5}, require_before=(Kind.UPDATE,))
    reason = strict.look(planned(Update(LEAD, {"a": "1", "b": "2"})))
    assert reason is not None
    assert "the value of a, b before is unknown (syncengine.yaml:5)" in reason
    nameless = PolicyJudge(Policy(max_leads=1), ACCOUNT, ())
    assert nameless.findings(COUNTS)[0].reason == "max_leads: 3 leads would be sent, over 1 (policy)"
    assert judge(allowed_deliveries=("1053",)).look(planned(Update(LEAD, {"a": "1"}))) is None
    unnumbered = judge(deny=(DenyRule(when="op.kind == 'trigger'", message="No"),))
    assert unnumbered.look(planned(TRIGGER)) == "deny: No (matched, syncengine.yaml)"


@pytest.mark.parametrize(
    ("rule", "needed"),
    [
        (None, False),
        (ApprovalRule(required=0), False),
        (ApprovalRule(required=1), True),
        (ApprovalRule(required=1, when="plan.irreversible > 2"), True),
        (ApprovalRule(required=1, when="plan.irreversible > 3"), False),
        (ApprovalRule(required=1, when="plan.changesets > 3"), True),
    ],
)
def test_when_approvals_are_needed(rule: ApprovalRule | None, needed: bool) -> None:
    policy = Policy(approvals=rule)
    assert (approval_rule(policy, COUNTS, ACCOUNT, ("release-one",)) is not None) is needed
