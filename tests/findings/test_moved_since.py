"""The rule `moved-since`: files that differ from the commit that a plan was made from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.approvals.repository import git
from tests.planning.git_workspace import commit
from tests.workspace import Workspace

SHEET = '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: "{{ row.c1 }}"}\n'


@pytest.fixture
def repository(workspace: Workspace) -> Workspace:
    workspace.write("data/rows.csv", "lead,c1\n101,a\n")
    workspace.changeset("one", SHEET, head="sources: {rows: {file: ../data/rows.csv}}\n")
    commit(workspace.root)
    return workspace


def found(plan: Any) -> list[Any]:
    return [finding for finding in plan["findings"] if finding["rule"] == "moved-since"]


def test_committed_files_are_no_finding(repository: Workspace) -> None:
    assert found(repository.plan()) == []


def test_outside_of_git_there_is_no_finding(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "101"\n  update: {c1: a}\n')
    assert found(workspace.plan()) == []


def test_changed_files_are_named_and_show_repeats_it(repository: Workspace) -> None:
    repository.write("data/rows.csv", "lead,c1\n101,b\n")
    digest = repository.plan()["plan"]
    (finding,) = found(repository.plan())
    assert (finding["severity"], finding["count"]) == ("medium", 1)
    assert "data/rows.csv" in finding["message"]
    assert [evidence["file"] for evidence in finding["evidence"]] == ["data/rows.csv"]
    commit(repository.root)
    assert found(repository.run("show", "release.plan", "--format", "json").json) == [finding]
    committed = repository.plan()
    assert (found(committed), committed["plan"]) == ([], digest)


@pytest.mark.parametrize("command", [("apply", "release.plan"), ("apply", "plans")], ids=["file", "folder"])
def test_apply_notes_what_differs_by_then(repository: Workspace, command: tuple[str, ...]) -> None:
    repository.plan()
    assert repository.run("plan", "changesets", "--each", "plans").code == 0
    repository.write("data/rows.csv", "lead,c1\n101,b\n")
    commit(repository.root)
    ended = repository.run(*command)
    assert ended.code == 0
    assert ended.err.count("data/rows.csv") == 1
    assert "differs now from commit" in ended.err


def test_apply_is_silent_where_git_does_not_have_the_commit(repository: Workspace) -> None:
    repository.plan()
    git(repository.root, "checkout", "-q", "--orphan", "other")
    git(repository.root, "commit", "-q", "-m", "x")
    git(repository.root, "branch", "-q", "-D", "main")
    git(repository.root, "reflog", "expire", "--expire=now", "--all")
    git(repository.root, "gc", "-q", "--prune=now")
    repository.write("data/rows.csv", "lead,c1\n101,b\n")
    ended = repository.run("apply", "release.plan")
    assert (ended.code, "differ" in ended.err) == (0, False)
