"""The generated workflows when the ledger moves, runs end early, or the forge is silent."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.ci import pipeline as runners
from tests.ci.pipeline import Pipeline
from tests.ci.proposals import ONE_LEAD, digests, on_github, on_gitlab, propose, triggered, with_a_button
from tests.ci.stand_in import Forge
from tests.ci.team import LIMITS, Team
from tests.cli.console import SCRIPT


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
