"""Two changesets on one lead, in every order and under every trouble."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.bench import Bench

TRIGGER: dict[str, Any] = {"lead": "11", "trigger": ["1053"]}
REPROCESS: dict[str, Any] = {"lead": "11", "action": "reprocess"}
MONEY: dict[str, Any] = {"lead": "11", "financials": {"payout": "80"}}
LOST = {"fault": {"effect": "none", "answer": "reset"}}
LOST_DONE = {"fault": {"effect": "all", "answer": "reset"}}


def update(value: str, field: str = "c1", lead: str = "11") -> dict[str, Any]:
    return {"lead": lead, "update": {field: value}}


# Planned together


def test_one_plan_sends_a_delivery_of_a_lead_once(bench: Bench) -> None:
    bench.changeset("first", TRIGGER)
    bench.changeset("second", TRIGGER)
    path = bench.plan(code=3)
    assert bench.apply(path).code == 3
    assert bench.sent == []


def test_one_plan_with_two_values_of_a_field_is_an_error(bench: Bench) -> None:
    bench.changeset("first", update("a"))
    bench.changeset("second", update("b"))
    ended = bench.cli("plan", bench.folder / "specs", "--format", "json")
    assert ended.code == 1
    assert {each["file"] for each in ended.json["diagnostics"]} <= {"specs/first.yaml", "specs/second.yaml"}


def test_what_is_applied_takes_no_part_in_a_conflict(bench: Bench) -> None:
    assert bench.send("first", update("a")).code == 0
    bench.changeset("second", update("b"))
    assert bench.apply(bench.plan()).json["counts"] == {
        "applied": 1, "rejected": 0, "in_doubt": 0, "already_applied": 1, "not_sent": 0,
    }  # fmt: skip


def test_planned_together_one_lead_goes_in_order_of_the_changesets_ids(bench: Bench) -> None:
    bench.changeset("b-second", update("2", "c2"), MONEY)
    bench.changeset("a-first", update("1"), TRIGGER)
    assert bench.apply(bench.plan()).code == 0
    assert bench.sent == [["update 11"], ["trigger 11 1053"], ["update 11"], ["financials 11"]]


def test_after_a_refusal_the_leads_later_operations_stay(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"reject": {"message": "No", "leads": ["11"]}}})
    bench.changeset("first", update("a"))
    bench.changeset("second", TRIGGER, update("z", lead="12"))
    ended = bench.apply(bench.plan())
    assert ended.code == 4
    assert ended.json["counts"] == {
        "applied": 1, "rejected": 1, "in_doubt": 0, "already_applied": 0, "not_sent": 1,
    }  # fmt: skip
    assert bench.done() == {"update 12": 1}


# Planned apart


@pytest.mark.parametrize("change", [TRIGGER, REPROCESS], ids=["trigger", "reprocess"])
@pytest.mark.parametrize("names", [("first", "second"), ("second", "first")], ids=" then ".join)
def test_planned_apart_the_second_plan_is_stale(bench: Bench, change: dict[str, Any], names: tuple[str, str]) -> None:
    for name in names:
        bench.changeset(name, change)
        bench.plan(name, out=f"{name}.plan")
    assert bench.apply(f"{names[0]}.plan").code == 0
    refused = bench.apply(f"{names[1]}.plan")
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE620")
    assert "11" in refused.json["error"]["message"]
    assert bench.done().total() == 1
    # And planned again it is a repeat.
    assert bench.states(names[1]) == {"11": [f"{'trigger' if 'trigger' in change else 'reprocess'} blocked"]}


def test_planned_apart_the_same_field_is_stale(bench: Bench) -> None:
    bench.changeset("first", update("a"))
    bench.changeset("second", update("b"))
    bench.plan("first", out="1.plan")
    bench.plan("second", out="2.plan")
    assert bench.apply("1.plan").code == 0
    assert bench.apply("2.plan").code == 3
    assert bench.apply(bench.plan("second", out="2.plan")).code == 0
    assert [effect["fields"] for effect in bench.effects] == [{"c1": "a"}, {"c1": "b"}]
    # What the first one applied is not sent again because somebody else wrote later.
    assert bench.states("first") == {"11": ["update already_applied"]}
    assert "overwritten by changeset second" in bench.reasons("first")[0]


@pytest.mark.parametrize("other", [update("x", "c2"), TRIGGER, MONEY, update("a", lead="12")], ids=str)
def test_planned_apart_another_thing_of_the_lead_is_not_stale(bench: Bench, other: dict[str, Any]) -> None:
    bench.changeset("first", update("a"))
    bench.changeset("second", other)
    bench.plan("first", out="1.plan")
    bench.plan("second", out="2.plan")
    assert bench.apply("1.plan").code == 0
    assert bench.apply("2.plan").code == 0


def test_money_is_one_thing(bench: Bench) -> None:
    bench.changeset("first", {"lead": "11", "financials": {"payout": "1"}})
    bench.changeset("second", {"lead": "11", "financials": {"revenue": "2"}})
    bench.plan("first", out="1.plan")
    bench.plan("second", out="2.plan")
    assert bench.apply("1.plan").code == 0
    assert bench.apply("2.plan").code == 3


def test_an_identical_plan_applied_twice_sends_once(bench: Bench) -> None:
    bench.changeset("first", update("a"), TRIGGER)
    path = bench.plan()
    assert bench.apply(path).code == 0
    again = bench.apply(path)
    assert (again.code, again.json["run"], again.json["counts"]["already_applied"]) == (0, None, 2)


# One in doubt


def test_a_doubt_blocks_the_same_thing_whatever_is_allowed(bench: Bench) -> None:
    bench.configure(policy={"repeat_trigger": "allow"})
    bench.faults({"match": {"nth": 1}, **LOST_DONE})
    assert bench.send("first", TRIGGER).code == 5
    bench.changeset("second", {**TRIGGER, "rerun": 2})
    assert bench.states("second") == {"11": ["trigger blocked"]}
    assert "in doubt" in bench.reasons("second")[0]
    operation = bench.status()["in_doubt"][0]["operation"]
    assert bench.resolve("applied", operation).code == 0
    assert bench.states("second") == {"11": ["trigger to_send"]}


def test_a_doubt_holds_the_rest_of_the_lead_but_not_its_updates(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, **LOST})
    assert bench.send("first", TRIGGER).code == 5
    bench.changeset("second", update("a"), {"lead": "11", "trigger": ["1054"]}, REPROCESS, MONEY, update("z", lead="9"))
    assert bench.states("second") == {
        "11": ["update to_send", "trigger held", "reprocess held", "financials held"],
        "9": ["update to_send"],
    }
    view = bench.cli("plan", bench.folder / "specs", "--changeset", "second", "--format", "json").json
    (beside,) = [each for each in view["findings"] if each["rule"] == "beside-doubt"]
    assert beside["message"].startswith("1 lead of change #1 of second has an irreversible operation in doubt")
    assert beside["message"] in view["warnings"]
    assert beside["leads"] == ["11"]
    assert beside["evidence"][0]["file"] == "specs/second.yaml"
    ended = bench.apply(bench.plan("second"))
    assert ended.code == 4
    assert ended.json["counts"]["not_sent"] == 3
    assert bench.done() == {"update 11": 1, "update 9": 1}
    again = bench.apply()
    assert (again.code, again.json["run"]) == (4, None)
    assert bench.resolve("not-applied", bench.status()["in_doubt"][0]["operation"]).code == 0
    assert bench.apply(bench.plan("second")).code == 0
    assert bench.done()["financials 11"] == bench.done()["trigger 11 1054"] == 1


def test_a_doubt_that_arose_since_planning_holds_inside_the_intents_transaction(bench: Bench) -> None:
    bench.changeset("first", TRIGGER)
    bench.changeset("second", MONEY, update("z", lead="12"))
    bench.plan("first", out="1.plan")
    bench.plan("second", out="2.plan")
    bench.faults({"match": {"nth": 1}, **LOST})
    assert bench.apply("1.plan").code == 5
    held = bench.apply("2.plan")
    assert held.code == 4
    assert held.json["counts"] == {
        "applied": 1, "rejected": 0, "in_doubt": 0, "already_applied": 0, "not_sent": 1,
    }  # fmt: skip
    assert bench.done() == {"update 12": 1}
    assert bench.resolve("applied", bench.status()["in_doubt"][0]["operation"]).code == 0
    assert bench.apply("2.plan").code == 0


# Editing


def test_from_a_to_b_and_back(bench: Bench) -> None:
    assert bench.send("first", update("A")).code == 0
    assert bench.send("first", update("B")).code == 0
    assert bench.send("first", update("A")).code == 0
    assert [effect["fields"]["c1"] for effect in bench.effects] == ["A", "B", "A"]


@pytest.mark.parametrize("lost", [LOST, LOST_DONE, {"fault": {"reject": {"message": "No"}}}], ids=str)
def test_from_a_to_b_which_is_not_confirmed_and_back(bench: Bench, lost: dict[str, Any]) -> None:
    bench.configure(limits={"attempts": 1})
    assert bench.send("first", update("A")).code == 0
    bench.faults({"match": {"nth": 1}, **lost})
    assert bench.send("first", update("B")).code in (4, 5)
    assert bench.states("first") == {"11": ["update to_send"]}
    assert bench.send("first", update("A")).code == 0
    assert [effect["fields"]["c1"] for effect in bench.effects][-1] == "A"
    assert bench.states("first") == {"11": ["update already_applied"]}


def test_one_of_three_fields(bench: Bench) -> None:
    fields = {"c1": "a", "c2": "b", "c3": "c"}
    assert bench.send("first", {"lead": "11", "update": fields}).code == 0
    assert bench.send("first", {"lead": "11", "update": fields | {"c2": "B"}}).code == 0
    assert [effect["fields"] for effect in bench.effects] == [fields, {"c2": "B"}]


def test_a_changed_buyer_takes_the_amounts_along(bench: Bench) -> None:
    money = {"payout": "1.00", "revenue": "2.00", "buyer": "33"}
    assert bench.send("first", {"lead": "11", "financials": money}).code == 0
    assert bench.send("first", {"lead": "11", "financials": money | {"payout": "3.00"}}).code == 0
    assert bench.send("first", {"lead": "11", "financials": money | {"payout": "3.00", "buyer": "34"}}).code == 0
    sent = [{name: effect.get(name) for name in ("payout", "revenue", "buyer")} for effect in bench.effects]
    assert sent == [
        {"payout": "1.00", "revenue": "2.00", "buyer": "33"},
        {"payout": "3.00", "revenue": None, "buyer": "33"},
        {"payout": "3.00", "revenue": "2.00", "buyer": "34"},
    ]


def test_correcting_a_field_beside_an_applied_trigger_sends_the_field(bench: Bench) -> None:
    assert bench.send("first", {**TRIGGER, "update": {"c1": "a"}}).code == 0
    assert bench.send("first", {**TRIGGER, "update": {"c1": "b"}}).code == 0
    assert bench.done() == {"update 11": 2, "trigger 11 1053": 1}


# Rerun


def test_rerun_raised_sends_once_more(bench: Bench) -> None:
    assert bench.send("first", TRIGGER).code == 0
    raised = bench.send("first", {**TRIGGER, "rerun": 2})
    assert raised.code == 0
    assert bench.send("first", {**TRIGGER, "rerun": 2}).json["counts"]["already_applied"] == 1
    assert bench.done() == {"trigger 11 1053": 2}
    assert bench.outcomes() == {"trigger 11 1053": "applied", "trigger 11 1053 rerun 2": "applied"}


def test_rerun_lowered_is_an_error(bench: Bench) -> None:
    assert bench.send("first", TRIGGER).code == 0
    assert bench.send("first", {**TRIGGER, "rerun": 3}).code == 0
    bench.changeset("first", {**TRIGGER, "rerun": 2})
    ended = bench.cli("plan", bench.folder / "specs", "--format", "json")
    assert ended.code == 1, ended
    assert bench.done() == {"trigger 11 1053": 2}


def test_rerun_lowered_to_a_generation_that_was_done_is_an_error_too(bench: Bench) -> None:
    assert bench.send("first", TRIGGER).code == 0
    assert bench.send("first", {**TRIGGER, "rerun": 2}).code == 0
    bench.changeset("first", TRIGGER)
    ended = bench.cli("plan", bench.folder / "specs", "--format", "json")
    assert ended.code == 1, ended
    assert "SE407" in ended.out
    assert bench.done() == {"trigger 11 1053": 2}


def test_a_copy_with_rerun_below_the_first_declaration_is_no_mistake(bench: Bench) -> None:
    assert bench.send("first", TRIGGER).code == 0
    assert bench.send("first", TRIGGER, {**TRIGGER, "rerun": 2}).code == 0
    assert bench.states("first") == {"11": ["trigger already_applied", "trigger already_applied"]}
    assert bench.done() == {"trigger 11 1053": 2}


def test_rerun_copied_into_another_changeset_is_that_changesets_own(bench: Bench) -> None:
    assert bench.send("first", TRIGGER).code == 0
    bench.changeset("second", TRIGGER)
    assert bench.states("second") == {"11": ["trigger blocked"]}
    assert bench.send("second", {**TRIGGER, "rerun": 2}).code == 0
    bench.changeset("third", {**TRIGGER, "rerun": 2})
    assert bench.states("third") == {"11": ["trigger blocked"]}
    assert "higher number" in bench.reasons("third")[0]
    assert bench.done() == {"trigger 11 1053": 2}


def test_while_one_generation_is_in_doubt_no_other_is_sent(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, **LOST})
    assert bench.send("first", TRIGGER).code == 5
    bench.changeset("first", {**TRIGGER, "rerun": 2})
    assert bench.states("first") == {"11": ["trigger held"]}


# Rejected after a lost answer


def test_a_refusal_after_a_lost_answer_leaves_it_unknown(bench: Bench) -> None:
    bench.faults(
        {"match": {"nth": 1}, **LOST_DONE},
        {"match": {"nth": 2}, "fault": {"reject": {"message": "Already being changed"}}},
    )
    ended = bench.send("first", update("a"))
    assert (ended.code, ended.json["counts"]["in_doubt"], ended.json["counts"]["rejected"]) == (5, 1, 0)
    assert bench.outcomes() == {"update 11": "in_doubt"}
    assert bench.states("first") == {"11": ["update to_send"]}
    operation = bench.status()["in_doubt"][0]["operation"]
    assert bench.resolve("not-applied", operation).code == 0
    assert bench.outcomes() == {"update 11": "rejected"}


def test_a_rejected_irreversible_operation_is_sent_again_by_the_next_plan(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"reject": {"message": "Not valid yet"}}})
    assert bench.send("first", TRIGGER).code == 4
    assert bench.states("first") == {"11": ["trigger to_send"]}
    assert "Not valid yet" in bench.reasons("first")[0]
    assert bench.apply("first.plan").code == 0
    assert bench.done() == {"trigger 11 1053": 1}
