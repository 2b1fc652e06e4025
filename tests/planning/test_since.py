"""`plan --since REV`: the changesets of the working tree that differ from a git revision."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.approvals.repository import git
from tests.planning.git_workspace import commit, output
from tests.workspace import Workspace

TEXT = (
    "version: 1\nchangeset: {id}\naccount: acme\ntitle: {id}\nchanges:\n"
    '  - lead: "{lead}"\n    update: {{c1: "{value}"}}\n'
)
SHEET = (
    "version: 1\nchangeset: {id}\naccount: acme\ntitle: {id}\nsources: {{rows: {{file: {file}}}}}\nchanges:\n"
    '  - for_each: rows\n    lead: "{{{{ row.lead }}}}"\n    update: {{c1: "{{{{ row.c1 }}}}"}}\n'
)


def document(name: str, value: str = "a", lead: str = "101") -> str:
    return TEXT.format(id=name, lead=lead, value=value)


@pytest.fixture
def repository(workspace: Workspace) -> Workspace:
    """Two changesets of their own, two in one file, and two with a sheet each; all committed."""
    workspace.write("changesets/one.yaml", document("one"))
    workspace.write("changesets/two.yaml", document("two", lead="102"))
    workspace.write("changesets/pair.yaml", document("left", lead="103") + "---\n" + document("right", lead="104"))
    for name in ("sheet-a", "sheet-b"):
        workspace.write(f"data/{name}.csv", f"lead,c1\n101,{name}\n")
        workspace.write(f"changesets/{name}.yaml", SHEET.format(id=name, file=f"../data/{name}.csv"))
    commit(workspace.root)
    return workspace


def changed(workspace: Workspace, revision: str = "HEAD", *, code: int = 0) -> Any:
    ended = workspace.run("plan", "changesets", "--each", "plans", "--since", revision, "--format", "json")
    assert ended.code == code, ended.err + ended.out
    return ended.json if code else sorted(plan["changeset"] for plan in ended.json["plans"])


def replace(workspace: Workspace, file: str, old: str, new: str) -> None:
    path = workspace.root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_nothing_changed(repository: Workspace) -> None:
    assert changed(repository) == []
    ended = repository.run("plan", "changesets", "--since", "HEAD", "--format", "json")
    assert (ended.code, ended.json["verdict"], ended.json["changesets"]) == (0, "nothing", [])
    assert "0 of 6 changesets differ from HEAD" in ended.err


def test_a_changed_new_or_deleted_changeset(repository: Workspace) -> None:
    replace(repository, "changesets/one.yaml", '"a"', '"b"')
    repository.write("changesets/new.yaml", document("new", lead="105"))
    (repository.root / "changesets" / "two.yaml").unlink()
    assert changed(repository) == ["new", "one"]
    commit(repository.root)
    assert changed(repository) == []
    assert changed(repository, "HEAD~1") == ["new", "one"]
    plain = repository.run("plan", "changesets", "--since", "HEAD~1", "--format", "json").json
    assert plain["changesets"] == ["new", "one"]


def test_of_several_documents_only_the_changed_ones(repository: Workspace) -> None:
    replace(repository, "changesets/pair.yaml", 'lead: "104"', 'lead: "105"')
    assert changed(repository) == ["right"]
    replace(repository, "changesets/pair.yaml", "version: 1\nchangeset: left", "# above\n\nversion: 1\nchangeset: left")
    assert changed(repository) == ["left", "right"]


def test_documents_that_others_are_added_to_do_not_differ(repository: Workspace) -> None:
    pair = repository.root / "changesets" / "pair.yaml"
    text = pair.read_text(encoding="utf-8")
    pair.write_text(document("first") + "---\n" + text + "---\n" + document("last"), encoding="utf-8")
    assert changed(repository) == ["first", "last"]


def test_a_rename_is_no_difference(repository: Workspace) -> None:
    changesets = repository.root / "changesets"
    (changesets / "deeper").mkdir()
    (changesets / "one.yaml").rename(changesets / "uno.yml")
    (changesets / "two.yaml").rename(changesets / "deeper" / "two.yaml")
    (changesets / "sheet-a.yaml").rename(changesets / "sheet-c.yaml")
    left, _, right = (changesets / "pair.yaml").read_text(encoding="utf-8").partition("---\n")
    (changesets / "pair.yaml").write_text(left, encoding="utf-8")
    repository.write("changesets/other.yaml", right)
    assert changed(repository) == []


def test_a_changeset_that_moved_and_changed_differs(repository: Workspace) -> None:
    changesets = repository.root / "changesets"
    (changesets / "one.yaml").rename(changesets / "uno.yaml")
    replace(repository, "changesets/uno.yaml", '"a"', '"b"')
    assert changed(repository) == ["one"]


def test_a_changed_source_makes_its_changeset_differ(repository: Workspace) -> None:
    replace(repository, "data/sheet-a.csv", "101,sheet-a", "101,other")
    assert changed(repository) == ["sheet-a"]


def test_a_folder_that_moved_with_its_sources_does_not_differ(repository: Workspace) -> None:
    repository.write("changesets/team/data/rows.csv", "lead,c1\n101,x\n")
    repository.write("changesets/team/team.yaml", SHEET.format(id="team", file="data/rows.csv"))
    commit(repository.root)
    (repository.root / "changesets" / "team").rename(repository.root / "changesets" / "group")
    assert changed(repository) == []
    repository.write("changesets/group/data/rows.csv", "lead,c1\n101,y\n")
    assert changed(repository) == ["team"]


def test_sources_that_were_swapped_differ(repository: Workspace) -> None:
    data = repository.root / "data"
    (data / "sheet-a.csv").rename(data / "kept.csv")
    (data / "sheet-b.csv").rename(data / "sheet-a.csv")
    (data / "kept.csv").rename(data / "sheet-b.csv")
    assert changed(repository) == ["sheet-a", "sheet-b"]


def test_a_link_to_another_source_differs(repository: Workspace) -> None:
    link = repository.root / "data" / "link.csv"
    link.symlink_to("sheet-a.csv")
    repository.write("changesets/linked.yaml", SHEET.format(id="linked", file="../data/link.csv"))
    commit(repository.root)
    link.unlink()
    link.symlink_to("sheet-b.csv")
    assert changed(repository) == ["linked"]


def test_a_source_that_git_does_not_have_differs(repository: Workspace) -> None:
    repository.write(".gitignore", "data/\nplans/\n.syncengine/\n")
    repository.write("data/ignored.csv", "lead,c1\n101,x\n")
    repository.write("changesets/ignored.yaml", SHEET.format(id="ignored", file="../data/ignored.csv"))
    commit(repository.root)
    assert changed(repository) == ["ignored"]


def test_line_endings_of_a_checkout_are_no_difference(repository: Workspace) -> None:
    for file in ("changesets/one.yaml", "changesets/pair.yaml", "data/sheet-a.csv"):
        path = repository.root / file
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert changed(repository) == []


def test_a_git_lfs_pointer_is_compared_by_its_digest(repository: Workspace) -> None:
    path = repository.root / "data" / "sheet-a.csv"
    content = path.read_bytes()
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{hashlib.sha256(content).hexdigest()}\nsize {len(content)}\n"
    )
    commit(repository.root)
    path.write_bytes(content)
    assert changed(repository) == []
    path.write_bytes(content + b"102,x\n")
    assert changed(repository) == ["sheet-a"]


def test_a_repository_in_a_folder_of_the_git_repository(workspace: Workspace) -> None:
    workspace.write("changesets/one.yaml", document("one"))
    workspace.write("changesets/two.yaml", document("two"))
    git(workspace.root.parent, "init", "-q", "-b", "main")
    git(workspace.root.parent, "add", "repository")
    git(workspace.root.parent, "commit", "-q", "-m", "x", email="anna@example.com")
    replace(workspace, "changesets/two.yaml", '"a"', '"b"')
    assert changed(workspace) == ["two"]


@pytest.mark.parametrize("revision", ["nowhere", "--help", "HEAD~99", "HEAD:changesets", ""])
def test_an_unknown_revision_is_wrong_input(repository: Workspace, revision: str) -> None:
    result = changed(repository, revision, code=1)
    assert result["error"]["code"] == "SE142"
    assert result["exit"] == 1
    assert not (repository.root / "plans" / "plans.json").exists()


def test_outside_of_git_the_message_says_so(workspace: Workspace) -> None:
    workspace.write("changesets/one.yaml", document("one"))
    assert "no git repository" in changed(workspace, "HEAD", code=1)["error"]["message"]


def test_a_shallow_clone_says_how_to_get_the_revision(repository: Workspace, tmp_path: Path) -> None:
    first = output(repository.root, "rev-parse", "HEAD")
    replace(repository, "changesets/one.yaml", '"a"', '"b"')
    commit(repository.root)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.root}", str(clone))
    shallow = Workspace(clone, repository.sandbox)
    result = changed(shallow, first, code=1)
    assert "shallow" in result["error"]["message"]
    assert "fetch-depth: 0" in result["error"]["hint"]
    assert changed(shallow, "HEAD") == []


def test_changesets_that_do_not_differ_still_conflict(repository: Workspace) -> None:
    replace(repository, "changesets/two.yaml", 'lead: "102"', 'lead: "101"')
    replace(repository, "changesets/two.yaml", '"a"', '"b"')
    ended = repository.run("plan", "changesets", "--each", "plans", "--since", "HEAD", "--format", "json").json
    messages = [finding["message"] for finding in ended["plans"][0]["findings"] if finding["rule"] == "conflict"]
    assert len(messages) == 3
    assert any("changeset one" in message for message in messages)


@pytest.mark.parametrize("plant", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_something_else_in_the_place_of_a_committed_file(repository: Workspace, plant: Callable[[Path], None]) -> None:
    path = repository.root / "changesets" / "two.yaml"
    path.unlink()
    plant(path)
    repository.write("changesets/new.yaml", document("new"))
    assert changed(repository) == ["new"]
