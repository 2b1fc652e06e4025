"""A plan file in which somebody changed who wrote it, with sums that fit or not: no approval comes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
        "beside": last["beside"],
    }


def _forge(plan: Path, authors: list[str]) -> None:
    content = _content(plan)
    (known,) = content["beside"]["authors"].values()
    assert known == [AUTHOR]
    content["beside"]["authors"] = dict.fromkeys(content["beside"]["authors"], authors)
    plan.write_bytes(forging.saved(content))


def test_these_forgers_know_their_trade(ready: Repository) -> None:
    plan = ready.plan()
    assert forging.saved(_content(plan)) == plan.read_bytes()


@pytest.mark.parametrize("authors", FORGED)
def test_author_cannot_approve_own_changeset_whatever_authors_the_plan_names(
    repository: Repository, authors: list[str]
) -> None:
    repository.write(POLICY)
    repository.signers(f"{AUTHOR} {public(repository.key('author'))}")
    repository.commit()
    plan = repository.plan()
    _forge(plan, authors)
    approved(repository, plan, repository.keys / "author")
    error = refusal(repository, plan)
    assert codes(error) == ["SE647"]
    assert f"{AUTHOR} wrote a changeset" in error.message
