"""The generated workflows, command by command: from a proposal to what the service did, and nothing of it twice."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.ci import pipeline as runners
from tests.ci.pipeline import JobRun, Jobs, Pipeline
from tests.ci.stand_in import BOT, GITLAB_USER, Forge
from tests.ci.team import AUTHOR, CLERK, LIMITS, Team
from tests.cli.console import SCRIPT

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
ONE_LEAD = """\
version: 1
changeset: {name}
account: acme
changes:
  - {{lead: "{lead}", update: {{postcode: TN25 6QD}}, trigger: [northwind]}}
"""

on_github = pytest.mark.parametrize("system", ["github"], indirect=True)
on_gitlab = pytest.mark.parametrize("system", ["gitlab"], indirect=True)
with_a_button = pytest.mark.parametrize("signatures", [False])


def propose(team: Team, number: int = 1) -> None:
    team.branch("repair")
    team.write("changesets/repair.yaml", CHANGESET)
    team.write("data/repairs.csv", ROWS)
    team.propose("repair", number)


def propose_one(team: Team, name: str, lead: str, number: int) -> None:
    team.branch(name)
    team.write(f"changesets/{name}.yaml", ONE_LEAD.format(name=name, lead=lead))
    team.propose(name, number)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def assert_no_secret_and_no_value(jobs: Jobs, team: Team) -> None:
    for job in jobs.values():
        told = [job.log, job.summary, *(path.read_bytes().decode() for path in files(job.artifacts))]
        secrets = (team.sandbox.api_key, team.ledger_url, team.ledger_key.read_text().strip())
        assert not [secret for text in told for secret in (*PERSONAL, *secrets) if secret in text]
        assert not [path for path in files(job.artifacts) if path.suffix == ".plan"]


def digests(job: JobRun) -> dict[str, str]:
    return {plan["changeset"]: plan["plan"] for plan in json.loads(job.artifact("plans.json"))["plans"]}


def triggered(team: Team) -> list[str]:
    return [line["lead"] for line in team.effects if line["effect"] == "trigger"]


@with_a_button
def test_from_the_proposal_over_the_button_to_the_service_once(
    pipeline: Pipeline, system: str, team: Team, forge: Forge
) -> None:
    pipeline.installs = True
    author = BOT if system == "github" else GITLAB_USER
    forge.says(1, "mallory", "<!-- syncengine: check -->\nAll is well.")
    propose(team)
    jobs = pipeline.proposal(1)
    assert set(jobs) == {"check", "comment"}
    checked = jobs["check"]
    assert checked.code == 0, checked.log
    # On GitLab, the token for comments is visible to all who can push a branch.
    secret = {name for name in checked.environment if re.search("KEY|TOKEN|SECRET", name)}
    assert secret <= ({"SYNCENGINE_FORGE_TOKEN"} if system == "gitlab" else set())
    assert not {team.ledger_url, team.sandbox.api_key, str(team.ledger_key)} & set(checked.environment.values())
    (comment,) = forge.bodies(1, author)
    head = team.git(team.remote, "rev-parse", "refs/pull/1/head").strip()
    for words in ("postcode-repair", head, "HTML view"):
        assert words in comment
    assert "<html" in checked.artifact("plan.html")
    assert_no_secret_and_no_value(jobs, team)

    # main moves on; the branch stays behind. What is planned by hand is what main will have.
    team.branch("words")
    team.write("README.md", "Nothing to send.\n")
    team.propose("words", 2)
    team.merge("words")
    jobs = pipeline.by_hand(proposal="1")
    assert {name: job.code for name, job in jobs.items() if name != "comment"} == {"plan-proposal": 0}, jobs
    told = digests(jobs["plan-proposal"])
    first, second = forge.bodies(1, author)
    assert first == comment
    assert told["postcode-repair"][:12] in second
    team.git(team.author, "switch", "--quiet", "repair")
    team.write("README.txt", "More words.\n")
    team.propose("repair", 1)
    pipeline.proposal(1)
    assert len(forge.bodies(1, author)) == 2
    assert forge.bodies(1, "mallory") == ["<!-- syncengine: check -->\nAll is well."]

    team.merge("repair", squash=True)
    forge.approvers = ["anna"]
    jobs = pipeline.main()
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    assert digests(jobs["plan"]) == told
    assert told["postcode-repair"][:12] in jobs["plan"].summary
    assert triggered(team) == ["2932682"]
    assert {line["lead"] for line in team.effects if line["effect"] == "update"} == {"2932682", "2932683", "2932684"}
    suite = next(ElementTree.fromstring(jobs["apply"].artifact("apply.xml")).iter("testsuite"))
    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    assert "anna" in team.run(team.author, "explain", first_operation(team)), "who pressed is on record"
    assert forge.status(team.head()) == ("success", "Nothing waits for approval")
    assert_no_secret_and_no_value(jobs, team)

    sent = len(team.requests)
    again = pipeline.main()
    assert {name: job.code for name, job in again.items() if name == "plan"} == {"plan": 0}
    assert ("apply" in again) == (system == "gitlab")
    assert len(team.requests) == sent > 0


def first_operation(team: Team) -> str:
    """An operation on record."""
    return str(json.loads(team.run(team.author, "history", "--format", "json").splitlines()[0])["operation"])


def test_main_waits_for_signatures_without_being_red(pipeline: Pipeline, team: Team, forge: Forge) -> None:
    propose(team)
    waited = team.merge("repair", squash=True)
    jobs = pipeline.main()
    assert jobs["plan"].code == 0, jobs["plan"].log
    assert "apply" not in jobs or jobs["apply"].code == 0
    (digest,) = digests(jobs["plan"]).values()
    assert f"approvals/{digest}.approval" in jobs["plan"].summary
    assert forge.status(waited) == ("pending", f"Waits for approval: postcode-repair@{digest[:12]}")
    assert team.requests == []

    assert team.sign() == digest
    jobs = pipeline.main()
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    assert triggered(team) == ["2932682"]
    for commit in (waited, team.head()):
        status = forge.status(commit)
        assert status is not None
        assert status[0] == "success"


@on_github
def test_what_was_signed_on_the_proposal_is_applied_after_squash_and_other_merges(
    pipeline: Pipeline, team: Team, forge: Forge
) -> None:
    propose(team)
    team.sign("repair")
    propose_one(team, "unsigned", "2932690", 2)
    team.merge("unsigned")
    merged = team.merge("repair", squash=True)
    jobs = pipeline.main()
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    # One is applied, the other waits, and the job is green.
    assert triggered(team) == ["2932682"]
    state, description = forge.status(merged) or ("", "")
    assert (state, "unsigned@" in description, "postcode-repair" in description) == ("pending", True, False)


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
@on_gitlab
def test_two_proposals_that_do_the_same_to_a_lead_do_it_once(
    pipeline: Pipeline, team: Team, order: tuple[str, str]
) -> None:
    for number, name in enumerate(("one", "two"), 1):
        propose_one(team, name, "2932682", number)
        team.sign(name)
    team.merge(order[0])
    assert pipeline.main()["apply"].code == 0
    assert triggered(team) == ["2932682"]
    team.merge(order[1])
    jobs = pipeline.main()
    assert [job.code for job in jobs.values()] == [3], "the same delivery again is blocked by the policy"
    assert triggered(team) == ["2932682"]


@on_github
def test_signatures_of_authors_or_of_other_data_do_not_count(pipeline: Pipeline, team: Team) -> None:
    team.branch("repair")
    team.write("changesets/repair.yaml", CHANGESET)
    team.write("data/repairs.csv", ROWS)
    team.commit("Write the changeset", AUTHOR)
    team.write("data/repairs.csv", f"{ROWS}2932685,M11AE\n")
    team.propose("repair", 1, CLERK)
    signed = team.sign("repair", signer=AUTHOR)
    team.merge("repair")
    for signer in (None, CLERK):
        if signer is not None:
            assert team.sign(signer=signer) == signed
        jobs = pipeline.main()
        assert set(jobs) == {"plan"}, jobs["apply"].log
        assert jobs["plan"].code == 0
    # The reviewer's counts, but not where git cannot tell who the authors are, and not once the data is another.
    assert team.sign() == signed
    pipeline.shallow = True
    jobs = pipeline.main()
    assert (jobs["apply"].code, "the clone is shallow" in jobs["apply"].log) == (3, True)
    pipeline.shallow = False
    team.branch("more")
    team.write("data/repairs.csv", f"{ROWS}2932686,M11AE\n")
    team.propose("more", 2)
    team.merge("more")
    jobs = pipeline.main()
    assert set(jobs) == {"plan"}
    assert signed not in digests(jobs["plan"]).values()
    assert team.requests == []


@on_github
@with_a_button
def test_a_ledger_that_moved_after_the_summary_stops_the_run(pipeline: Pipeline, team: Team) -> None:
    propose(team)
    team.merge("repair")

    def somebody_applies() -> None:
        team.write("changesets/other.yaml", ONE_LEAD.format(name="other", lead="2932682"))
        plans = str(team.author.parent / "moved.plan")
        team.run(team.author, "plan", "changesets/other.yaml", "--out", plans)
        team.run(team.author, "apply", plans)

    jobs = pipeline.main(somebody_applies)
    assert (jobs["plan"].code, jobs["apply"].code) == (0, 3), jobs["apply"].log
    assert "2932682" in jobs["apply"].log
    assert triggered(team) == ["2932682"]


@pytest.mark.parametrize("end", ["deadline", "kill"])
@on_github
def test_a_run_that_ended_early_is_continued_on_a_fresh_runner(
    pipeline: Pipeline, team: Team, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    propose(team)
    team.git(team.author, "switch", "--quiet", "repair")
    team.edit(
        "syncengine.yaml", LIMITS, "    limits: {requests_per_second: 0.34, concurrency: 1, leads_per_request: 1}"
    )
    team.propose("repair", 1)
    digest = team.sign("repair")
    team.merge("repair", squash=True)
    with monkeypatch.context() as patch:
        patch.setattr(runners, "TOOLS", f"{early_end(tmp_path / 'tools', end, team)}:{runners.TOOLS}")
        ended = pipeline.main()["apply"]
    assert ended.code == (4 if end == "deadline" else 137), ended.log
    before = len(team.effects)
    assert 0 < before < 4
    if end == "kill":  # else the lease of the lost runner ends by itself, within 30 seconds
        team.run(team.author, "ledger", "release", "--by", "anna", "--note", "its runner is gone")
    jobs = pipeline.main()
    assert digests(jobs["plan"]) == {"postcode-repair": digest}, jobs["plan"].log
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    assert len({(line["effect"], line["lead"]) for line in team.effects}) == 4
    assert triggered(team) == ["2932682"]


def early_end(folder: Path, end: str, team: Team) -> Path:
    """A folder with a `syncengine` whose `apply` ends early: in five seconds at most two of the three requests leave,
    and the process is killed once the second has left (what the first came to is on record by then)."""
    killed = f"""
"{SCRIPT}" "$@" &
until [ "$(wc -l < "{team.sandbox.requests_log}")" -ge 2 ]; do kill -0 $! && sleep 0.02; done
kill -KILL $!
wait $!
"""
    folder.mkdir()
    shim = folder / "syncengine"
    how = f'"{SCRIPT}" "$@" --deadline 5' if end == "deadline" else killed
    shim.write_text(f'#!/bin/bash\n[ "$1" = apply ] || exec "{SCRIPT}" "$@"\n{how}\n', encoding="utf-8")
    shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    return folder


def test_a_proposal_is_judged_by_the_rules_of_its_target(pipeline: Pipeline, team: Team) -> None:
    team.branch("rules")
    team.edit("syncengine.yaml", "max_leads: 500", "max_leads: 2")
    team.propose("rules", 2)
    checked = pipeline.proposal(2)["check"]
    assert "review that change by itself" in checked.log
    assert checked.code == 0, checked.log
    team.merge("rules")

    team.git(team.author, "fetch", "--quiet", "origin")
    team.branch("repair")
    team.write("changesets/repair.yaml", CHANGESET)
    team.write("data/repairs.csv", ROWS)
    # Its own limit, another place for the key, a signer and scripts of its own, and files in the way.
    team.edit("syncengine.yaml", "max_leads: 2", "max_leads: 500")
    team.edit("syncengine.yaml", team.sandbox.url, "https://evil.example.com")
    team.write(".syncengine/allowed_signers", "mallory@example.com ssh-ed25519 AAAA\n")
    for folder in (".github/syncengine", ".gitlab/syncengine"):
        if (team.author / folder).is_dir():
            team.write(f"{folder}/steps.py", "raise SystemExit('not these steps')\n")
            team.write(f"{folder}/requirements.txt", "not-these-packages==1\n")
    for name in ("pip.py", "json.py", "forge.py"):
        team.write(name, "raise SystemExit('not this module')\n")
    team.propose("repair", 1)
    jobs = pipeline.proposal(1)
    assert jobs["check"].code == 3, jobs["check"].log
    assert "max_leads" in jobs["check"].artifact("plan.md")
    assert jobs["comment"].code == 0, jobs["comment"].log
    by_hand = pipeline.by_hand(proposal="1")["plan-proposal"]
    assert by_hand.code == 3, by_hand.log
    for job in (*jobs.values(), by_hand):
        assert "evil.example.com" not in job.log + job.summary
        assert "not th" not in job.log


@on_github
def test_sql_of_a_proposal_is_not_run_with_the_secrets_of_main(pipeline: Pipeline, team: Team) -> None:
    team.branch("rules")
    team.edit("syncengine.yaml", "ledger:\n", "databases: {warehouse: env:SYNCENGINE_LEDGER_URL}\nledger:\n")
    team.propose("rules", 2)
    team.merge("rules")
    team.git(team.author, "fetch", "--quiet", "origin")
    team.branch("repair")
    source = "{sql: 'SELECT id AS lead_id, name FROM syncengine.lanes ORDER BY 1', database: warehouse}"
    team.write("changesets/repair.yaml", CHANGESET.replace("{file: ../data/repairs.csv}", source))
    team.propose("repair", 1)
    checked = pipeline.proposal(1)["check"]
    assert (checked.code, "Plan it on your machine" in checked.summary) == (0, True), checked.log
    jobs = pipeline.by_hand(proposal="1")
    assert jobs["plan-proposal"].code == 1, jobs["plan-proposal"].log
    assert "SE562" in jobs["plan-proposal"].log
    assert "syncengine plan changesets/repair.yaml" in jobs["plan-proposal"].log


@on_github
def test_a_mistake_is_annotated_and_the_plan_of_a_blocked_one_is_red(pipeline: Pipeline, team: Team) -> None:
    team.branch("repair")
    team.write("changesets/repair.yaml", CHANGESET.replace("trigger:", "triger:"))
    team.write("data/repairs.csv", ROWS)
    team.propose("repair", 1)
    checked = pipeline.proposal(1)["check"]
    assert checked.code == 1
    assert "::error file=changesets/repair.yaml,line=10" in checked.log
    assert "did you mean" in checked.log
    team.git(team.author, "switch", "--quiet", "repair")
    team.write("changesets/repair.yaml", CHANGESET)
    team.edit("syncengine.yaml", "max_leads: 500", "max_leads: 2")
    team.propose("repair", 1)
    team.merge("repair")
    jobs = pipeline.main()
    assert {name: job.code for name, job in jobs.items()} == {"plan": 3}
    assert "max_leads" in jobs["plan"].summary
    assert team.requests == []


@on_github
def test_a_manual_start_takes_some_changesets(pipeline: Pipeline, team: Team, forge: Forge) -> None:
    for number, (name, lead) in enumerate((("one", "2932682"), ("two", "2932683")), 1):
        propose_one(team, name, lead, number)
        team.sign(name)
        team.merge(name)
    jobs = pipeline.by_hand(changeset="two")
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    assert triggered(team) == ["2932683"]
    assert forge.statuses == {}


@on_github
def test_a_forge_that_answers_nothing_changes_nothing_that_is_sent(
    pipeline: Pipeline, team: Team, forge: Forge
) -> None:
    forge.silent = True
    propose(team)
    jobs = pipeline.proposal(1)
    assert {name: job.code for name, job in jobs.items()} == {"check": 0, "comment": 0}
    assert "did not answer" in jobs["comment"].log
    team.merge("repair")
    assert pipeline.main()["plan"].code == 0
    assert team.requests == []
    team.sign()
    jobs = pipeline.main()
    assert {name: job.code for name, job in jobs.items()} == {"plan": 0, "apply": 0}, jobs
    assert triggered(team) == ["2932682"]
    assert forge.asked


@pytest.mark.parametrize("missing", ["url", "key"])
@on_gitlab
@with_a_button
def test_without_its_ledger_nothing_is_sent(pipeline: Pipeline, team: Team, missing: str) -> None:
    propose(team)
    team.merge("repair")
    if missing == "url":
        team.ledger_url = "postgresql://127.0.0.1:1/none"
    else:
        team.ledger_key.write_text("0" * 64 + "\n", encoding="utf-8")
    jobs = pipeline.main()
    assert jobs["plan"].code in (1, 3) or jobs["apply"].code in (1, 3)
    assert team.requests == []


@with_a_button
def test_drift_is_one_issue_that_closes_itself(pipeline: Pipeline, system: str, team: Team, forge: Forge) -> None:
    if system == "github":
        jobs = pipeline.weekly()
        assert {name: job.code for name, job in jobs.items()} == {"drift": 0}
        assert "does not allow reads" in jobs["drift"].log
    propose(team)
    team.git(team.author, "switch", "--quiet", "repair")
    team.edit("syncengine.yaml", LIMITS, f"{LIMITS}\n    reads: {{leads: true}}")
    team.propose("repair", 1)
    team.merge("repair")
    assert pipeline.main()["apply"].code == 0
    change_in_the_service(team, "2932682", "XX1 1XX")
    for _ in range(2):
        assert pipeline.weekly()["drift"].code == 0
    (issue,) = forge.issues
    assert (issue["open"], "2932682" in issue["body"]) == (True, True)
    change_in_the_service(team, "2932682", "TN25 6QD")
    assert pipeline.weekly()["drift"].code == 0
    assert (len(forge.issues), forge.issues[0]["open"]) == (1, False)


def change_in_the_service(team: Team, lead: str, postcode: str) -> None:
    """Somebody changes a lead by other means."""
    import httpx

    body = {"key": team.sandbox.api_key, "leads": [{"id": lead, "update": {"postcode": postcode}}]}
    headers = {"X_KEY": team.sandbox.api_key, "X-API-Key": team.sandbox.api_key}
    answer = httpx.put(f"{team.sandbox.url}/restapi/v1.3/leads", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
