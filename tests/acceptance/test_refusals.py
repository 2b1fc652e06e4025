"""A key that the service refuses, leads that fail under HTTP 200, a process that is killed."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Fault, FaultRule, Match, Sandbox, SandboxOptions, Script, Signal, parse_key
from tests.cli.console import SCRIPT, environment
from tests.workspace import Workspace

CHANGES = '- lead: "2932682"\n  update: {c1: a}\n- lead: "2932683"\n  financials: {payout: 1}'


@pytest.mark.parametrize(
    ("permissions", "applied", "words"),
    [("update,reprocess", 1, "permission"), ("financials", 1, "permission"), ("revoked", 0, "key")],
)
def test_the_services_own_words_end_the_run(tmp_path: Path, permissions: str, applied: int, words: str) -> None:
    (tmp_path / "repository").mkdir()
    options = SandboxOptions(state=tmp_path / "sandbox", any_lead=True, keys=[parse_key(f"some-key:{permissions}")])
    with Sandbox(options).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        workspace.api_key = "some-key"
        workspace.changeset("refused", CHANGES)
        workspace.plan()
        result = workspace.apply()
        assert result["exit"] == 4
        assert result["counts"]["applied"] <= applied
        assert result["counts"]["in_doubt"] == 0
        text = workspace.run("apply", "release.plan")
        assert text.code == 4
        assert words in (text.out + text.err).lower()
        assert "some-key" not in text.out + text.err
        assert len(workspace.effects) == result["counts"]["applied"]


@pytest.mark.parametrize("command", [["apply"], ["resolve", "--by", "ann", "--note", "done by hand", "--baseline"]])
def test_a_plan_of_an_account_that_is_not_configured_is_refused(workspace: Workspace, command: list[str]) -> None:
    workspace.changeset("moved", CHANGES)
    workspace.plan()
    path = workspace.root / "syncengine.yaml"
    path.write_text(path.read_text().replace("  acme:", "  other:"))
    ended = workspace.run(*command, "release.plan")
    assert ended.code == 3, ended.err
    assert "the plan is for account acme" in ended.err
    assert "accounts here: other" in ended.err
    assert workspace.requests == []


def test_leads_that_fail_under_200_are_rejected_one_by_one(workspace: Workspace, tmp_path: Path) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("id,state\n101,valid\n102,rejected\n103,approved\n", encoding="utf-8")
    with Sandbox(SandboxOptions(state=tmp_path / "strict", leads=leads)).start() as sandbox:
        strict = Workspace(workspace.root, sandbox)
        strict.changeset("mixed", '- leads: ["101", "102", "103", "104"]\n  update: {c1: a}\n  trigger: ["1053"]')
        strict.plan()
        result = strict.apply()
        assert result["exit"] == 4
        assert result["counts"] == {
            "applied": 4, "rejected": 4, "in_doubt": 0, "already_applied": 0, "not_sent": 0,
        }  # fmt: skip
        assert {line["lead"] for line in result["rejected"]} == {"102", "104"}
        assert all(line["message"] for line in result["rejected"])
        assert {effect["lead"] for effect in strict.effects} == {"101", "103"}
        again = strict.plan()
        assert again["operations"]["already_applied"] == 4
        assert again["operations"]["to_send"] == 4


MIXED = """\
- for_each: rows
  when: row.kind == 'update'
  lead: "{{ row.lead }}"
  update: {c1: "{{ row.value }}"}
- for_each: rows
  when: row.kind == 'trigger'
  lead: "{{ row.lead }}"
  update: {c1: "{{ row.value }}"}
  trigger: [northwind, contoso]
- for_each: rows
  when: row.kind == 'reprocess'
  lead: "{{ row.lead }}"
  action: reprocess
- for_each: rows
  when: row.kind == 'money'
  lead: "{{ row.lead }}"
  financials: {payout: "{{ row.value }}", revenue: 9.99}
"""


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox, limits=", concurrency: 3, settle: 0")
        kinds = ("update", "trigger", "reprocess", "money")
        rows = [f"{1000 + number},{kinds[number % 4]},{number}.50" for number in range(200)]
        workspace.write("data/rows.csv", "lead,kind,value\n" + "\n".join(rows) + "\n")
        workspace.changeset("mixed", MIXED, head="sources:\n  rows: {file: ../data/rows.csv}\n")
        yield workspace


@pytest.mark.parametrize("step", ["received", "before_effect", "after_effect", "answered"])
@pytest.mark.parametrize("nth", [3, 20])
def test_killed_in_mid_run_and_started_again(mixed: Workspace, step: str, nth: int) -> None:
    plan = mixed.plan()
    total = plan["operations"]["total"]
    assert total == 300
    pid_file = mixed.root / "pid"
    kill = Signal(at=step, send="KILL", pid_file=str(pid_file))
    mixed.sandbox.set_faults(Script(rules=[FaultRule(match=Match(nth=nth), fault=Fault(signal=kill))]))
    process = subprocess.Popen(
        [SCRIPT, "apply", "release.plan"],
        cwd=mixed.root,
        env=environment(LEADBYTE_API_KEY=mixed.api_key),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    pid_file.write_text(str(process.pid), encoding="ascii")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    assert mixed.sandbox.idle(30)
    mixed.sandbox.set_faults(None)
    result = mixed.apply()
    counts = result["counts"]
    assert sum(counts.values()) == total
    assert counts["rejected"] == counts["not_sent"] == 0
    assert result["exit"] == (5 if counts["in_doubt"] else 0)
    assert counts["in_doubt"] <= 3 * 10
    doubts = {(line["lead"], line["kind"]) for line in result["in_doubt"]}
    for number in range(200):
        lead = str(1000 + number)
        match number % 4:
            case 1:
                for delivery in ("1053", "1054"):
                    times = mixed.times("trigger", lead, delivery=delivery)
                    assert times == 1 or (times == 0 and (lead, "trigger") in doubts)
            case 2:
                times = mixed.times("reprocess", lead)
                assert times == 1 or (times == 0 and (lead, "reprocess") in doubts)
            case 3:
                assert mixed.times("financials", lead) >= 1
            case _:
                assert mixed.times("update", lead) >= 1
    assert mixed.run("status", "--format", "json").json["counts"]["in_doubt"] == counts["in_doubt"]


def test_resolving_a_doubt_both_ways(mixed: Workspace) -> None:
    mixed.changeset("mixed", '- leads: ["1", "2"]\n  trigger: [northwind]')
    mixed.plan()
    mixed.sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(effect="none", answer="reset"))]))
    result = mixed.apply()
    assert result["exit"] == 5
    assert result["counts"]["in_doubt"] == 2
    mixed.sandbox.set_faults(None)
    assert mixed.apply()["exit"] == 5
    assert mixed.effects == []
    first, second = sorted(result["in_doubt"], key=lambda line: line["lead"])
    said = mixed.run("resolve", first["operation"], "--as", "applied", "--by", "ann", "--note", "seen at the buyer")
    assert said.code == 0, said.err
    short = second["operation"][:8]
    said = mixed.run("resolve", short, "--as", "not-applied", "--by", "ann", "--note", "the buyer has nothing")
    assert said.code == 0, said.err
    again = mixed.apply()
    assert again["exit"] == 0
    assert again["counts"]["applied"] == 1
    assert [effect["lead"] for effect in mixed.effects] == ["2"]
    wrong = mixed.run("resolve", first["operation"], "--as", "applied", "--by", "ann", "--note", "twice")
    assert wrong.code == 1
    history = mixed.run("history", "--lead", "1", "--format", "json")
    assert "seen at the buyer" in history.out or "ann" in history.out


def test_a_baseline_counts_as_done_and_sends_nothing(workspace: Workspace) -> None:
    workspace.changeset("old", '- leads: ["1", "2"]\n  update: {c1: a}\n  trigger: [northwind]')
    workspace.plan()
    said = workspace.run("resolve", "--baseline", "release.plan", "--by", "ann", "--note", "done by hand in May")
    assert said.code == 0, said.err
    assert "4 operations" in said.out
    assert workspace.requests == []
    again = workspace.plan()
    assert again["operations"]["already_applied"] == 4
    assert workspace.apply()["counts"]["already_applied"] == 4
    workspace.changeset("new", '- lead: "1"\n  trigger: [northwind]')
    assert workspace.plan()["operations"]["blocked"] == 1
    assert workspace.run("ledger", "check").code == 0
    mixed = workspace.run("resolve", "12345678", "--baseline", "release.plan", "--by", "ann", "--note", "x")
    assert mixed.code == 1
