"""The same files, configuration, observations and ledger facts give the same digest: in a branch, after a merge, squash
or rebase, in another folder, by other authors."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.approvals.repository import git
from tests.cli.console import run_inside
from tests.planning.git_workspace import commit, elsewhere
from tests.workspace import Workspace

SHEET = """\
- id: sheet
  for_each: rows
  lead: "{{ row.lead }}"
  when: row.go == 'yes'
  update: {postcode: "{{ row.postcode }}", unknown_field: x}
  financials: {payout: "{{ row.payout }}"}
- lead: "104"
  trigger: [northwind]
- lead: "104"
  update: {postcode: A1}
"""
ROWS = "lead,go,postcode,payout\n101,yes,N1 1AA,81.00\n102,yes,Test,8100\n103,no,x,1\n"
POLICY = """\
policy:
  max_payout: 900
  findings: {placeholder: block}
  deny:
    - {when: "op.kind == 'trigger'", message: ask first}
"""


@pytest.fixture
def repository(workspace: Workspace) -> Workspace:
    """A committed configuration, and a branch with a changeset that has findings, blocked lines and facts on record."""
    configuration = (workspace.root / "syncengine.yaml").read_text(encoding="utf-8")
    workspace.changeset("before", '- lead: "101"\n  update: {postcode: "B1"}\n- lead: "104"\n  trigger: [northwind]\n')
    assert workspace.run("plan", "changesets", "--out", "before.plan").code == 0
    assert workspace.run("apply", "before.plan").code == 0
    workspace.write("syncengine.yaml", configuration + POLICY)
    commit(workspace.root, "main")
    git(workspace.root, "checkout", "-q", "-b", "feature")
    workspace.write("data/rows.csv", ROWS)
    workspace.changeset("uplift", SHEET, head="sources: {rows: {file: ../data/rows.csv}}\n")
    commit(workspace.root, "uplift")
    return workspace


def planned(workspace: Workspace, *args: str) -> Any:
    ended = workspace.run("plan", "changesets", "--each", "plans", "--format", "json", *args)
    assert ended.code == 3, ended.err + ended.out
    return next(plan for plan in ended.json["plans"] if plan["changeset"] == "uplift")


def digest(workspace: Workspace, *args: str) -> str:
    plan = planned(workspace, *args)
    assert plan["verdict"] == "blocked"
    return str(plan["plan"])


def test_a_merge_a_squash_and_a_rebase_keep_the_digest(repository: Workspace) -> None:
    root = repository.root
    expected = digest(repository)
    git(root, "checkout", "-q", "main")
    repository.changeset("other", '- lead: "101"\n  update: {postcode: "C1"}\n')
    commit(root, "somebody else's changeset", email="ben@example.com")
    git(root, "branch", "squashed")
    git(root, "branch", "rebased", "feature")
    git(root, "merge", "-q", "--no-ff", "-m", "merge", "feature", email="forge@example.com")
    assert digest(repository) == expected
    git(root, "checkout", "-q", "squashed")
    git(root, "merge", "-q", "--squash", "feature")
    commit(root, "squash", email="forge@example.com")
    assert digest(repository) == expected
    git(root, "checkout", "-q", "rebased")
    git(root, "rebase", "-q", "main", email="carla@example.com")
    assert digest(repository) == expected


def test_another_place_and_clone_keep_the_digest(repository: Workspace, tmp_path: Path) -> None:
    expected = digest(repository)
    moved = elsewhere(repository, tmp_path / "deep" / "elsewhere")
    assert digest(moved) == expected
    shutil.rmtree(moved.root / ".git")
    assert digest(moved) == expected


@pytest.mark.parametrize(
    ("folder", "args"),
    [
        (".", ("{root}/changesets/uplift.yaml",)),
        (".", ("changesets/uplift.yaml", "--config", "{root}/syncengine.yaml")),
        ("changesets", ("uplift.yaml",)),
        ("data", ("../changesets/uplift.yaml",)),
        ("..", ("repository/changesets/uplift.yaml", "--config", "repository/syncengine.yaml")),
    ],
)
def test_the_working_folder_and_the_way_of_naming_paths_keep_the_digest(
    repository: Workspace, folder: str, args: tuple[str, ...]
) -> None:
    expected = digest(repository)
    given = [each.format(root=repository.root) for each in args]
    ended = run_inside(
        "plan", *given, "--format", "json", cwd=repository.root / folder, LEADBYTE_API_KEY=repository.api_key
    )
    assert ended.code == 3, ended.err
    assert ended.json["plan"] == expected


def test_other_documents_of_the_file_keep_the_digest(repository: Workspace) -> None:
    expected = digest(repository)
    path = repository.root / "changesets" / "uplift.yaml"
    text = path.read_text(encoding="utf-8")
    other = (
        'version: 1\nchangeset: above\naccount: acme\ntitle: above\nchanges:\n  - lead: "103"\n    update: {c1: x}\n'
    )
    path.write_text(f"{other}---\n{text.removeprefix('---')}", encoding="utf-8")
    assert digest(repository) == expected
    path.write_text(
        f"{other}{other.replace('above', 'more').replace('103', '102')}".replace(
            "version: 1\nchangeset: more", "---\nversion: 1\nchangeset: more"
        )
        + f"---\n{text}",
        encoding="utf-8",
    )
    assert digest(repository) == expected
    path.write_text(f"---\n{text}", encoding="utf-8")
    assert digest(repository) == expected
    path.write_text(f"{text}---\n{other}", encoding="utf-8")
    assert digest(repository) == expected


def test_facts_about_other_leads_keep_the_digest(repository: Workspace) -> None:
    expected = digest(repository)
    configuration = (repository.root / "syncengine.yaml").read_text(encoding="utf-8")
    repository.write(
        "others/other.yaml",
        'version: 1\nchangeset: unrelated\naccount: acme\nchanges:\n  - lead: "103"\n    update: {c1: x}\n',
    )
    assert repository.run("plan", "others", "--out", "o.plan").code == 0
    assert repository.run("apply", "o.plan").code == 0
    assert digest(repository) == expected
    assert (repository.root / "syncengine.yaml").read_text(encoding="utf-8") == configuration
    before = repository.write(
        "others/other.yaml",
        'version: 1\nchangeset: related\naccount: acme\nchanges:\n  - lead: "101"\n    update: {postcode: y}\n',
    )
    assert repository.run("plan", str(before), "--out", "o.plan").code == 0
    assert repository.run("apply", "o.plan").code == 0
    assert digest(repository) != expected


def test_lines_above_two_documents_of_one_plan_keep_its_digest(workspace: Workspace) -> None:
    text = 'version: 1\nchangeset: {id}\naccount: acme\ntitle: t\nchanges:\n  - lead: "101"\n    trigger: [northwind]\n'
    two = f"---\n{text.format(id='one')}---\n{text.format(id='two')}"
    workspace.write("changesets/all.yaml", text.format(id="top").replace("101", "102") + two)
    first = workspace.run("plan", "changesets", "--changeset", "one", "--changeset", "two", "--format", "json").json
    assert first["verdict"] == "blocked"
    workspace.write("changesets/all.yaml", "# a remark\n\n" + text.format(id="top").replace("101", "102") + two)
    second = workspace.run("plan", "changesets", "--changeset", "one", "--changeset", "two", "--format", "json").json
    assert second["plan"] == first["plan"]
