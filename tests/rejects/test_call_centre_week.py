"""The worked example of specs/call-centre, from nothing, and the service's record of what reached it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import SCRIPT, environment

WEEK = Path(__file__).parents[2] / "specs" / "call-centre" / "week"
ADDRESSES = 15
"""Rows of week 47 with an address to search for; one more row has none."""


@pytest.fixture(scope="module", params=[(), ("--interrupt",)], ids=["in one go", "killed twice"])
def week(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, Path]:
    place = tmp_path_factory.mktemp("call-centre") / "week"
    done = subprocess.run(
        [WEEK, *request.param, place],
        env=environment(PATH=f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}", HOME=str(place.parent)),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return bool(request.param), place


def bodies(place: Path) -> list[tuple[str, Any]]:
    lines = (place / ".people" / "service" / "requests.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [(line["path"].rsplit("/", 1)[-1], json.loads(line["body"])) for line in found if line["method"] != "GET"]


def test_each_address_is_asked_once_but_for_one_whose_answer_was_lost(week: tuple[bool, Path]) -> None:
    interrupted, place = week
    asked = Counter(body["searches"][0]["email"] for call, body in bodies(place) if call == "search")
    assert sum(asked.values()) == ADDRESSES + 3 + interrupted
    assert sorted(asked.values())[-2:] == ([1, 2] if interrupted else [1, 1])


def test_each_change_is_sent_once(week: tuple[bool, Path]) -> None:
    """But for the rejected one, which had no effect: continuing the plan sends it again."""
    interrupted, place = week
    sent: Counter[tuple[str, str]] = Counter()
    for call, body in bodies(place):
        if call == "leads":
            sent.update((call, lead["id"]) for lead in body["leads"])
        if call == "leadfinancials":
            sent.update((call, str(lead)) for lead in body["leads"])
    assert sent.pop(("leadfinancials", "3000007")) == (3 if interrupted else 1)
    assert set(sent.values()) == {1}
    done = (place / ".people" / "service" / "effects.jsonl").read_text().splitlines()
    effects = Counter((json.loads(line)["effect"], json.loads(line)["lead"]) for line in done)
    assert set(effects.values()) == {1}
    assert len(effects) == len(sent) == 15


def test_nothing_is_left_over(week: tuple[bool, Path]) -> None:
    interrupted, place = week
    assert sorted(path.name for path in (place / "data").iterdir()) == [
        "calls-w47-ids.csv", "calls-w47.xlsx", "calls-w48-ids.csv", "calls-w48.csv",
    ]  # fmt: skip
    # The interrupted run was started again under the same name, which keeps the first files.
    kept = ["week-47.csv.1", "week-47.csv.partly.1"] if interrupted else []
    assert sorted(path.name for path in (place / "rejects").iterdir()) == kept
    status = subprocess.run(["git", "status", "--porcelain"], cwd=place, capture_output=True, text=True, check=True)
    assert status.stdout == ""
