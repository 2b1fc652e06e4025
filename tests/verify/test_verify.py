"""`verify` reads back what was applied, and tells verified from different from unreadable."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Fault, FaultRule, Match, PartialEffect, Sandbox, SandboxOptions, Script
from syncengine.sandbox.keys import parse_key
from tests.verify.conftest import allow_reads
from tests.workspace import Workspace

MIXED = """
- lead: "2932682"
  update: {postcode: TN25 6QD, c1: organic}
  trigger: ["1053"]
- lead: "2932683"
  financials: {payout: 80.00, revenue: 120.00, buyer: "33"}
"""


def applied(workspace: Workspace, changes: str = MIXED, name: str = "repair") -> str:
    workspace.changeset(name, changes)
    workspace.plan("--offline")
    result = workspace.apply()
    assert result["exit"] == 0
    return str(result["run"])


def written_by_hand(workspace: Workspace, body: dict[str, Any], path: str = "leads") -> None:
    """Somebody else changes a lead."""
    request = urllib.request.Request(
        f"{workspace.sandbox.url}/restapi/v1.3/{path}",
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"X_KEY": workspace.api_key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def marks(result: dict[str, Any]) -> dict[str, str]:
    return {f"{each['kind']} {each['lead']}": each["mark"] for each in result["operations"]}


@pytest.mark.parametrize("subject", ["run", "plan"])
def test_what_stands_as_it_was_applied_is_verified(subject: str, workspace: Workspace) -> None:
    run = applied(workspace)
    ended = workspace.run("verify", run if subject == "run" else "release.plan", "--format", "json")
    assert ended.code == 0, ended.err
    assert ended.json["counts"] == {"verified": 2, "different": 0, "unreadable": 1}
    assert marks(ended.json) == {
        "update 2932682": "verified",
        "trigger 2932682": "unreadable",
        "financials 2932683": "verified",
    }
    told = {each["kind"]: each["reason"] for each in ended.json["operations"]}
    assert told["trigger"] == "a trigger cannot be read back"


def test_what_somebody_changed_since_is_different(workspace: Workspace) -> None:
    run = applied(workspace)
    written_by_hand(workspace, {"leads": [{"id": "2932682", "update": {"postcode": "M1 1AE"}}]})
    ended = workspace.run("verify", run, "--polls", "1", "--interval", "0", "--format", "json")
    assert ended.code == 4
    assert ended.json["counts"] == {"verified": 1, "different": 1, "unreadable": 1}
    (wrong,) = (each for each in ended.json["operations"] if each["mark"] == "different")
    states = {value["name"]: (value["state"], value["applied"], value["now"]) for value in wrong["values"]}
    assert states == {"postcode": ("different", None, "M•••••"), "c1": ("same", None, "o••••ic")}
    text = workspace.run("verify", run, "--polls", "0", "--show-values")
    assert text.code == 4
    assert "postcode: applied (kept as a digest), now M1 1AE" in text.out


def test_amounts_are_compared_exactly(workspace: Workspace) -> None:
    run = applied(workspace)
    written_by_hand(
        workspace, {"key": workspace.api_key, "leads": [2932683], "newPayout": 80.01}, path="leadfinancials"
    )
    ended = workspace.run("verify", run, "--polls", "0", "--format", "json")
    assert ended.code == 4
    (wrong,) = (each for each in ended.json["operations"] if each["mark"] == "different")
    assert [(v["name"], v["applied"], v["now"]) for v in wrong["values"] if v["state"] == "different"] == [
        ("payout", "80.00", "80.01")
    ]


def test_what_a_later_run_overwrote_cannot_be_told_any_more(workspace: Workspace) -> None:
    run = applied(workspace, '- lead: "2932682"\n  update: {postcode: A1}', name="first")
    later = applied(workspace, '- lead: "2932682"\n  update: {postcode: B2}', name="second")
    reads = len(all_requests(workspace))
    ended = workspace.run("verify", run, "--format", "json")
    assert ended.code == 0
    (only,) = ended.json["operations"]
    assert only["mark"] == "unreadable"
    assert only["reason"] == f"overwritten since by changeset second in run {later}"
    assert len(all_requests(workspace)) == reads
    assert workspace.run("verify", later, "--format", "json").json["counts"]["verified"] == 1


def all_requests(workspace: Workspace) -> list[str]:
    return workspace.sandbox.requests_log.read_text(encoding="utf-8").splitlines()


def test_a_late_effect_is_found_by_asking_again(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    script = Script(rules=[FaultRule(match=Match(method="PUT", nth=2), fault=Fault(effect=PartialEffect(late=1.0)))])
    with Sandbox(SandboxOptions(state=tmp_path / "s", any_lead=True, faults=script)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox, limits=", settle: 0")
        allow_reads(workspace)
        applied(workspace, '- lead: "2932682"\n  update: {postcode: OLD}', name="first")
        run = applied(workspace, '- lead: "2932682"\n  update: {postcode: NEW}', name="second")
        ended = workspace.run("verify", run, "--polls", "100", "--interval", "0.1", "--format", "json")
        assert ended.code == 0, ended.err
        assert ended.json["counts"]["verified"] == 1
        assert "1 differ; reading them again" in ended.err


def test_reads_that_are_not_allowed_are_refused_with_the_way_out(workspace: Workspace) -> None:
    run = applied(workspace)
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("leads: true", "leads: false"), encoding="utf-8")
    ended = workspace.run("verify", run)
    assert (ended.code, ended.out) == (1, "")
    assert "does not allow reading leads" in ended.err
    assert "reads: {leads: true}" in ended.err


def test_a_key_without_the_permission_ends_in_an_error(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    keys = [parse_key("writer:update,financials")]
    with Sandbox(SandboxOptions(state=tmp_path / "s", any_lead=True, keys=keys)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox, limits=", settle: 0")
        allow_reads(workspace)
        run = applied(workspace, '- lead: "2932682"\n  update: {postcode: A1}')
        ended = workspace.run("verify", run, "--format", "json")
        assert ended.code == 1
        assert ended.json["counts"]["unreadable"] == 1
        assert "does not let this key read leads (HTTP 403)" in ended.err
        assert "writer" not in ended.out + ended.err


def test_the_deadline_is_kept(tmp_path: Path, workspace: Workspace) -> None:
    run = applied(workspace)
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("settle: 0", "settle: 3600"), encoding="utf-8")
    before = len(all_requests(workspace))
    ended = workspace.run("verify", run, "--deadline", "1", "--format", "json")
    assert ended.code == 1
    assert ended.json["counts"] == {"verified": 0, "different": 0, "unreadable": 3}
    assert "the deadline passed before it could be read" in ended.json["operations"][0]["reason"]
    assert "--deadline" in ended.err
    assert len(all_requests(workspace)) == before


def test_what_was_done_in_quarantine_cannot_be_read_back_and_that_is_no_error(workspace: Workspace) -> None:
    run = applied(
        workspace, '- quarantined: "7"\n  update: {c1: a}\n  action: release\n- quarantined: "8"\n  action: reject'
    )
    before = len(all_requests(workspace))
    ended = workspace.run("verify", run, "--format", "json")
    assert (ended.code, ended.json["counts"]) == (0, {"verified": 0, "different": 0, "unreadable": 3})
    assert {each["kind"]: each["reason"] for each in ended.json["operations"]} == {
        "update": "it is no lead that the service shows by its id",
        "release": "a release cannot be read back",
        "reject": "a rejection cannot be read back",
    }
    assert len(all_requests(workspace)) == before


def test_what_is_neither_run_nor_plan_is_an_error(workspace: Workspace) -> None:
    ended = workspace.run("verify", "nothing")
    assert ended.code == 1
    applied(workspace)
    ended = workspace.run("verify", "nothing")
    assert ended.code == 1
    assert "no run 'nothing' on record" in ended.err


def test_a_plan_that_was_never_applied_is_an_error(workspace: Workspace) -> None:
    applied(workspace)
    workspace.changeset("another", '- lead: "9"\n  update: {c1: x}')
    workspace.plan("--offline", out="other.plan")
    ended = workspace.run("verify", "other.plan")
    assert ended.code == 1
    assert "was never applied" in ended.err


def test_nothing_is_written_to_the_ledger(workspace: Workspace) -> None:
    run = applied(workspace)
    ledger = workspace.root / ".syncengine" / "ledger.db"
    before = ledger.read_bytes()
    assert workspace.run("verify", run).code == 0
    assert ledger.read_bytes() == before
