"""Returns, end to end against a sandbox: once for each lead, whoever the buyer, and never again without `rerun`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.bench import Bench, Ended
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]

LOST = {"fault": {"answer": "close", "effect": "all"}}


@pytest.fixture(params=["sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    options: dict[str, Any] = {}
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        options["ledger_url"] = server.new_database()
    with Bench(tmp_path / "bench", **options) as made:
        made.configure(buyers={"northwind": "33"})
        made.found()
        yield made


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "bench") as made:
        made.configure(buyers={"northwind": "33"})
        made.found()
        yield made


def returned(lead: str = "84145", buyer: str = "northwind", reason: str = "DNCC", **more: Any) -> dict[str, Any]:
    return {"lead": lead, "return": {"buyer": buyer, "reason": reason}, **more}


def planned(bench: Bench, *words: str) -> Ended:
    return bench.cli("plan", bench.folder / "specs", "--out", bench.folder / "x.plan", "--format", "json", *words)


def test_return_is_sent_once_as_documented(bench: Bench) -> None:
    ended = bench.send("first", returned())
    assert (ended.code, ended.json["counts"]["applied"], ended.json["queued"]) == (0, 1, 1)
    [request] = bench.requests
    assert (request["method"], request["path"]) == ("POST", "/restapi/v1.2/leads/return")
    key = bench.sandbox.api_key
    assert request["body"] == f'{{"key":"{key}","leadId":84145,"BID":"33","reason":"DNCC"}}'
    assert "x_key" not in {name.lower() for name, _ in request["headers"]}
    [effect] = bench.effects
    assert (effect["effect"], effect["lead"], effect["buyer"], effect["reason"]) == ("return", "84145", "33", "DNCC")
    [record] = bench.history()
    assert (record["kind"], record["outcome"], record["message"]) == ("return", "applied", "Return Queued")
    assert (record["note"], record["delivery"]) == ("queued", "")
    again = bench.apply("first.plan")
    assert (again.code, again.json["counts"]["already_applied"]) == (0, 1)
    again = bench.apply(bench.plan("first", out="again.plan"))
    assert (again.code, again.json["counts"]["already_applied"]) == (0, 1)
    assert len(bench.effects) == 1


def test_revision_of_the_call_is_a_setting(files: Bench) -> None:
    files.configure(wire={"returns": "v1.3"})
    assert files.send("first", returned(buyer="33")).code == 0
    assert files.requests[0]["path"] == "/restapi/v1.3/leads/return"
    for wrong in ("1.3", "v1/../x", "v", ""):
        files.configure(wire={"returns": wrong})
        refused = files.cli("validate", files.folder / "specs", "--format", "json")
        assert refused.code == 1, wrong


def test_views_count_returns_among_what_cannot_be_taken_back(files: Bench) -> None:
    files.changeset("first", returned(), returned("2"), {"lead": "3", "trigger": ["1053"]})
    shown = planned(files).json
    assert shown["by_kind"] == {"update": 0, "reprocess": 0, "trigger": 1, "financials": 0, "return": 2}
    assert shown["irreversible"] == 3
    details = {line["detail"] for line in shown["lines"]} if "lines" in shown else set()
    assert not details or "buyer 33 northwind, reason DNCC" in details
    for form in ("text", "markdown", "html"):
        text = files.cli("show", files.folder / "x.plan", "--format", form).out
        assert "buyer 33" in text, form
        assert "DNCC" in text, form


def test_by_kind_names_returns_where_there_are_none(files: Bench) -> None:
    files.changeset("first", {"lead": "1", "update": {"c1": "x"}})
    assert planned(files).json["by_kind"]["return"] == 0


def test_edited_reason_sends_nothing_and_says_so(bench: Bench) -> None:
    assert bench.send("first", returned()).code == 0
    bench.changeset("first", returned(reason="Wrong number"))
    ended = planned(bench)
    assert (ended.code, ended.json["operations"]["already_applied"], ended.json["operations"]["to_send"]) == (0, 1, 0)
    assert any("the reason of the return of lead 84145 is another one" in text for text in ended.json["warnings"])
    assert len(bench.effects) == 1


@pytest.mark.parametrize("buyer", ["33", "44"])
def test_return_on_record_blocks_another_to_any_buyer(files: Bench, buyer: str) -> None:
    assert files.send("first", returned()).code == 0
    files.configure(buyers={})
    files.changeset("second", returned(buyer=buyer))
    blocked = planned(files, "--changeset", "second")
    assert blocked.code == 3
    [reason] = [finding["reason"] for finding in blocked.json["blocked"]]
    assert "a return was already done for this lead by changeset first" in reason
    assert "rerun: 2" in reason
    files.changeset("second", returned(buyer=buyer, rerun=2))
    assert planned(files, "--changeset", "second").code == 0
    files.changeset("second", returned(buyer=buyer))
    files.configure(buyers={}, policy={"repeat_return": "allow"})
    assert files.apply(files.plan("second")).code == 0
    assert [effect["buyer"] for effect in files.effects] == ["33", buyer]


def test_other_buyer_in_the_same_changeset_is_blocked(files: Bench) -> None:
    assert files.send("first", returned()).code == 0
    files.configure(buyers={})
    files.changeset("first", returned(buyer="44"))
    assert planned(files).code == 3
    files.changeset("first", returned(buyer="44", rerun=2))
    assert files.apply(files.plan()).code == 0
    assert [effect["buyer"] for effect in files.effects] == ["33", "44"]


def test_return_in_doubt_is_freed_by_resolve_alone(bench: Bench) -> None:
    bench.faults({**LOST, "match": {"times": 1}})
    assert bench.send("first", returned()).code == 5
    bench.changeset("second", returned(buyer="northwind", rerun=2))
    bench.changeset("third", {"lead": "84145", "trigger": ["1053"]})
    assert bench.states() == {"84145": ["return in_doubt", "return blocked", "trigger held"]}
    bench.configure(buyers={"northwind": "33"}, policy={"repeat_return": "allow"})
    assert bench.states() == {"84145": ["return in_doubt", "return blocked", "trigger held"]}
    bench.configure(buyers={"northwind": "33"})
    [doubt] = bench.status()["in_doubt"]
    assert (doubt["kind"], doubt["delivery"]) == ("return", "")
    assert bench.apply("first.plan").code == 5
    assert len(bench.requests) == 1
    assert bench.resolve("not-applied", doubt["operation"]).code == 0
    assert bench.apply("first.plan").code == 0
    assert len(bench.effects) == 2  # the sandbox had done the first; a person said otherwise


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        ({"status": "Success", "message": "", "details": {"84145": "return queued"}}, 0, "applied"),
        ({"status": "Success", "message": "", "details": {"84145": "Returned"}}, 5, "in_doubt"),
        ({"status": "Success", "message": "", "details": {"84145": "Queued for processing"}}, 5, "in_doubt"),
        ({"status": "Success", "message": "", "details": {"1": "Return Queued"}}, 5, "in_doubt"),
        ({"status": "Success", "message": ""}, 5, "in_doubt"),
        ({"status": "Error", "message": "No such lead"}, 4, "rejected"),
        ({"status": "Error", "message": "x", "details": {"84145": "Return Queued"}}, 5, "in_doubt"),
        ({"status": "Error", "message": "x", "details": {"84145": "Already returned"}}, 4, "rejected"),
    ],
)
def test_only_the_documented_word_counts(files: Bench, answer: dict[str, Any], code: int, outcome: str) -> None:
    files.faults({"fault": {"answer": {"body": "text", "text": json.dumps(answer)}, "effect": "none"}})
    assert files.send("first", returned()).code == code
    assert files.history()[0]["outcome"] == outcome


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lead": "1", "return": {"buyer": "33"}}, "SE247"),
        ({"lead": "1", "return": {"reason": "DNCC"}}, "SE247"),
        ({"lead": "1", "return": {"buyer": "33", "reason": " "}}, "SE247"),
        ({"lead": "1", "return": {"buyer": "", "reason": "DNCC"}, "skip_empty": True}, "SE247"),
        ({"lead": "1", "return": {"buyer": "33", "reason": "DNCC", "note": "x"}}, "SE2"),
        ({"lead": "1", "return": {"buyer": "33", "reason": "DNCC"}, "update": {"c1": "x"}}, "SE248"),
        ({"lead": "1", "return": {"buyer": "33", "reason": "DNCC"}, "action": "reprocess"}, "SE248"),
        ({"lead": "1", "return": {"buyer": "33", "reason": "DNCC"}, "trigger": ["1053"]}, "SE248"),
        ({"lead": "1", "return": {"buyer": "33", "reason": "DNCC"}, "financials": {"payout": "1"}}, "SE248"),
        ({"quarantined": "1", "return": {"buyer": "33", "reason": "DNCC"}}, "SE246"),
        ({"leads": ["1", "1"], "return": {"buyer": "33", "reason": "DNCC"}}, "SE4"),
    ],
)
def test_what_a_return_cannot_be_declared_with(files: Bench, change: dict[str, Any], code: str) -> None:
    files.changeset("first", change)
    refused = files.cli("validate", files.folder / "specs", "--format", "json")
    assert refused.code == 1
    assert any(found["code"].startswith(code) for found in refused.json["diagnostics"]), refused.json["diagnostics"]


def test_templates_fill_buyer_and_reason(files: Bench) -> None:
    (files.folder / "specs" / "returns.csv").write_text("lead,buyer,reason\n1,northwind,DNCC\n2,33,Wrong number\n")
    document = {
        "version": 1,
        "changeset": "first",
        "account": "acme",
        "sources": {"held": {"file": "returns.csv"}},
        "changes": [
            {
                "for_each": "held",
                "lead": "{{ row.lead }}",
                "return": {"buyer": "{{ row.buyer }}", "reason": "{{ row.reason }}"},
            }
        ],
    }
    (files.folder / "specs" / "first.yaml").write_text(json.dumps(document))
    assert files.apply(files.plan()).code == 0
    assert [(e["lead"], e["buyer"], e["reason"]) for e in files.effects] == [
        ("1", "33", "DNCC"),
        ("2", "33", "Wrong number"),
    ]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"max_irreversible": 1}, "max_irreversible: 2 irreversible operations would be sent, over 1"),
        ({"deny": [{"when": "op.buyer == '33' and op.reason == 'DNCC'", "message": "No"}]}, "deny: No (matched"),
        ({"deny": [{"when": "plan['return'] > 1", "message": "Many"}]}, "deny: Many (matched"),
    ],
)
def test_policy_judges_returns(files: Bench, policy: dict[str, Any], reason: str) -> None:
    files.configure(policy=policy)
    files.changeset("first", returned("1", "33"), returned("2", "33"))
    ended = planned(files)
    assert ended.code == 3
    assert any(reason in finding["reason"] for finding in ended.json["blocked"])


def test_plan_return_is_a_number_in_expressions(files: Bench) -> None:
    files.configure(policy={"deny": [{"when": "plan.return > 1", "message": "Many"}]})
    files.changeset("first", returned("1", "33"), returned("2", "33"))
    assert "deny: Many (matched" in planned(files).json["blocked"][0]["reason"]


def test_budgets_count_returns(files: Bench) -> None:
    files.configure(policy={"budgets": [{"per": "day", "max_irreversible": 1, "time_zone": "UTC"}]})
    ended = files.send("first", returned("1", "33"), returned("2", "33"))
    assert (ended.code, ended.json["counts"]["applied"]) == (4, 1)
    files.changeset("second", returned("3", "33"))
    assert files.apply(files.plan("second")).code == 3


def test_missing_permission_is_named(tmp_path: Path) -> None:
    with Bench(tmp_path / "bench") as bench:
        bench.found()
        bench.faults({"fault": {"answer": {"status": 403}, "effect": "none"}})
        ended = bench.send("first", returned(buyer="33"))
        assert ended.code == 4
        assert "Leads > Return" in ended.json["stopped"] + json.dumps(ended.json)


def test_revert_and_explain_say_what_cannot_be_taken_back(files: Bench) -> None:
    files.send("first", returned())
    out = files.folder / "back.yaml"
    reverted = files.cli("revert", files.folder / "first.plan", "--out", out)
    assert "irreversible: it cannot be taken back" in reverted.out + reverted.err + (
        out.read_text() if out.exists() else ""
    )
    [record] = files.history()
    told = files.cli("explain", record["operation"], "--plan", files.folder / "first.plan", "--format", "json").json
    assert (told["kind"], told["buyer"], told["delivery"]) == ("return", "33", "")
