"""Changesets that the tests of workflows propose, and what they look at afterwards."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ci.pipeline import JobRun, Jobs
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
