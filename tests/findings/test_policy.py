"""What a policy makes of findings: rules that block, also plans written by hand, and rules that are silenced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.core.finding import RULES
from syncengine.findings.descriptions import DESCRIPTIONS
from syncengine.sandbox import Sandbox, SandboxOptions
from tests.fuzz import forging
from tests.workspace import Workspace

LOSS = '- lead: "101"\n  financials: {payout: 90.00, revenue: 80.00}\n- lead: "102"\n  update: {c1: x}\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def policy(workspace: Workspace, text: str) -> None:
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().partition("policy:")[0] + text)


def test_a_rule_that_blocks_blocks_the_whole_plan(workspace: Workspace) -> None:
    policy(workspace, "policy:\n  findings: {negative-margin: block}\n")
    workspace.changeset("loss", LOSS)
    found = workspace.plan()
    assert found["verdict"] == "blocked"
    assert found["operations"]["blocked"] == 0
    assert found["operations"]["to_send"] == 2
    (blocker,) = found["blocked"]
    assert (blocker["operation"], blocker["lead"], blocker["kind"]) == (None, None, None)
    assert blocker["reason"].startswith("findings: negative-margin: 1 operation of change #1 of loss")
    assert "syncengine.yaml:" in blocker["reason"]
    assert workspace.run("plan", "changesets", "--out", "release.plan").code == 3
    assert workspace.run("apply", "release.plan").code == 3
    assert workspace.effects == []


def test_a_plan_written_by_hand_is_judged_again_at_apply(workspace: Workspace) -> None:
    policy(workspace, "policy:\n  findings: {negative-margin: block}\n")
    workspace.changeset("loss", LOSS)
    workspace.plan()
    path = workspace.root / "release.plan"
    first, *operations, last = (json.loads(line) for line in path.read_text().splitlines())
    last["covered"]["blocked"] = []
    content: Any = {key: first[key] for key in ("header", "provenance")} | {"operations": operations} | last
    path.write_bytes(forging.saved(content))
    ended = workspace.run("apply", "release.plan", "--format", "json")
    assert ended.code == 3
    assert ended.json["error"]["code"] == "SE631"
    assert "negative-margin" in ended.json["error"]["message"]
    assert workspace.effects == []


def test_a_rule_that_is_ignored_is_one_line(workspace: Workspace) -> None:
    policy(workspace, "policy:\n  findings: {negative-margin: ignore}\n")
    workspace.changeset("loss", LOSS)
    found = workspace.plan()
    (told,) = found["findings"]
    assert (told["rule"], told["severity"], told["count"]) == ("negative-margin", "info", 1)
    assert "ignored by the policy (syncengine.yaml:" in told["message"]
    assert found["verdict"] == "clear"
    assert workspace.apply()["exit"] == 0


def test_a_forged_plan_whose_findings_were_removed_still_shows_those_of_its_lines(workspace: Workspace) -> None:
    workspace.changeset("loss", LOSS)
    planned = workspace.plan()
    path = workspace.root / "release.plan"
    first, *operations, last = (json.loads(line) for line in path.read_text().splitlines())
    last["covered"]["findings"] = []
    last["beside"] = {}
    path.write_bytes(forging.saved({"header": first["header"], "provenance": first["provenance"],
                                    "operations": operations} | last))  # fmt: skip
    shown: Any = workspace.run("show", "release.plan", "--format", "json").json
    assert shown["findings"] == planned["findings"]
    assert shown["verdict"] == "attention"


@pytest.mark.parametrize(
    ("rule", "words"),
    [("negative-magin", "negative-margin"), ("unknown-target", "cannot block"), ("last-run", "cannot block")],
)
def test_rules_that_are_not_there_or_cannot_block_are_refused(workspace: Workspace, rule: str, words: str) -> None:
    policy(workspace, f"policy:\n  findings: {{{rule}: block}}\n")
    workspace.changeset("loss", LOSS)
    ended = workspace.run("validate", "changesets", "--format", "json")
    assert ended.code == 1
    (problem,) = ended.json["diagnostics"]
    assert problem["code"] == "SE560"
    assert words in problem["message"] + problem["hint"]


def test_every_rule_is_described_once() -> None:
    assert [about.name for about in DESCRIPTIONS] == list(RULES)


def test_recorded_rules_may_be_ignored(workspace: Workspace) -> None:
    policy(workspace, "policy:\n  findings: {last-run: ignore, undeclared: ignore}\n")
    workspace.changeset("loss", LOSS)
    assert workspace.run("validate", "changesets").code == 0
