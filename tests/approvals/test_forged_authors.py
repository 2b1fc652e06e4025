"""A plan file in which somebody changed who wrote it, with sums that fit or not: no approval comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from syncengine.core.errors import AlteredPlan
from tests.fuzz import forging

from .repository import AUTHOR, Repository, public
from .test_signatures import POLICY, approved, codes, ready, refusal

__all__ = ["ready"]

FORGED = [[], ["mallory@example.com"], ["anna@example.com"], [AUTHOR, "anna@example.com"], [AUTHOR, AUTHOR]]


def _content(plan: Path) -> Any:
    """What a plan file says."""
    first, *operations, last = (json.loads(line) for line in plan.read_text().splitlines())
    return {
        "header": first["header"],
        "provenance": first["provenance"],
        "operations": operations,
        "covered": last["covered"],
        "notes": last["notes"],
    }


def _forge(plan: Path, authors: list[str]) -> None:
    content = _content(plan)
    (changeset,) = content["covered"]["changesets"]
    assert changeset["authors"] == [AUTHOR]
    changeset["authors"] = authors
    plan.write_bytes(forging.saved(content))


def test_these_forgers_know_their_trade(ready: Repository) -> None:
    plan = ready.plan()
    assert forging.saved(_content(plan)) == plan.read_bytes()


@pytest.mark.parametrize("authors", FORGED)
def test_other_authors_are_another_plan(ready: Repository, authors: list[str]) -> None:
    plan = ready.plan()
    approved(ready, plan, ready.keys / "anna")
    _forge(plan, authors)
    assert codes(refusal(ready, plan)) == ["SE648"]


@pytest.mark.parametrize("authors", FORGED)
def test_other_authors_under_the_same_digest_are_an_altered_plan(ready: Repository, authors: list[str]) -> None:
    plan = ready.plan()
    digest = json.loads(plan.read_text().splitlines()[-1])["digest"]
    approved(ready, plan, ready.keys / "anna")
    _forge(plan, authors)
    forged = json.loads(plan.read_text().splitlines()[-1])["digest"]
    plan.write_bytes(forging.summed(plan.read_bytes().replace(forged.encode(), digest.encode())))
    with pytest.raises(AlteredPlan) as caught:
        ready.apply(plan)
    assert caught.value.exit == 3
    assert ready.effects == 0


def test_whoever_takes_their_name_out_of_a_plan_is_still_its_author(repository: Repository) -> None:
    repository.write(POLICY)
    repository.signers(f"{AUTHOR} {public(repository.key('author'))}")
    repository.commit()
    plan = repository.plan()
    _forge(plan, [])
    approved(repository, plan, repository.keys / "author")
    error = refusal(repository, plan)
    assert codes(error) == ["SE647"]
    assert f"{AUTHOR} wrote a changeset" in error.message
