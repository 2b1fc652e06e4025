"""Values before from a dated export, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncengine.core.settings import Account
from syncengine.core.values import LeadId
from syncengine.planning.export import read_export
from tests.workspace import Workspace

OLD, LATER = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"

MONEY = """\
- lead: "101"
  financials: {payout: 90.00, revenue: 130.00, buyer: "33"}
"""
FIELDS = """\
- lead: "101"
  update: {postcode: TN25 6QD, firstname: Joseph}
"""


def export(workspace: Workspace, text: str, name: str = "export.csv") -> str:
    workspace.write(name, text)
    return name


def states(workspace: Workspace) -> list[tuple[str, list[str]]]:
    return [(line["state"], line["send"]) for line in workspace.operations()]


def test_an_equal_value_is_left_out_and_the_others_show_what_was_before(workspace: Workspace) -> None:
    workspace.changeset("fix", FIELDS)
    found = workspace.plan(
        "--observed", export(workspace, f"lead,observed_at,postcode,firstname\n101,{LATER},TN25 6QD,Joe\n")
    )
    assert found["operations"]["to_send"] == 1
    (line,) = workspace.operations()
    assert line["send"] == ["firstname"]
    assert line["before"]["firstname"] == {"origin": "observed", "value": "Joe", "by": "2099-01-01T00:00:00.000000Z"}


def test_all_equal_is_unchanged_with_the_reason(workspace: Workspace) -> None:
    workspace.changeset("fix", FIELDS)
    found = workspace.plan(
        "--observed", export(workspace, "lead,postcode,firstname\n101,TN25 6QD,Joseph\n"), "--observed-at", OLD
    )
    assert found["operations"]["unchanged"] == 1
    assert "observed" in workspace.operations()[0]["reason"]
    assert workspace.apply()["counts"]["already_applied"] == 1
    assert workspace.requests == []


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("90,130.0,33", ("unchanged", [])),
        ("90.00,120,33", ("to_send", ["revenue", "buyer"])),
        ("90,130,", ("to_send", ["payout", "revenue", "buyer"])),
        ("90,130,41", ("to_send", ["payout", "revenue", "buyer"])),
    ],
)
def test_amounts_are_compared_as_money_and_the_buyer_travels(
    workspace: Workspace, row: str, expected: tuple[str, list[str]]
) -> None:
    workspace.changeset("money", MONEY)
    workspace.plan("--observed", export(workspace, f"lead,payout,revenue,buyer\n101,{row}\n"), "--observed-at", OLD)
    assert states(workspace) == [expected]


def test_old_and_new_money_and_margin(workspace: Workspace) -> None:
    workspace.changeset("money", MONEY + '- lead: "102"\n  financials: {payout: 50.00, revenue: 60.00}\n')
    found = workspace.plan("--observed", export(workspace, "lead,payout,revenue\n101,80,120\n"), "--observed-at", OLD)
    assert found["money"] == {"payout": "140.00", "revenue": "190.00"}
    assert found["margin"] == "50.00"
    assert found["moved"] == {
        "payout": {"known": 1, "unknown": 1, "before": "80.00", "after": "90.00"},
        "revenue": {"known": 1, "unknown": 1, "before": "120.00", "after": "130.00"},
        "margin": {"known": 1, "unknown": 1, "before": "40.00", "after": "40.00"},
    }


def test_an_observation_not_younger_than_the_last_attempt_is_ignored_once_and_counted(workspace: Workspace) -> None:
    workspace.changeset("first", '- leads: ["101", "102"]\n  update: {postcode: AA1 1AA}\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    workspace.changeset("second", '- leads: ["101", "102"]\n  update: {postcode: BB1 1BB}\n')
    name = export(workspace, f"lead,observed_at,postcode\n101,{OLD},BB1 1BB\n102,{OLD},BB1 1BB\n")
    found = workspace.plan("--observed", name, "--changeset", "second")
    assert found["operations"]["to_send"] == 2
    (warning,) = [text for text in found["warnings"] if "export.csv" in text]
    assert warning.startswith("export.csv: 2 observed values are not younger")
    assert {line["before"]["postcode"]["origin"] for line in workspace.operations()} == {"ledger"}


def test_the_plan_covers_the_observed_file(workspace: Workspace) -> None:
    workspace.changeset("fix", FIELDS)
    one = workspace.plan("--observed", export(workspace, f"lead,observed_at,c2\n101,{OLD},x\n"))
    two = workspace.plan("--observed", export(workspace, f"lead,observed_at,c2\n101,{OLD},y\n"))
    again = workspace.plan("--observed", export(workspace, f"lead,observed_at,c2\n101,{OLD},x\n"))
    assert one["plan"] == again["plan"] != two["plan"]


def test_json_lines_with_numbers_and_nulls(workspace: Workspace) -> None:
    workspace.changeset("money", MONEY)
    row = {"lead": 101, "observed_at": LATER, "payout": None, "revenue": 130.0, "buyer": "33", "account": "acme"}
    workspace.plan("--observed", export(workspace, json.dumps(row) + "\n\n", "export.jsonl"))
    assert states(workspace) == [("to_send", ["payout", "buyer"])]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("e.csv", "", "the file is empty"),
        ("e.csv", "lead,postcode\n", "no rows"),
        ("e.csv", "id,postcode\n1,x\n", "no column 'lead'"),
        ("e.csv", "lead,postcode,postcode\n1,x,y\n", "twice"),
        ("e.csv", "lead,postcode\n101,x\n0101,y\n", "e.csv:3 row 2"),
        ("e.csv", "lead,postcode\n101,x\n101,y\n", "e.csv:3 row 2"),
        ("e.csv", "lead,postcode\n101\n", "row 1"),
        ("e.csv", "lead,account\n101,acme\n102,other\n", "e.csv:3 row 2: the row is of account 'other'"),
        ("e.csv", "lead,payout\n101,£80\n", "not a plain amount"),
        ("e.csv", "lead,observed_at\n101,yesterday\n", "not a time"),
        ("e.csv", "lead,observed_at\n101,2026-01-01T00:00:00\n", "not a time with its zone"),
        ("e.csv", 'lead,postcode\n101,"x\n', "e.csv"),
        ("e.csv", "lead,postcode\n101,x\0\n", "NUL"),
        ("e.jsonl", '{"lead": "101", "lead": "102"}\n', "is there twice"),
        ("e.jsonl", '{"lead": "101", "c1": ["x"]}\n', "is a list"),
        ("e.jsonl", "[]\n", "no JSON object"),
        ("missing.csv", None, "there is no such file"),
    ],
)
def test_a_wrong_file_is_refused_with_file_and_row(
    workspace: Workspace, name: str, text: str | None, expected: str
) -> None:
    workspace.changeset("fix", FIELDS)
    if text is not None:
        workspace.write(name, text)
    ended = workspace.run("plan", "changesets", "--out", "p.plan", "--observed", name, "--observed-at", OLD)
    assert ended.code == 1
    assert expected in ended.err
    assert not (workspace.root / "p.plan").exists()


def test_a_row_without_any_time_is_refused(workspace: Workspace) -> None:
    workspace.changeset("fix", FIELDS)
    ended = workspace.run("plan", "changesets", "--observed", export(workspace, "lead,postcode\n101,x\n"))
    assert (ended.code, "--observed-at TIME" in ended.err) == (1, True)
    ended = workspace.run("plan", "changesets", "--observed-at", OLD)
    assert (ended.code, "--observed FILE" in ended.err) == (1, True)


def test_expectations_are_held_against_what_was_observed(workspace: Workspace) -> None:
    workspace.changeset(
        "fix",
        '- lead: "101"\n  expect: {postcode: TN25 6QD}\n  update: {postcode: X}\n'
        '- lead: "102"\n  expect: {payout: 70}\n  financials: {payout: 90}\n'
        '- lead: "103"\n  expect: {payout: 75.5}\n  financials: {payout: 90}\n',
    )
    text = "lead,postcode,payout\n101,other,\n102,,80\n103,,75.50\n"
    found = workspace.plan("--observed", export(workspace, text), "--observed-at", OLD)
    assert [line["state"] for line in workspace.operations()] == ["blocked", "blocked", "to_send"]
    assert all("expect" in finding["reason"] for finding in found["blocked"])


def test_many_leads_stay_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    count = 30_000
    with path.open("w", encoding="utf-8") as file:
        file.write("lead,postcode\n")
        file.writelines(f"{number},P{number}\n" for number in range(1, count + 1))
        file.write(f"9999999999999999999,{'x' * 5000}\n")
    account = Account(name="acme", identity="acme", base_url="", host="loopback")
    with read_export(path, account, observed_at=OLD) as found:
        assert len(found) == count + 1
        for number in (1, 777, count):
            seen = found.get(LeadId(str(number)))
            assert seen is not None
            assert seen.values == {"postcode": f"P{number}"}
        big = found.get(LeadId("9999999999999999999"))
        assert big is not None
        assert big.values == {"postcode": "x" * 5000}
        assert found.get(LeadId(str(count + 1))) is None
