"""The generated workflows, command by command: from a proposal to what the service did, and nothing of it twice."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from tests.ci.pipeline import Pipeline
from tests.ci.proposals import (
    CHANGESET,
    ROWS,
    assert_no_secret_and_no_value,
    digests,
    on_github,
    propose,
    propose_one,
    triggered,
    with_a_button,
)
from tests.ci.stand_in import BOT, GITLAB_USER, Forge
from tests.ci.team import LIMITS, Team


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
