"""`drift` compares the last applied values with an export or with reads."""

from __future__ import annotations

import pytest

from tests.verify.test_verify import MIXED, applied, written_by_hand
from tests.workspace import Workspace

LATER = "2099-01-01T00:00:00Z"


def states(result: object) -> dict[tuple[str, str], str]:
    assert isinstance(result, dict)
    return {(line["lead"], line["field"]): line["state"] for line in result["fields"]}


def test_against_an_export(workspace: Workspace) -> None:
    run = applied(workspace)
    workspace.write("export.csv", "lead,postcode,payout,revenue\n2932682,M1 1AE,,\n2932683,X,80.00,120\n2932999,Z,,\n")
    ended = workspace.run("drift", "--observed", "export.csv", "--observed-at", LATER, "--format", "json")
    assert ended.code == 4, ended.err
    assert ended.json["counts"] == {"same": 2, "different": 1, "unknown": 2}
    assert states(ended.json) == {
        ("2932682", "postcode"): "different",
        ("2932682", "c1"): "unknown",
        ("2932683", "payout"): "same",
        ("2932683", "revenue"): "same",
        ("2932683", "buyer"): "unknown",
    }
    (first,) = (line for line in ended.json["fields"] if line["field"] == "postcode")
    assert (first["changeset"], first["run"], first["now"]) == ("repair", run, "M•••••")


def test_against_reads(workspace: Workspace) -> None:
    applied(workspace)
    ended = workspace.run("drift", "--format", "json")
    assert ended.code == 0, ended.err
    assert set(states(ended.json).values()) == {"same"}
    written_by_hand(workspace, {"leads": [{"id": "2932682", "update": {"c1": "paid"}}]})
    ended = workspace.run("drift", "--show-values")
    assert ended.code == 4
    (line,) = (line for line in ended.out.splitlines() if line.startswith("different  lead"))
    assert "c1  applied (kept as a digest), now paid  [last written by repair, run " in line
    assert "postcode" not in ended.out
    assert "postcode" in workspace.run("drift", "--all").out


def test_an_export_that_is_older_than_the_last_write_proves_nothing(workspace: Workspace) -> None:
    applied(workspace)
    workspace.write("export.csv", "lead,postcode\n2932682,OLD\n")
    ended = workspace.run(
        "drift", "--observed", "export.csv", "--observed-at", "2020-01-01T00:00:00Z", "--format", "json"
    )
    assert ended.code == 0
    reasons = {line["reason"] for line in ended.json["fields"] if line["field"] == "postcode"}
    assert reasons == {"the export is not younger than the last write; look again later"}


def test_each_field_stands_once_with_its_last_writer(workspace: Workspace) -> None:
    applied(workspace, '- lead: "2932682"\n  update: {postcode: A1, c1: x}', name="first")
    applied(workspace, '- lead: "2932682"\n  update: {postcode: B2}', name="second")
    ended = workspace.run("drift", "--format", "json")
    assert {(line["field"], line["changeset"], line["state"]) for line in ended.json["fields"]} == {
        ("c1", "first", "same"),
        ("postcode", "second", "same"),
    }
    assert len(ended.json["fields"]) == 2
    only = workspace.run("drift", "--changeset", "second", "--format", "json").json["fields"]
    assert [line["field"] for line in only] == ["postcode"]
    assert workspace.run("drift", "--lead", "1", "--format", "json").json["fields"] == []


def test_without_reads_or_export_it_says_how(workspace: Workspace) -> None:
    applied(workspace)
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("leads: true", "leads: false"), encoding="utf-8")
    ended = workspace.run("drift", "--format", "json")
    assert ended.code == 1
    assert ended.json["error"]["code"] == "SE520"
    assert "--observed FILE" in ended.json["error"]["hint"]


def test_without_the_ledgers_key_nothing_is_called_different(workspace: Workspace) -> None:
    applied(workspace)
    (workspace.root / ".syncengine" / "ledger.key").unlink()
    ended = workspace.run("drift", "--format", "json")
    assert ended.code == 0
    kinds = {line["field"]: line["state"] for line in ended.json["fields"]}
    assert kinds == {"postcode": "unknown", "c1": "unknown", "payout": "same", "revenue": "same", "buyer": "same"}


@pytest.mark.parametrize("verb", [["drift"], ["verify", "any"]])
def test_without_a_ledger(verb: list[str], workspace: Workspace) -> None:
    ended = workspace.run(*verb)
    assert ended.code == 1
    assert "there is no ledger at" in ended.err


def test_leads_are_read_once(workspace: Workspace) -> None:
    applied(workspace, MIXED)
    before = len(workspace.sandbox.requests_log.read_text(encoding="utf-8").splitlines())
    assert workspace.run("drift").code == 0
    assert len(workspace.sandbox.requests_log.read_text(encoding="utf-8").splitlines()) == before + 2


def test_leads_in_quarantine_are_found_in_an_export_by_their_name(workspace: Workspace) -> None:
    workspace.changeset("held", '- quarantined: "7"\n  update: {c1: a}\n- quarantined: "8"\n  update: {c1: a}')
    workspace.plan("--offline")
    assert workspace.apply()["exit"] == 0
    rows = "lead,observed_at,c1\nquarantined:7,2099-01-01T00:00:00Z,a\nquarantined:8,2099-01-01T00:00:00Z,b\n"
    workspace.write("seen.csv", rows)
    ended = workspace.run("drift", "--observed", "seen.csv", "--format", "json")
    assert ended.code == 4
    assert {each["lead"]: each["state"] for each in ended.json["fields"]} == {
        "quarantined:7": "same",
        "quarantined:8": "different",
    }
