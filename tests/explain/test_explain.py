"""One operation's story, from its line to what the service said."""

from __future__ import annotations

from syncengine.sandbox import Fault, FaultRule, Script
from tests.workspace import Workspace

CHANGES = """\
- id: literal
  leads: ["101", "102"]
  update:
    postcode: TN25 6QD
    c1: "{{ vars.campaign }}"
  expect: {firstname: Josephine}
- lead: "103"
  trigger: [northwind]
"""
HEAD = "vars: {campaign: autumn}\n"


def ids(workspace: Workspace) -> dict[str, str]:
    return {line["operation"]["lead"]: line["id"] for line in workspace.operations()}


def test_an_operation_that_was_applied(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    run = workspace.apply()["run"]
    operation = ids(workspace)["102"]

    found = workspace.run("explain", operation[:8], "--format", "json").json
    assert (found["operation"], found["outcome"], found["lead"]) == (operation, "applied", "102")
    assert (found["declared"]["file"], found["declared"]["change"]) == ("changesets/fix.yaml", "literal")
    assert found["plans"][0]["state"] == "to_send"
    (attempt,) = found["attempts"]
    assert (attempt["run"], attempt["outcome"], attempt["sent"]) == (run, "applied", ["postcode", "c1"])
    assert attempt["answer"]["message"] == "Lead updated"

    told = workspace.run("explain", operation).out
    assert f"Declared at changesets/fix.yaml:{found['declared']['line']}, change literal of fix" in told
    assert "update.c1: {{ vars.campaign }}" in told
    assert "Lead updated" in told


def test_no_personal_value_unasked(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    workspace.apply()
    operation = ids(workspace)["101"]
    for form in ("text", "json"):
        told = workspace.run("explain", operation, "--format", form).out
        assert "TN25 6QD" not in told
        assert "Josephine" not in told
    told = workspace.run("explain", operation, "--show-values").out
    assert "update.postcode: TN25 6QD" in told
    assert "Josephine" in told


def test_a_doubt_its_resolution_and_the_repeat(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    workspace.sandbox.set_faults(Script(rules=[FaultRule(fault=Fault(effect="none", answer="reset"))]))
    assert workspace.apply()["exit"] == 5
    workspace.sandbox.set_faults(None)
    operation = ids(workspace)["103"]
    told = workspace.run("explain", operation).out
    assert "outcome: in_doubt" in told
    ended = workspace.run("resolve", operation, "--as", "not-applied", "--by", "ann", "--note", "buyer saw nothing")
    assert ended.code == 0, ended.err
    assert workspace.apply()["exit"] == 0
    found = workspace.run("explain", operation, "--format", "json").json
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["not_sent", "applied"]
    assert found["attempts"][0]["resolution"]["note"] == "buyer saw nothing"
    assert "resolved" in workspace.run("explain", operation).out


def test_one_that_was_never_sent_is_found_in_a_named_plan(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    operation = ids(workspace)["103"]
    ended = workspace.run("explain", operation)
    assert (ended.code, "--plan FILE" in ended.err) == (1, True)
    ended = workspace.run("explain", operation, "--plan", "release.plan")
    assert ended.code == 0
    assert "never sent; planned as to_send" in ended.out


def test_without_plan_and_changeset_the_ledger_still_tells(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    workspace.apply()
    operation = ids(workspace)["101"]
    (workspace.root / "changesets/fix.yaml").unlink()
    assert "that file is gone" in workspace.run("explain", operation).out
    (workspace.root / "release.plan").unlink()
    told = workspace.run("explain", operation).out
    assert "its file is not there" in told
    assert "Lead updated" in told


def test_prefixes(workspace: Workspace) -> None:
    workspace.changeset("fix", CHANGES, head=HEAD)
    workspace.plan()
    workspace.apply()
    operation = ids(workspace)["101"]
    for wrong, words in ((operation[:7], "first 8 characters"), ("zzzzzzzz", "not an operation"), ("1" * 40, "begins")):
        ended = workspace.run("explain", wrong)
        assert ended.code == 1
        assert words in ended.err
