"""The generated workflows, command by command: from a proposal to what the service did, and nothing of it twice."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ci.pipeline import JobRun, Pipeline
from tests.ci.team import Team

PERSONAL = ("TN25 6QD", "Josephine", "M11AE", "M1 1AE")
"""Lead values of the changeset and its data."""

CHANGESET = """\
version: 1
changeset: postcode-repair
account: acme
title: Repair postcodes
sources:
  repairs: {file: ../data/repairs.csv}
changes:
  - lead: "2932682"
    update: {postcode: TN25 6QD, firstname: Josephine}
    trigger: [northwind]
  - for_each: repairs
    lead: "{{ row.lead_id }}"
    update: {postcode: "{{ row.postcode | uk_postcode }}"}
"""
ROWS = "lead_id,postcode\n2932683,M11AE\n2932684,M11AE\n"


def propose(team: Team, changeset: str = CHANGESET) -> None:
    team.branch("repair")
    team.write("changesets/repair.yaml", changeset)
    team.write("data/repairs.csv", ROWS)
    team.propose("repair", 1)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def assert_no_secret_and_no_value(ended: JobRun, team: Team) -> None:
    told = [ended.log, ended.summary, *(path.read_bytes().decode() for path in files(ended.artifacts))]
    for text in told:
        for secret in (*PERSONAL, team.sandbox.api_key, team.ledger_url, team.ledger_key.read_text().strip()):
            assert secret not in text
    assert not [path for path in files(ended.artifacts) if path.suffix == ".plan"]


def test_from_the_proposal_to_the_service_once(pipeline: Pipeline, team: Team) -> None:
    propose(team)
    checked = pipeline.check(1, "repair")
    assert checked.code == 0, checked.log
    assert "4 operations" in checked.summary
    assert "postcode-repair" in pipeline.comment(1, checked)
    assert json.loads(checked.artifact("validate.sarif"))["runs"][0]["results"] == []
    assert_no_secret_and_no_value(checked, team)
    known = set(checked.environment.values())
    assert not known & {team.ledger_url, team.sandbox.api_key, str(team.ledger_key), team.comment_token}
    assert not [name for name in checked.environment if "KEY" in name or "TOKEN" in name or "SECRET" in name]

    team.merge(1)
    refused = pipeline.apply()
    assert refused.code == 3, refused.log
    assert "needs 1 approval" in refused.log
    assert team.requests == []
    assert_no_secret_and_no_value(refused, team)

    digest = team.approve()
    assert digest in refused.summary
    applied = pipeline.apply()
    assert applied.code == 0, applied.log
    assert digest in applied.summary
    assert sorted((line["effect"], line["lead"]) for line in team.effects if line["effect"] == "trigger") == [
        ("trigger", "2932682")
    ]
    updated = {line["lead"] for line in team.effects if line["effect"] == "update"}
    assert updated == {"2932682", "2932683", "2932684"}
    suite = ElementTree.fromstring(applied.artifact("apply.xml")).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    assert "#1: trigger lead 2932682" in " ".join(case.get("name", "") for case in suite)
    assert {path.name for path in files(applied.artifacts)} == {
        "plan.md", "plan.html", "plan.json", "apply.txt", "apply.xml"
    }  # fmt: skip
    assert_no_secret_and_no_value(applied, team)

    sent = len(team.requests)
    again = pipeline.apply()
    assert again.code == 0, again.log
    assert len(team.requests) == sent > 0


def test_a_proposal_is_judged_by_the_rules_of_its_target(pipeline: Pipeline, team: Team) -> None:
    team.branch("rules")
    team.edit("syncengine.yaml", "max_leads: 500", "max_leads: 2")
    team.propose("rules", 2)
    assert "review that change by itself" in pipeline.check(2, "rules").log
    team.merge(2)
    team.git(team.author, "fetch", "--quiet", "origin")

    team.branch("repair")
    team.write("changesets/repair.yaml", CHANGESET)
    team.write("data/repairs.csv", ROWS)
    # Its own limit, another place for the key, a file in the way, and a signer of its own.
    team.edit("syncengine.yaml", "max_leads: 2", "max_leads: 500")
    team.edit("syncengine.yaml", team.sandbox.url, "https://evil.example.com")
    team.write("changesets/syncengine.yaml.txt", "nothing\n")
    team.write(".syncengine/allowed_signers", "mallory@example.com ssh-ed25519 AAAA\n")
    team.write("pip.py", "raise SystemExit('not pip')\n")
    team.write("json.py", "raise SystemExit('not json')\n")
    team.propose("repair", 1)
    checked = pipeline.check(1, "repair")
    assert checked.code == 3, checked.log
    assert "max_leads" in checked.summary
    assert "evil.example.com" not in checked.artifact("plan.md")
    assert "review that change by itself" in checked.log


def test_a_mistake_is_shown_at_its_line(pipeline: Pipeline, team: Team) -> None:
    propose(team, CHANGESET.replace("trigger:", "triger:"))
    checked = pipeline.check(1, "repair")
    assert checked.code == 1
    (found,) = json.loads(checked.artifact("validate.sarif"))["runs"][0]["results"]
    place = found["locations"][0]["physicalLocation"]
    assert (found["ruleId"], place["artifactLocation"]["uri"]) == ("SE201", "changesets/repair.yaml")
    assert place["region"]["startLine"] == 10
    assert "changesets/repair.yaml" in checked.log
    assert "did you mean" in checked.log


@pytest.mark.parametrize("pipeline", ["github"], indirect=True)
def test_changed_data_plans_the_changesets_that_name_it(pipeline: Pipeline, team: Team) -> None:
    propose(team)
    team.merge(1)
    team.git(team.author, "fetch", "--quiet", "origin")
    team.branch("more-rows")
    team.write("data/repairs.csv", f"{ROWS}2932685,M11AE\n")
    team.propose("more-rows", 2)
    assert "5 operations" in pipeline.check(2, "more-rows").summary
    team.git(team.author, "switch", "--quiet", "--detach", "origin/main")
    team.branch("words")
    team.write("README.md", "Nothing to send.\n")
    team.propose("words", 3)
    checked = pipeline.check(3, "words")
    assert (checked.code, "No changeset is added or changed." in checked.summary) == (0, True), checked.log


@pytest.mark.parametrize("pipeline", ["github"], indirect=True)
def test_an_approval_of_another_plan_does_not_count(pipeline: Pipeline, team: Team) -> None:
    propose(team)
    team.merge(1)
    digest = team.approve()
    team.git(team.author, "fetch", "--quiet", "origin")
    team.branch("other")
    team.edit("changesets/repair.yaml", "Josephine", "Josephina")
    approval = team.author / "approvals" / f"{digest}.approval"
    team.propose("other", 2)
    assert approval.exists()
    team.merge(2)
    refused = pipeline.apply()
    assert refused.code == 3
    assert digest not in refused.summary
    # Renamed to look as if it were for this plan.
    other = json.loads(refused.artifact("plan.json"))["plan"]
    team.git(team.author, "switch", "--quiet", "--detach", "origin/main")
    team.git(team.author, "fetch", "--quiet", "origin")
    team.branch("renamed")
    approval.rename(approval.with_name(f"{other}.approval"))
    team.propose("renamed", 3)
    team.merge(3)
    refused = pipeline.apply()
    assert refused.code == 3, refused.log
    assert "not counted" in refused.log
    assert team.requests == []


@pytest.mark.parametrize("missing", ["url", "key"])
@pytest.mark.parametrize("pipeline", ["gitlab"], indirect=True)
def test_without_its_ledger_nothing_is_sent(pipeline: Pipeline, team: Team, missing: str) -> None:
    propose(team)
    team.merge(1)
    team.approve()
    if missing == "url":
        team.ledger_url = ""
    else:
        team.ledger_key.write_text("0" * 64 + "\n", encoding="utf-8")
    runner = type(pipeline)
    ended = runner(team, team.author.parent / "fresh").apply()  # type: ignore[call-arg]
    assert ended.code in (1, 3), ended.log
    assert team.requests == []
