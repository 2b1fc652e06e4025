"""Where git cannot tell who the authors are, views do not claim that approvals suffice, and `approve` says so."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest

from tests.cli.console import Ended, run

from .repository import AUTHOR, Repository, git, public

POLICY = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}\n"
ANNA, BOB = "anna@example.com", "bob@example.com"
SHALLOW = "git cannot tell the authors: the clone is shallow; fetch the whole history: 'git fetch --unshallow'"


@pytest.fixture
def team(repository: Repository) -> Repository:
    """Two commits of a changeset, and a signed plan."""
    people = {ANNA: "anna", BOB: "bob", AUTHOR: "author"}
    repository.write(POLICY)
    repository.signers(*(f"{person} {public(repository.key(name))}" for person, name in people.items()))
    repository.commit(email=BOB)
    repository.changeset('- lead: "2932682"\n  trigger: ["1053"]\n')
    repository.commit()
    planned(repository.folder)
    assert signed(repository.folder, "anna").code == 0
    return repository


@pytest.fixture
def clone(team: Repository, tmp_path: Path) -> Path:
    """A shallow clone that holds the signed plan too."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", team.folder.as_uri(), str(folder))
    for name in ("sandbox.key", "release.plan", "release.plan.approval"):
        (folder / name).write_bytes((team.folder / name).read_bytes())
    return folder


def planned(folder: Path, *more: str) -> Ended:
    ended = run("plan", "release-one.yaml", "--out", "release.plan", *more, cwd=folder)
    assert ended.code == 0, ended.err
    return ended


def signed(folder: Path, name: str, *more: str) -> Ended:
    return run("approve", "release.plan", "--key", f"../keys/{name}", *more, cwd=folder)


def shown(folder: Path, format_: str = "json") -> Ended:
    ended = run("show", "release.plan", "--format", format_, cwd=folder)
    assert ended.code == 0, ended.err
    return ended


def words(text: str) -> str:
    """Without what Markdown, HTML and line breaks add."""
    return " ".join(unescape(text).replace("\\", "").replace("`", "").split())


def test_show_counts_no_approval_in_a_shallow_clone(team: Repository, clone: Path) -> None:
    assert shown(team.folder).json["approvals"] == {"needed": 1, "given": [ANNA], "left_out": []}
    approvals = shown(clone).json["approvals"]
    assert (approvals["needed"], approvals["given"]) == (1, [])
    (out,) = approvals["left_out"]
    assert out["principal"] == ANNA
    assert out["reason"].startswith(SHALLOW)
    assert "fetch-depth: 0" in out["reason"]
    refused = run("apply", "release.plan", "--format", "json", cwd=clone)
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE639")
    assert team.effects == 0


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_views_say_why_no_approval_counts(team: Repository, clone: Path, format_: str) -> None:
    assert "1 of 1 given" in shown(team.folder, format_).out
    out = words(shown(clone, format_).out)
    assert f"0 of 1 given; not counted: {ANNA} ({SHALLOW}" in out
    assert "fetch-depth: 0" in out
    assert "1 of 1 given" not in out


@pytest.mark.usefixtures("team")
def test_plan_counts_no_approval_in_a_shallow_clone(clone: Path) -> None:
    assert signed(clone, "anna", "--in-repository").code == 0
    assert f"0 of 1 given; not counted: {ANNA} ({SHALLOW}" in words(planned(clone).out)


def test_reason_is_said_once_for_several_signatures(team: Repository, clone: Path) -> None:
    shared = f"{ANNA}, {BOB} ({SHALLOW}"
    (clone / "release.plan").unlink()
    (clone / "release.plan.approval").unlink()
    planned(clone)
    assert signed(clone, "anna").code == signed(clone, "bob").code == 0
    assert shared in words(shown(clone, "text").out)
    assert team.effects == 0


def test_author_on_record_is_left_out_as_author(clone: Path) -> None:
    refused = signed(clone, "author", "--format", "json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE647")


def test_approve_in_a_shallow_clone_says_that_the_approval_does_not_count_here(clone: Path) -> None:
    (clone / "release.plan.approval").unlink()
    ended = signed(clone, "anna", "--format", "json")
    assert (ended.code, ended.json["added"], ended.json["counts"]) == (0, True, False)
    assert f"not counted: release.plan.approval, {ANNA}: {SHALLOW}" in words(ended.err)
    assert "fetch-depth: 0" in words(ended.err)
    assert "approved by: none that counts here" in ended.err


def test_approval_signed_in_a_shallow_clone_counts_in_a_whole_one(team: Repository, clone: Path) -> None:
    (team.folder / "release.plan.approval").unlink()
    (clone / "release.plan.approval").unlink()
    assert signed(clone, "anna").code == 0
    (clone / "release.plan.approval").rename(team.folder / "release.plan.approval")
    assert run("apply", "release.plan", cwd=team.folder).code == 0
    assert team.effects == 1


def test_fetching_the_whole_history_makes_it_count(team: Repository, clone: Path) -> None:
    git(clone, "fetch", "-q", "--unshallow")
    assert shown(clone).json["approvals"]["given"] == [ANNA]
    assert run("apply", "release.plan", cwd=clone).code == 0
    assert team.effects == 1


def test_changes_that_are_not_committed_are_said_in_views_too(team: Repository) -> None:
    team.changeset('- lead: "2932682"\n  update: {c1: x}\n')
    (out,) = shown(team.folder).json["approvals"]["left_out"]
    assert out["reason"].startswith("git cannot tell the authors: release-one.yaml has changes that are not committed")


def test_no_git_is_needed_where_authors_may_approve(repository: Repository) -> None:
    repository.write(POLICY.replace("}", ", author_may_approve: true}"))
    repository.signers(f"{ANNA} {public(repository.key('anna'))}")
    planned(repository.folder)
    assert signed(repository.folder, "anna").code == 0
    assert shown(repository.folder).json["approvals"]["given"] == [ANNA]
