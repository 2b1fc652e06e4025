"""Limits on whole plans, and `deny`, are judged for each plan and for the sum of those that would be sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.bench import Bench
from tests.plans_folder.team import TRIGGER, apply_folder, counts, declare, plan_each, triggers, update, updates


def money(lead: str, amount: str) -> dict[str, Any]:
    return {"lead": lead, "financials": {"payout": amount, "revenue": amount}}


LIMITS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = {
    "max_leads": ({"max_leads": 3}, updates(1, 2), updates(11, 2)),
    "max_irreversible": ({"max_irreversible": 3}, triggers(1, 2), triggers(11, 2)),
    "max_total_payout": ({"max_total_payout": "15.00"}, [money("1", "10.00")], [money("2", "10.00")]),
    "max_total_revenue": ({"max_total_revenue": "15.00"}, [money("1", "10.00")], [money("2", "10.00")]),
    "deny": (
        {"deny": [{"when": "op.kind == 'trigger' and plan.trigger > 3", "message": "Too many at once"}]},
        triggers(1, 2),
        triggers(11, 2),
    ),
    "deny of leads": ({"deny": [{"when": "plan.leads > 3", "message": "Too many"}]}, updates(1, 2), updates(11, 2)),
    "deny of changesets": (
        {"deny": [{"when": "'a-first' in plan.changesets and 'b-second' in plan.changesets", "message": "Apart"}]},
        updates(1, 2),
        updates(11, 2),
    ),
}


@pytest.mark.parametrize("rule", LIMITS)
def test_where_the_sum_breaks_a_rule_nothing_is_sent(bench: Bench, rule: str) -> None:
    policy, first, second = LIMITS[rule]
    bench.configure(policy=policy)
    declare(bench, a_first=first, b_second=second)
    ended = apply_folder(bench)
    assert (ended.code, ended.json["exit"]) == (3, 3), ended
    error = ended.json["error"]
    assert error["code"] == "SE672"
    assert "plan --each --changeset ID" in error["message"]
    assert rule.split(maxsplit=1)[0] in error["message"]
    assert "syncengine.yaml:" in error["message"]
    assert [(each["changeset"], each["code"]) for each in ended.json["refused"]] == [
        ("a-first", "SE672"),
        ("b-second", "SE672"),
    ]
    assert (ended.json["plans"], ended.json["waiting"]) == ([], [])
    assert bench.requests == []
    assert bench.history() == []
    # The way out: one after the other.
    for name in ("a-first", "b-second"):
        plan_each(bench, name)
        assert apply_folder(bench).code == 0


def test_the_text_names_the_way_out(bench: Bench) -> None:
    policy, first, second = LIMITS["max_leads"]
    bench.configure(policy=policy)
    declare(bench, a_first=first, b_second=second)
    ended = bench.cli("apply", bench.folder / "plans")
    assert ended.code == 3
    told = " ".join(ended.out.split())
    assert "max_leads: 4 leads would be sent, over 3" in told
    assert "plan --each --changeset ID" in told


def test_leads_that_plans_share_count_once(bench: Bench) -> None:
    bench.configure(policy={"max_leads": 3})
    declare(bench, a_first=updates(1, 3), b_second=triggers(1, 3))
    assert apply_folder(bench).code == 0


def test_a_rule_that_each_plan_keeps_alone_and_all_keep_together(bench: Bench) -> None:
    policy, first, second = LIMITS["deny"]
    bench.configure(policy=policy)
    declare(bench, a_first=first, b_second=second[:1])
    assert apply_folder(bench).code == 0


def test_a_blocked_plan_takes_no_part_in_the_sum(bench: Bench) -> None:
    bench.configure(policy={"max_leads": 3, "denied_fields": ["c2"]})
    blocked = [update("x", field="c2", lead=str(lead)) for lead in (21, 22)]
    declare(bench, a_first=updates(1, 2), b_second=blocked, c_third=updates(31, 1))
    ended = apply_folder(bench)
    assert ended.code == 4
    assert counts(ended) == {"a-first": {"applied": 2}, "c-third": {"applied": 1}}


def test_a_stale_plan_takes_no_part_in_the_sum(bench: Bench) -> None:
    bench.configure(policy={"max_irreversible": 3, "repeat_trigger": "allow"})
    declare(bench, a_first=triggers(1, 2), b_second=triggers(11, 2))
    assert bench.send("other", {"lead": "11", "trigger": ["1053"]}).code == 0
    ended = apply_folder(bench)
    assert ended.code == 4
    assert counts(ended) == {"a-first": {"applied": 2}}
    assert [each["code"] for each in ended.json["refused"]] == ["SE620"]


def test_a_waiting_plan_takes_no_part_in_the_sum(bench: Bench) -> None:
    (bench.folder / "signers").write_text("")
    rule = {"required": 1, "when": "plan.trigger > 0", "allowed_signers": "signers", "author_may_approve": True}
    bench.configure(policy={"max_leads": 3, "approvals": rule})
    declare(bench, a_first=updates(1, 3), b_second=triggers(11, 3))
    ended = apply_folder(bench)
    assert ended.code == 6
    assert counts(ended) == {"a-first": {"applied": 3}}


def test_a_plan_that_was_applied_before_takes_no_part_in_the_sum(bench: Bench) -> None:
    bench.configure(policy={"max_leads": 3})
    declare(bench, a_first=updates(1, 2), b_second=updates(11, 2))
    assert bench.apply("plans/a-first.plan").code == 0
    ended = apply_folder(bench)
    assert ended.code == 0
    assert counts(ended) == {"a-first": {"already_applied": 2}, "b-second": {"applied": 2}}


def test_approvals_are_asked_of_each_plan_alone(bench: Bench) -> None:
    (bench.folder / "signers").write_text("")
    rule = {"required": 1, "when": "plan.trigger > 3", "allowed_signers": "signers", "author_may_approve": True}
    bench.configure(policy={"approvals": rule})
    declare(bench, a_first=triggers(1, 2), b_second=triggers(11, 2), c_third=triggers(21, 4))
    ended = apply_folder(bench)
    assert ended.code == 6
    assert counts(ended) == {"a-first": {"applied": 2}, "b-second": {"applied": 2}}
    assert [each["changeset"] for each in ended.json["waiting"]] == ["c-third"]


def test_many_operations_that_break_a_rule_are_counted(bench: Bench) -> None:
    policy, _, _ = LIMITS["deny"]
    bench.configure(policy=policy)
    declare(bench, a_first=triggers(1, 3), b_second=triggers(11, 3), c_third=[TRIGGER | {"lead": "99"}])
    ended = apply_folder(bench)
    assert ended.code == 3
    assert "and 6 more" in ended.json["error"]["message"]
    assert len(ended.json["diagnostics"]) == 5
    assert {each["code"] for each in ended.json["diagnostics"]} == {"SE672"}
