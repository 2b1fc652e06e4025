"""Signatures in the generated workflows: which count, and for how long."""

from __future__ import annotations

import pytest

from tests.ci.pipeline import Pipeline
from tests.ci.proposals import CHANGESET, ROWS, digests, on_github, on_gitlab, propose, propose_one, triggered
from tests.ci.stand_in import Forge
from tests.ci.team import AUTHOR, CLERK, Team


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
    assert (set(jobs), "the clone is shallow" in jobs["plan"].summary) == ({"plan"}, True)
    pipeline.shallow = False
    team.branch("more")
    team.write("data/repairs.csv", f"{ROWS}2932686,M11AE\n")
    team.propose("more", 2)
    team.merge("more")
    jobs = pipeline.main()
    assert set(jobs) == {"plan"}
    assert signed not in digests(jobs["plan"]).values()
    assert team.requests == []
