"""What a proposal cannot do in the generated workflows."""

from __future__ import annotations

from tests.ci.pipeline import Pipeline
from tests.ci.proposals import CHANGESET, ROWS, on_github
from tests.ci.team import Team


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
