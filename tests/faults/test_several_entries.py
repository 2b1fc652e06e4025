"""Several entries in one request: what is split, what is in doubt, and what each entry's own element decides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.bench import Bench, Ended


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


def updates(*leads: int) -> list[dict[str, Any]]:
    return [{"lead": str(lead), "update": {"c1": "a"}} for lead in leads]


def triggers(*leads: int) -> list[dict[str, Any]]:
    return [{"lead": str(lead), "update": {"c1": "a"}, "trigger": ["1053"]} for lead in leads]


def money(*leads: int) -> list[dict[str, Any]]:
    return [{"lead": str(lead), "financials": {"payout": "1"}} for lead in leads]


def counts(ended: Ended) -> dict[str, int]:
    return {name: count for name, count in ended.json["counts"].items() if count}


def refuse(status: int, lead: str, effect: str = "none") -> dict[str, Any]:
    """Every request that names this lead is refused as a whole."""
    answer = {"status": status, "body": "error", "message": "One of them is wrong"}
    return {"match": {"lead": lead}, "fault": {"effect": effect, "answer": answer}}


@pytest.mark.parametrize("status", [400, 404, 422, 405, 411, 413, 415])
def test_a_refused_request_of_updates_is_split_until_the_one_at_fault_is_found(bench: Bench, status: int) -> None:
    bench.faults(refuse(status, "1105"))
    ended = bench.send("first", *updates(*range(1101, 1109)))
    assert (ended.code, counts(ended)) == (4, {"applied": 7, "rejected": 1})
    assert [line["lead"] for line in ended.json["rejected"]] == ["1105"]
    assert bench.outcomes()["update 1105"] == "rejected"
    assert [len(sent) for sent in bench.sent] == [8, 4, 4, 2, 2, 1, 1]


@pytest.mark.parametrize("status", [405, 411, 413, 415])
def test_a_request_refused_before_it_was_read_is_split_with_what_cannot_be_taken_back(
    bench: Bench, status: int
) -> None:
    bench.faults(refuse(status, "1103"))
    ended = bench.send("first", *triggers(1101, 1102, 1103, 1104))
    assert (ended.code, counts(ended)) == (4, {"applied": 6, "rejected": 2})
    assert {name: count for name, count in bench.done().items() if count != 1} == {}


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refused_request_with_triggers_leaves_them_in_doubt(bench: Bench, status: int) -> None:
    bench.faults({**refuse(status, "1102", effect="all"), "match": {"nth": 1}})
    ended = bench.send("first", *triggers(1101, 1102), *updates(1103))
    assert (ended.code, counts(ended)) == (5, {"applied": 3, "in_doubt": 2})
    assert {name: n for name, n in bench.done().items() if name.startswith("trigger")} == {
        "trigger 1101 1053": 1, "trigger 1102 1053": 1,
    }  # fmt: skip


def test_an_account_that_refuses_requests_whole_is_split_all_the_same(bench: Bench) -> None:
    bench.configure(wire={"refusals": "whole"})
    bench.faults(refuse(400, "1103"))
    ended = bench.send("first", *triggers(1101, 1102, 1103, 1104))
    assert (ended.code, counts(ended)) == (4, {"applied": 6, "rejected": 2})
    assert set(bench.done().values()) == {1}


def test_one_refused_entry_with_two_deliveries_is_in_doubt(bench: Bench) -> None:
    bench.faults({"fault": {"reject": {"message": "Buyer is closed", "done": 2}}})
    ended = bench.send("first", {"lead": "1101", "update": {"c1": "a"}, "trigger": ["1053", "1054"]})
    assert (ended.code, counts(ended)) == (5, {"in_doubt": 2, "rejected": 1})


def test_one_by_one_says_which_delivery_was_refused(bench: Bench) -> None:
    bench.configure(wire={"deliveries": "one_by_one"})
    bench.faults({"match": {"delivery": "1054"}, "fault": {"reject": {"message": "Buyer is closed"}}})
    ended = bench.send("first", {"lead": "1101", "update": {"c1": "a"}, "trigger": ["1053", "1054"]})
    assert (ended.code, counts(ended)) == (4, {"applied": 2, "rejected": 1})
    assert bench.sent == [["update 1101", "trigger 1101 1053"], ["trigger 1101 1054"]]


@pytest.mark.parametrize(
    ("distortion", "doubtful"),
    [("reverse", []), ("extra", []), ("missing_first", ["1101"]), ("missing_last", ["1103"]),
     ("duplicate_differing", ["1101"]), ("missing_all", ["1101", "1102", "1103"])],
)  # fmt: skip
def test_each_entry_is_judged_by_its_own_element(bench: Bench, distortion: str, doubtful: list[str]) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"elements": [distortion]}})
    ended = bench.send("first", *triggers(1101, 1102, 1103))
    # The updates of the doubtful ones went again, alone.
    assert counts(ended) == {"applied": 6 - len(doubtful)} | ({"in_doubt": len(doubtful)} if doubtful else {})
    assert [line["lead"] for line in ended.json["in_doubt"]] == doubtful
    assert bench.sent[1:] == ([[f"update {lead}" for lead in doubtful]] if doubtful else [])


def test_one_refused_lead_among_others(bench: Bench) -> None:
    bench.faults({"match": {"nth": 1}, "fault": {"reject": {"message": "No", "leads": ["1102"]}}})
    ended = bench.send("first", *triggers(1101, 1102, 1103))
    assert (ended.code, counts(ended)) == (4, {"applied": 4, "rejected": 2})


def test_a_group_of_financials_that_is_refused_is_split_down_to_the_one_at_fault(bench: Bench) -> None:
    bench.configure(limits={"financials_per_request": 4})
    bench.faults(
        {"match": {"path": "*/leadfinancials"}, "fault": {"reject": {"message": "Not approved", "leads": ["1103"]}}}
    )
    ended = bench.send("first", *money(1101, 1102, 1103, 1104))
    assert (ended.code, counts(ended)) == (4, {"applied": 3, "rejected": 1})
    assert [line["lead"] for line in ended.json["rejected"]] == ["1103"]
    assert [len(sent) for sent in bench.sent] == [4, 2, 2, 1, 1]


def test_a_groups_success_is_noted_as_the_groups(bench: Bench) -> None:
    bench.configure(limits={"financials_per_request": 4})
    assert bench.send("first", *money(1101, 1102)).code == 0
    assert all("by group answer" in row["message"] for row in bench.history())


def test_a_warning_for_one_leads_financials_is_a_refusal(bench: Bench) -> None:
    bench.faults({"fault": {"effect": "none", "elements": ["status_warning"]}})
    ended = bench.send("first", *money(1101))
    assert (ended.code, counts(ended)) == (4, {"rejected": 1})
