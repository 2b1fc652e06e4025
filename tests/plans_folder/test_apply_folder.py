"""`apply DIR` sends exactly the plans that plans.json lists, in order, and accounts for every one of them."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.approvals.repository import make_key
from tests.crash.bench import SCRIPT, Bench
from tests.plans_folder.team import MONEY, TRIGGER, apply_folder, counts, declare, plan_each, rewrite, update, updates

REJECTED = {"reject": {"message": "No", "leads": ["11"]}}


def test_plans_are_applied_in_the_order_of_their_changesets(either_bench: Bench) -> None:
    bench = either_bench
    declare(bench, c_last=[update("c", lead="3")], a_first=[update("a", lead="1")], b_second=[update("b", lead="2")])
    ended = apply_folder(bench)
    assert ended.code == 0, ended
    assert counts(ended) == {"a-first": {"applied": 1}, "b-second": {"applied": 1}, "c-last": {"applied": 1}}
    assert (ended.json["waiting"], ended.json["refused"], ended.json["exit"]) == ([], [], 0)
    assert "error" not in ended.json
    assert bench.sent == [["update 1"], ["update 2"], ["update 3"]]
    assert bench.status()["unfinished_plans"] == []


def test_each_object_is_that_of_apply_with_the_changeset(bench: Bench) -> None:
    declare(bench, a_first=[update("a")])
    (plan,) = apply_folder(bench).json["plans"]
    single = bench.apply("plans/a-first.plan").json
    assert plan.keys() == {"changeset", *single}
    assert plan["plan"] == single["plan"]


def test_applied_again_nothing_is_sent(bench: Bench) -> None:
    declare(bench, a_first=[update("a")], b_second=[TRIGGER])
    assert apply_folder(bench).code == 0
    again = apply_folder(bench)
    assert again.code == 0
    assert counts(again) == {"a-first": {"already_applied": 1}, "b-second": {"already_applied": 1}}
    assert bench.done() == {"update 11": 1, "trigger 11 1053": 1}


def test_a_list_without_plans_is_done(bench: Bench) -> None:
    folder = bench.folder / "plans"
    folder.mkdir()
    rewrite(folder, {"account": "acme", "plans": [], "warnings": []})
    ended = apply_folder(bench)
    assert (ended.code, ended.json["exit"]) == (0, 0)
    assert (ended.json["plans"], ended.json["waiting"], ended.json["refused"]) == ([], [], [])
    assert "nothing to send" in bench.cli("apply", folder).out


def test_a_plan_made_stale_by_an_earlier_one_is_refused(either_bench: Bench) -> None:
    bench = either_bench
    declare(bench, a_first=[TRIGGER], b_second=[TRIGGER], c_third=[update("c", lead="12")])
    ended = apply_folder(bench)
    assert ended.code == 4, ended
    (refused,) = ended.json["refused"]
    assert (refused["changeset"], refused["code"]) == ("b-second", "SE620")
    assert "a-first" in refused["message"]
    assert counts(ended) == {"a-first": {"applied": 1}, "c-third": {"applied": 1}}
    assert bench.done() == {"trigger 11 1053": 1, "update 12": 1}


def test_another_thing_of_the_same_lead_is_sent_after_it(bench: Bench) -> None:
    declare(bench, a_first=[update("a")], b_second=[TRIGGER], c_third=[MONEY])
    assert apply_folder(bench).code == 0
    assert bench.sent == [["update 11"], ["trigger 11 1053"], ["financials 11"]]


@pytest.mark.parametrize(
    ("fault", "word"),
    [({"fault": REJECTED}, "rejected"), ({"fault": {"effect": "none", "answer": "reset"}}, "in doubt")],
    ids=["rejected", "unknown"],
)
def test_a_lead_in_trouble_in_an_earlier_plan_is_not_sent_in_later_ones(
    either_bench: Bench, fault: dict[str, object], word: str
) -> None:
    bench = either_bench
    bench.configure(limits={"attempts": 1})
    declare(bench, a_first=[update("a")], b_second=[update("b", field="c2"), update("b", field="c2", lead="12")])
    bench.faults({"match": {"nth": 1}, **fault})
    ended = apply_folder(bench)
    assert ended.code == (4 if word == "rejected" else 5)
    assert counts(ended)["b-second"] == {"applied": 1, "not_sent": 1}
    (reason,) = ended.json["plans"][1]["not_sent_reasons"]
    assert word in reason
    assert "a-first" in reason
    assert bench.done() == {"update 12": 1}


def test_plans_of_a_ledger_that_did_not_exist_yet(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.configure()
        declare(bench, a_first=[update("a")], b_second=[MONEY], c_third=[update("c")])
        ended = apply_folder(bench)
        assert ended.code == 4
        assert counts(ended) == {"a-first": {"applied": 1}, "b-second": {"applied": 1}}
        assert [(each["changeset"], each["code"]) for each in ended.json["refused"]] == [("c-third", "SE620")]


def test_what_the_ledger_knew_before_the_command_refuses_plans_made_without_it(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.configure()
        declare(bench, a_first=[update("a", lead="12")], b_second=[update("b")])
        bench.changeset("other", MONEY)
        bench.plan("other")
        assert bench.apply().code == 0
        ended = apply_folder(bench)
        assert ended.code == 4
        assert counts(ended) == {"a-first": {"applied": 1}}
        assert [(each["changeset"], each["code"]) for each in ended.json["refused"]] == [("b-second", "SE652")]


def test_a_doubt_of_an_interrupted_plan_keeps_its_lead_from_later_plans(bench: Bench) -> None:
    declare(bench, a_first=[TRIGGER], b_second=[update("b"), update("b", lead="12")])
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "none", "answer": "reset"}})
    assert bench.apply("plans/a-first.plan").code == 5
    ended = apply_folder(bench)
    assert ended.code == 5
    assert counts(ended) == {"a-first": {"in_doubt": 1}, "b-second": {"applied": 1, "not_sent": 1}}
    assert bench.done() == {"update 12": 1}


def test_a_doubt_that_was_known_when_planning_lets_updates_pass(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "none", "answer": "reset"}})
    assert bench.send("a-first", TRIGGER).code == 5
    bench.changeset("b-second", update("b"))
    plan_each(bench, "a-first", "b-second")
    ended = apply_folder(bench)
    assert ended.code == 5
    assert counts(ended) == {"a-first": {"in_doubt": 1}, "b-second": {"applied": 1}}


def test_a_blocked_plan_is_refused_and_the_others_go_on(bench: Bench) -> None:
    bench.configure(policy={"denied_fields": ["c2"]})
    declare(bench, a_first=[update("a", field="c2")], b_second=[update("b", lead="12")])
    ended = apply_folder(bench)
    assert ended.code == 4
    (refused,) = ended.json["refused"]
    assert refused.keys() >= {"changeset", "plan", "code", "message"}
    assert (refused["changeset"], refused["code"]) == ("a-first", "SE630")
    assert "denied_fields" in refused["message"]
    assert counts(ended) == {"b-second": {"applied": 1}}


def test_where_everything_is_refused_the_command_is(bench: Bench) -> None:
    bench.configure(policy={"denied_fields": ["c2"]})
    declare(bench, a_first=[update("a", field="c2")], b_second=[update("b", field="c2", lead="12")])
    ended = apply_folder(bench)
    assert ended.code == 3
    assert [each["changeset"] for each in ended.json["refused"]] == ["a-first", "b-second"]
    assert ended.json["plans"] == []
    assert bench.requests == []


def test_refused_beside_applied_before_is_exit_3(bench: Bench) -> None:
    declare(bench, a_first=[update("a")], b_second=[TRIGGER])
    assert bench.apply("plans/a-first.plan").code == 0
    assert bench.send("other", {**TRIGGER}).code == 0
    ended = apply_folder(bench)
    assert ended.code == 3
    assert counts(ended) == {"a-first": {"already_applied": 1}}
    assert [each["code"] for each in ended.json["refused"]] == ["SE620"]


def test_held_operations_make_it_incomplete(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "none", "answer": "reset"}})
    assert bench.send("doubt", TRIGGER).code == 5
    bench.changeset("a-first", MONEY)
    plan_each(bench, "a-first")
    ended = apply_folder(bench)
    assert ended.code == 4
    assert counts(ended) == {"a-first": {"not_sent": 1}}


def test_the_plans_of_many_changesets_share_the_pace(bench: Bench) -> None:
    bench.configure(limits={"requests_per_second": 20})
    declare(bench, **{f"set_{number}": [update("a", lead=str(100 + number))] for number in range(10)})
    assert apply_folder(bench).code == 0
    moments = [datetime.fromisoformat(request["at"]) for request in bench.requests]
    assert (moments[-1] - moments[0]).total_seconds() > 0.4


def test_text_says_every_plan_and_the_pin_once(bench: Bench) -> None:
    bench.configure(policy={"denied_fields": ["c2"]})
    declare(bench, a_first=[update("a", field="c2")], b_second=[update("b", lead="12")])
    ended = bench.cli("apply", bench.folder / "plans")
    assert ended.code == 4
    assert "Changeset b-second" in ended.out
    assert "a-first  plan" in ended.out
    assert "SE630" in ended.out
    assert "2 plans: 1 complete, 1 refused" in ended.out
    assert ended.out.count("Commit to syncengine.yaml") == 1


def test_junit_has_a_suite_for_each_plan(bench: Bench) -> None:
    bench.configure(policy={"denied_fields": ["c2"]})
    declare(bench, a_first=[update("a", field="c2")], b_second=updates(20, 2), c_third=[update("c", lead="13")])
    report = bench.folder / "apply.xml"
    assert apply_folder(bench, "--junit", str(report)).code == 4
    suites = ElementTree.parse(report).getroot().findall("testsuite")
    assert [(suite.get("tests"), suite.get("failures")) for suite in suites] == [("2", "0"), ("1", "0"), ("1", "1")]
    assert ["b-second" in (suite.get("name") or "") for suite in suites] == [True, False, False]
    assert {case.get("classname") for case in suites[0]} == {"b-second"}


def test_the_log_names_each_run_and_what_is_refused(bench: Bench) -> None:
    bench.configure(policy={"denied_fields": ["c2"]})
    declare(bench, a_first=[update("a", field="c2")], b_second=updates(20, 2), c_third=[update("c", lead="13")])
    ended = apply_folder(bench, "--log-format", "json")
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert [line["changesets"] for line in lines if line["event"] == "run began"] == [["b-second"], ["c-third"]]
    (refused,) = [line for line in lines if line["event"] == "plan refused"]
    assert (refused["changesets"], refused["code"]) == (["a-first"], "SE630")
    assert lines[-1]["event"] == "command ended"
    assert lines[-1]["exit"] == 4


def test_sealed_plans_are_opened_with_an_identity(bench: Bench, tmp_path: Path) -> None:
    key = make_key(tmp_path, "reader")
    bench.changeset("a-first", update("a", lead="1"))
    bench.changeset("b-second", update("b", lead="2"))
    sealed = ("--values", "sealed", "--recipient", str(key.with_name("reader.pub")))
    planned = bench.cli("plan", bench.folder / "specs", "--each", bench.folder / "plans", *sealed)
    assert planned.code == 0, planned
    closed = apply_folder(bench)
    assert (closed.code, closed.json["error"]["code"]) == (1, "SE908")
    assert bench.requests == []
    ended = apply_folder(bench, "--identity", str(key))
    assert (ended.code, counts(ended)) == (0, {"a-first": {"applied": 1}, "b-second": {"applied": 1}})


def test_a_folder_of_more_plans_than_open_files_is_applied(bench: Bench) -> None:
    names = [f"set-{number}" for number in range(60)]
    for number, name in enumerate(names):
        bench.changeset(name, update("a", lead=str(1100 + number)))
    plan_each(bench)
    command = ["sh", "-c", 'ulimit -n 40; exec "$0" apply plans --format json', str(SCRIPT)]
    done = subprocess.run(
        command, cwd=bench.folder, env=bench.environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [plan["changeset"] for plan in json.loads(done.stdout)["plans"]] == sorted(names)
    assert len(bench.done()) == 60
