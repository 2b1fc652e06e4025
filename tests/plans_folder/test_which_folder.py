"""What `apply DIR` takes for a folder of plans, and what for one of changesets."""

from __future__ import annotations

import shutil

import pytest

from tests.crash.bench import Bench
from tests.plans_folder.team import apply_folder, declare, plan_each, update


@pytest.fixture
def folders(bench: Bench) -> Bench:
    declare(bench, a_first=[update("a", lead="1")])
    return bench


def test_a_folder_of_changesets_is_planned_and_applied(folders: Bench) -> None:
    assert folders.cli("apply", folders.folder / "specs", "--yes", "--format", "json").json["counts"]["applied"] == 1


def test_plans_beside_changesets_without_a_list_do_not_matter(folders: Bench) -> None:
    shutil.copy(folders.folder / "plans" / "a-first.plan", folders.folder / "specs" / "a-first.plan")
    assert folders.cli("apply", folders.folder / "specs", "--yes").code == 0


def test_a_folder_with_a_list_and_changesets_is_not_clear(folders: Bench) -> None:
    plan_each(folders, "a-first", folder="specs")
    ended = folders.cli("apply", folders.folder / "specs", "--yes", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE155")
    assert folders.requests == []


def test_yaml_of_other_programs_is_no_changeset(folders: Bench) -> None:
    (folders.folder / "plans" / "docker-compose.yml").write_text("services:\n  web: {image: nginx}\n")
    assert apply_folder(folders).code == 0


def test_a_configuration_in_the_folder_is_no_changeset(folders: Bench) -> None:
    shutil.copy(folders.folder / "syncengine.yaml", folders.folder / "plans" / "syncengine.yaml")
    shutil.copy(folders.folder / "api.key", folders.folder / "plans" / "api.key")
    assert apply_folder(folders).code == 0


@pytest.mark.parametrize("words", [["--var", "a=b"], ["--changeset", "a-first"]], ids=lambda words: words[0])
def test_what_is_for_changesets_is_refused_for_a_folder_of_plans(folders: Bench, words: list[str]) -> None:
    ended = apply_folder(folders, *words)
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE901")
    assert "--each" in ended.json["error"]["hint"]
    assert folders.requests == []


def test_yes_is_accepted(folders: Bench) -> None:
    assert apply_folder(folders, "--yes").code == 0


@pytest.mark.parametrize("other", ["plans/a-first.plan", "specs", "plans"])
def test_a_folder_of_plans_is_applied_alone(folders: Bench, other: str) -> None:
    ended = folders.cli("apply", folders.folder / "plans", folders.folder / other, "--yes", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE901")
    assert "is applied alone" in ended.json["error"]["message"]
    assert folders.requests == []


def test_submit_takes_a_single_plan(folders: Bench) -> None:
    ended = folders.cli("submit", folders.folder / "plans", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE901")
    assert "single plan" in ended.json["error"]["message"]


def test_a_single_plan_of_the_folder_is_applied_as_ever(folders: Bench) -> None:
    ended = folders.apply("plans/a-first.plan")
    assert ended.code == 0
    assert ended.json["counts"]["applied"] == 1
