"""Structured logs: JSON Lines on stderr with run, plan and operation ids, and never a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncengine.cli.commands import COMMANDS
from tests.cli.console import Ended
from tests.telemetry.test_export import CHANGES, SECRETS, trouble
from tests.workspace import Workspace


def lines(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.err.splitlines()]


def events(ended: Ended, name: str) -> list[dict[str, Any]]:
    return [line for line in lines(ended) if line["event"] == name]


@pytest.fixture
def planned(workspace: Workspace) -> Workspace:
    workspace.changeset("repair", CHANGES)
    workspace.plan()
    return workspace


def test_a_run_from_its_beginning_to_its_end(planned: Workspace) -> None:
    trouble(planned, {"match": {"nth": 1}, "fault": {"answer": {"status": 500}, "effect": "none"}})
    ended = planned.run("apply", "release.plan", "--log-format", "json")
    assert ended.code == 5
    (began,), (finished,) = events(ended, "run began"), events(ended, "run ended")
    ids = {"run": began["run"], "plan": began["plan"]}
    of_the_run = [line for line in lines(ended) if "run" in line]
    assert all(line | ids == line for line in of_the_run)
    assert [line["event"] for line in (of_the_run[0], of_the_run[-1])] == ["run began", "run ended"]
    assert (began["account"], began["changesets"], began["count"]) == ("acme", ["repair"], 4)
    answered = events(ended, "request answered")
    assert [line["status"] for line in answered] == [500, 200, 200]
    assert [line["unknown"] for line in answered] == [3, 0, 0]
    assert all(line["seconds"] >= 0 for line in answered)
    assert [(line["entries"], line["count"]) for line in events(ended, "sent again")] == [(2, 2)]
    assert {key: finished[key] for key in ("exit", "requests", "applied", "in_doubt", "rejected", "not_sent")} == {
        "exit": 5, "requests": 3, "applied": 3, "in_doubt": 1, "rejected": 0, "not_sent": 0,
    }  # fmt: skip
    (doubt,) = planned.run("status", "--format", "json").json["in_doubt"]
    settled = {each: line for line in events(ended, "settled") for each in line["operations"]}
    assert settled.keys() == {line["id"] for line in planned.operations()}
    assert [each for each, line in settled.items() if line["outcome"] == "in_doubt"] == [doubt["operation"]]
    assert settled[doubt["operation"]]["level"] == "warning"


def test_the_requests_that_left_stand_in_the_log_of_everything(planned: Workspace) -> None:
    ended = planned.run("apply", "release.plan", "--log-format", "json", "--log-level", "debug")
    left = events(ended, "request left")
    assert sorted(line["call"] for line in left) == ["leadfinancials", "leads"]
    assert {each for line in left for each in line["operations"]} == {line["id"] for line in planned.operations()}


def test_why_a_run_stopped(planned: Workspace) -> None:
    trouble(planned, {"fault": {"answer": {"status": 401}, "effect": "none"}})
    ended = planned.run("apply", "release.plan", "--log-format", "json")
    assert [line["cause"] for line in events(ended, "run stopped")] == ["key refused"]
    ended = planned.run("apply", "release.plan", "--log-format", "json", "--deadline", "0")
    assert [line["cause"] for line in events(ended, "run stopped")] == ["deadline"]


def test_text_tells_the_same_where_it_is_asked_for(planned: Workspace) -> None:
    ended = planned.run("apply", "release.plan", "--log-level", "info")
    assert "info apply: run began run=" in ended.err
    assert "info apply: command ended exit=0" in ended.err
    assert "run began" not in planned.run("apply", "release.plan").err


def test_every_line_of_every_command_has_its_time_its_verb_and_no_value(planned: Workspace) -> None:
    trouble(planned, {"match": {"lead": "102"}, "fault": {"reject": {"message": "Ermintrude TN25 6QD 8123.45"}}})
    planned.changeset("wrong", '- lead: "105"\n  financials: {payout: 8123.455}\n')
    planned.changeset("clash", '- lead: "101"\n  update: {postcode: "TN25 6QD!"}\n')
    planned.write("people.csv", "email\nermintrude@example.com\n")
    commands = [
        ("validate", "changesets"),
        ("plan", "changesets"),
        ("plan", "changesets/repair.yaml", "changesets/clash.yaml"),
        ("plan", "changesets/repair.yaml", "--out", "again.plan"),
        ("show", "release.plan"),
        ("apply", "release.plan"),
        ("apply", "changesets/clash.yaml", "--yes"),
        ("status",),
        ("history",),
        ("explain", planned.operations()[0]["id"]),
        ("revert", "release.plan", "--out", "back.yaml"),
        ("rejects", "nothing", "--out", "rejected.csv"),
        ("resolve", "0" * 40, "--as", "applied", "--by", "ann", "--note", "looked"),
        ("cancel", "nothing"),
        ("drift",),
        ("ledger", "check"),
        ("ledger", "export"),
        ("schema", "changeset"),
        ("schema", "nonsense"),
        ("import", "changesets/repair.yaml"),
        ("doctor", "--offline"),
        ("review", "release.plan"),
        ("lookup", "people.csv", "--campaign", "565", "--email", "email", "--out", "found.csv"),
        ("apply",),
    ]
    assert {words[0] for words in commands} >= COMMANDS.keys() - {
        "init",
        "sandbox",
        "demo",
        "approve",
        "verify",
        "submit",
        "worker",
    }
    for words in commands:
        ended = planned.run(*words, "--log-format", "json", "--log-level", "debug")
        for line in lines(ended):
            assert line["time"].endswith("Z"), words
            assert line["level"] in ("debug", "info", "warning", "error"), words
        said = [line for line in lines(ended) if "verb" in line]
        assert {line["verb"] for line in said} <= {words[0], " ".join(words[:2])}, words
        for secret in (*SECRETS, planned.api_key):
            assert secret not in ended.err, words
        last = lines(ended)[-1]
        assert last["event"] == "error" or (last["event"], last["exit"]) == ("command ended", ended.code), words


def test_why_a_plan_is_blocked_stands_in_the_view_and_not_in_the_log(workspace: Workspace) -> None:
    config = workspace.root / "syncengine.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "policy: {max_payout: 8000.00}\n", encoding="utf-8")
    workspace.changeset("repair", CHANGES)
    planned = workspace.run("plan", "changesets", "--out", "release.plan")
    assert "8123.45 is over 8000.00" in planned.out
    for words in (
        ("apply", "release.plan"),
        ("apply", "changesets", "--yes"),
        ("approve", "release.plan", "--key", "k"),
    ):
        ended = workspace.run(*words, "--log-format", "json")
        assert ended.code == 3
        (line,) = events(ended, "error")
        assert (line["code"], line["level"]) == ("SE630", "error")
        assert "8123" not in ended.err
