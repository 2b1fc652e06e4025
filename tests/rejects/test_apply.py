"""`apply --rejects`: refused before anything is sent, written after the run, and no change of its result."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

import pytest

from tests.cli.console import SCRIPT, environment
from tests.lookup.service import Reply, Search, Service
from tests.rejects.conftest import LOST, REFUSED, Rows
from tests.rejects.test_rejects import CALLS, HEAD, MESSAGE, UPDATE, calls, outcomes
from tests.small_disk import files_no_larger_than


def test_the_result_names_the_tables(rows: Rows) -> None:
    calls(rows)
    rows.refuse("102")
    rows.plan()
    ended = rows.run("apply", "release.plan", "--rejects", "rejected.csv")
    assert ended.code == 4
    assert ended.out.endswith("rejected.csv: 1 row to correct (1 rejected)\n")
    assert outcomes(rows) == [("102", "rejected")]
    again = rows.run("apply", "release.plan", "--rejects", "rejected.csv", "--format", "json")
    assert (again.code, again.json["rejects"]) == (
        4,
        {
            "tables": [
                {"changeset": "week-47", "source": "calls", "file": "rejected.csv", "rejected": 1, "not_sent": 0,
                 "partly_file": None, "partly": 0}
            ],
            "without_source": 0,
        },
    )  # fmt: skip


def test_a_run_that_stopped_early_gives_back_what_it_did_not_send(rows: Rows) -> None:
    calls(rows)
    rows.trouble({"match": {"nth": 2}, "fault": {"answer": {"status": 401}, "effect": "none"}})
    rows.applied("--rejects", "rejected.csv")
    assert outcomes(rows) == [("102", "not_sent"), ("103", "not_sent")]
    assert all(row["syncengine_message"] for row in rows.rows())
    rows.applied("--rejects", "rejected.csv", code=0)
    assert rows.names() == ["rejected.csv.1"]  # nothing is left to correct


def test_corrections_in_a_file_of_the_same_name_are_kept(rows: Rows) -> None:
    calls(rows)
    rows.refuse("102")
    rows.applied("--rejects", "rejected.csv")
    corrected = rows.text("rejected.csv").replace("M1", "M1 1AE")
    for number in (1, 2):
        rows.write("rejected.csv", corrected)
        ended = rows.run("apply", "release.plan", "--rejects", "rejected.csv")
        assert f"it is now rejected.csv.{number}" in ended.err
    assert (rows.text("rejected.csv.1"), rows.text("rejected.csv.2")) == (corrected, corrected)
    assert outcomes(rows) == [("102", "rejected")]


def test_changesets_are_planned_applied_and_given_back(rows: Rows) -> None:
    calls(rows)
    rows.refuse("102", fault=LOST)
    ended = rows.run("apply", "changesets", "--yes", "--rejects", "rejected.csv")
    assert ended.code == 5
    assert outcomes(rows, "rejected.csv.partly") == [("102", "in_doubt")]


@pytest.mark.parametrize(
    ("out", "code", "said"),
    [
        ("data/calls.csv", 1, "SE901"),
        ("notes.csv", 1, "SE901"),
        ("changesets", 1, "SE901"),
        ("no/folder.csv", 1, "SE902"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_sending(rows: Rows, out: str, code: int, said: str) -> None:
    calls(rows)
    rows.write("notes.csv", "mine\n")
    rows.plan()
    ended = rows.run("apply", "release.plan", "--rejects", out)
    assert (ended.code, rows.requests) == (code, [])
    assert said in ended.err
    assert (rows.text("data/calls.csv"), rows.text("notes.csv")) == (CALLS, "mine\n")


def test_a_corrected_table_that_is_the_source_is_never_replaced(rows: Rows) -> None:
    calls(rows, text="lead_id,postcode,syncengine_outcome,syncengine_message\n102,M1,rejected,x\n")
    text = rows.text("data/calls.csv")
    rows.plan()
    ended = rows.run("apply", "release.plan", "--rejects", "data/calls.csv")
    assert (ended.code, rows.requests, rows.text("data/calls.csv")) == (1, [], text)
    assert "is a source of the plan" in ended.err


def test_a_source_that_changed_is_refused_before_sending(rows: Rows) -> None:
    calls(rows)
    rows.plan()
    rows.write("data/calls.csv", CALLS.replace("M1", "M2"))
    ended = rows.run("apply", "release.plan", "--rejects", "rejected.csv")
    assert (ended.code, rows.requests) == (3, [])
    assert "SE680" in ended.err
    assert rows.run("apply", "release.plan").code == 0


def test_a_full_disk_after_the_run_is_a_warning(rows: Rows) -> None:
    calls(rows, text=CALLS + "".join(f"{n},{'x' * 2000},1\n" for n in range(200, 500)))
    rows.trouble({"match": {"nth": 2}, "fault": {"answer": {"status": 401}, "effect": "none"}})
    rows.plan()
    with files_no_larger_than(400_000):
        ended = rows.run("apply", "release.plan", "--rejects", "rejected.csv", "--format", "json")
    assert (ended.code, ended.json["counts"]["not_sent"], ended.json["rejects"]) == (4, 302, None)
    run = ended.json["run"]
    assert f"syncengine rejects {run} --out FILE" in ended.err
    assert rows.names() == []
    rows.rejects(run)
    assert len(rows.rows()) == 302


class _Held:
    """Applies the first lead, and holds its answer back until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.service: Service

    def __call__(self, _: list[Search], number: int) -> Reply:
        leads: list[dict[str, Any]] = self.service.bodies[number - 1]["leads"]
        self.reached.set()
        self.go_on.wait(30)
        answers = [{"id": lead["id"], "success": False, "message": MESSAGE} for lead in leads]
        return Reply({"status": "Success", "message": "OK", "leads": answers})


def test_a_source_that_changes_during_the_run_is_a_warning_and_a_live_run_waits(rows: Rows) -> None:
    held = _Held()
    with Service(held) as service:
        held.service = service
        rows.write("syncengine.yaml", rows.text("syncengine.yaml").replace(rows.sandbox.url, service.url))
        calls(rows)
        rows.plan()
        command = [SCRIPT, "apply", "release.plan", "--rejects", "rejected.csv", "--format", "json"]
        with subprocess.Popen(
            command, cwd=rows.root, env=environment(LEADBYTE_API_KEY=rows.api_key), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as started:  # fmt: skip
            assert held.reached.wait(30)
            run = json.loads(rows.run("status", "--format", "json").out)["unfinished_plans"][0]["run"]
            assert "SE683" in rows.rejects(run, "early.csv", code=3).err
            rows.write("data/calls.csv", CALLS.replace("M1", "M2"))
            held.go_on.set()
            out, err = started.communicate(timeout=60)
        assert (started.returncode, json.loads(out)["rejects"]) == (4, None)
        assert "the rejected rows were not written" in err
        assert rows.names() == []
        rows.write("data/calls.csv", CALLS)
        rows.rejects(run)
        assert len(rows.rows()) == 3


def test_a_folder_of_plans_gives_back_rows_of_the_plans_that_it_applied(rows: Rows) -> None:
    for name in ("a", "b", "c"):
        rows.write(f"data/{name}.csv", CALLS.replace("10", {"a": "10", "b": "20", "c": "30"}[name]))
        rows.changeset(f"week-{name}", UPDATE, head=f"sources: {{calls: {{file: ../data/{name}.csv}}}}\n")
    assert rows.run("plan", "changesets", "--each", "plans").code == 0
    rows.trouble(
        *({"match": {"lead": lead}, "fault": REFUSED} for lead in ("102", "202")),
        {"match": {"lead": "302"}, "fault": {"answer": {"status": 401}, "effect": "none"}},
    )
    ended = rows.run("apply", "plans", "--rejects", "rejects", "--format", "json")
    assert ended.code == 4, ended
    assert [table["rejected"] for table in ended.json["rejects"]["tables"]] == [1, 1, 0]
    assert outcomes(rows, "rejects/week-a.calls.csv") == [("102", "rejected")]
    assert outcomes(rows, "rejects/week-b.calls.csv") == [("202", "rejected")]
    assert outcomes(rows, "rejects/week-c.calls.csv") == [("302", "not_sent"), ("303", "not_sent")]
    rows.trouble()
    again = rows.run("apply", "plans", "--rejects", "rejects")
    assert (again.code, rows.names()) == (0, ["plans", "rejects.1"])


def test_a_plan_of_a_folder_that_cannot_be_read_is_refused_by_apply_itself(rows: Rows) -> None:
    calls(rows)
    rows.run("plan", "changesets", "--each", "plans")
    rows.write("plans/week-47.plan", "damaged")
    ended = rows.run("apply", "plans", "--rejects", "rejected.csv", "--format", "json")
    assert (ended.code, rows.requests, rows.names()) == (3, [], ["plans"])


def test_a_lead_that_an_earlier_plan_of_the_folder_stopped_says_so(rows: Rows) -> None:
    rows.changeset("first", '- {lead: "7", update: {c1: x}}')
    rows.applied(code=0)  # from here on there is a ledger
    rows.write("data/calls.csv", CALLS)
    for name, field in (("a", "postcode"), ("b", "c1")):
        rows.changeset(f"week-{name}", UPDATE.replace("{postcode:", f"{{{field}:"), head=HEAD)
    assert rows.run("plan", "changesets", "--each", "plans").code == 0
    rows.refuse("102")
    assert rows.run("apply", "plans", "--rejects", "rejects").code == 4
    [row] = rows.rows("rejects/week-b.calls.csv")
    assert row["syncengine_outcome"] == "not_sent"
    assert row["syncengine_message"] == "an earlier operation of this lead is rejected"
