"""What CI says about who approved is recorded with the run and shown as a claim; it is never an approval."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

from .repository import git, make_key, public

CLAIM = "anna, https://github.example/acme/leads/actions/runs/17"
SAID = f"claimed by CI: {CLAIM}"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Sandbox(SandboxOptions(any_lead=True, state=tmp_path / "service")).start() as sandbox:
        made = Workspace(tmp_path / "repository", sandbox)
        made.changeset("repair", '- lead: "2932682"\n  update: {c1: checked}\n  trigger: ["1053"]\n')
        yield made


def test_every_view_of_a_run_shows_the_claim(workspace: Workspace) -> None:
    workspace.plan()
    applied = workspace.run("apply", "release.plan", "--claimed-approval", CLAIM, "--format", "json")
    assert (applied.code, applied.json["claimed_by_ci"]) == (0, CLAIM)
    run = applied.json["run"]
    assert SAID in workspace.run("status", "--run", run, COLUMNS="200").out
    assert workspace.run("status", "--run", run, "--format", "json").json["claimed_by_ci"] == CLAIM
    rows = [json.loads(line) for line in workspace.run("history", "--format", "json").out.splitlines()]
    assert [SAID in row["note"] for row in rows] == [True, True]
    assert SAID in workspace.run("history", COLUMNS="200").out
    assert SAID in workspace.run("history", "--format", "csv").out
    explained = workspace.run("explain", rows[0]["operation"])
    assert SAID in explained.out
    (attempt,) = workspace.run("explain", rows[0]["operation"], "--format", "json").json["attempts"]
    assert (attempt["claimed_by_ci"], attempt["approvals"]) == (CLAIM, [])


def test_runs_without_a_claim_show_none(workspace: Workspace) -> None:
    workspace.plan()
    applied = workspace.run("apply", "release.plan", "--format", "json")
    assert (applied.code, applied.json["claimed_by_ci"]) == (0, "")
    shown = workspace.run("history").out + workspace.run("status", "--run", applied.json["run"]).out
    assert "claimed" not in shown


def test_claim_is_covered_by_the_hash_of_the_run(workspace: Workspace) -> None:
    workspace.plan()
    assert workspace.run("apply", "release.plan", "--claimed-approval", CLAIM).code == 0
    assert workspace.run("ledger", "check").code == 0
    with sqlite3.connect(workspace.root / ".syncengine" / "ledger.db") as connection:
        connection.execute("UPDATE runs SET claimed = 'mallory'")
    connection.close()
    ended = workspace.run("ledger", "check", "--format", "json")
    assert (ended.code, ended.json["sound"]) == (1, False)


def test_claim_is_no_approval(workspace: Workspace) -> None:
    configuration = workspace.root / "syncengine.yaml"
    (workspace.root / "signers").write_text(f"anna@example.com {public(make_key(workspace.root.parent, 'anna'))}\n")
    configuration.write_text(
        configuration.read_text() + "policy: {approvals: {required: 1, allowed_signers: signers}}\n"
    )
    (workspace.root / ".gitignore").write_text("*.plan*\n.syncengine/\n")
    git(workspace.root, "init", "-q")
    git(workspace.root, "add", "-A")
    git(workspace.root, "commit", "-q", "-m", "x")
    workspace.plan()
    refused = workspace.run("apply", "release.plan", "--claimed-approval", "anna@example.com", "--format", "json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE640")
    assert not workspace.sandbox.effects_log.exists() or workspace.sandbox.effects_log.read_text() == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("  \u200b", "is empty"),
        ("a" * 1001, "1,001 characters, more than 1,000"),
        ("anna\nmallory", "control character, U+000A as character 5"),
        ("\x1b[2Janna", "U+001B as character 1"),
        ("anna\x9b31m", "U+009B as character 5"),
        ("anna\u2028bob", "U+2028 as character 5"),
        ("anna\udcff", "U+DCFF as character 5"),
    ],
)
def test_claim_is_one_short_line_of_text(workspace: Workspace, text: str, words: str) -> None:
    workspace.plan()
    ended = workspace.run("apply", "release.plan", "--claimed-approval", text, "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE676")
    assert words in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]
    assert "Nothing on record matches." in workspace.run("history").out


def test_longest_claim_in_any_script_is_kept(workspace: Workspace) -> None:
    claim = "Ánna Łukasz 安娜 ".ljust(1000, "x")
    workspace.plan()
    applied = workspace.run("apply", "release.plan", "--claimed-approval", claim, "--format", "json")
    assert (applied.code, applied.json["claimed_by_ci"]) == (0, claim)


def test_folder_of_plans_records_the_claim_with_each_run(workspace: Workspace) -> None:
    workspace.changeset("second", '- lead: "2932683"\n  update: {c1: checked}\n')
    assert workspace.run("plan", "changesets", "--each", "plans").code == 0
    applied = workspace.run("apply", "plans", "--claimed-approval", CLAIM, "--format", "json")
    assert applied.code == 0, applied.err
    assert [plan["claimed_by_ci"] for plan in applied.json["plans"]] == [CLAIM, CLAIM]
