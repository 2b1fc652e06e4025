"""Git is asked who wrote a file: the whole history, nothing that the repository configures to be run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncengine.planning.authors import Authors, GitCannotTell

from .repository import git

TEXT = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    git(home, "init", "-q", "-b", "main")
    commit(home, "one.yaml", TEXT, "first@example.com")
    return home


def commit(folder: Path, name: str, text: str, email: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x", email=email)


def of(folder: Path, file: str) -> tuple[str, ...]:
    return tuple(sorted(Authors(folder, os.environ).of(file)))


def test_every_author_in_lower_case_and_once(folder: Path) -> None:
    commit(folder, "one.yaml", TEXT + "a\n", "Second@Example.com")
    commit(folder, "one.yaml", TEXT + "b\n", "first@example.com")
    commit(folder, "two.yaml", "other\n", "third@example.com")
    assert of(folder, "one.yaml") == ("first@example.com", "second@example.com")


@pytest.mark.parametrize("mark", ["\x0c", "\x85", "\u2028"])
def test_email_is_one_line_whatever_it_holds(folder: Path, mark: str) -> None:
    commit(folder, "one.yaml", TEXT + "a\n", f"second@example.com{mark}anna@example.com")
    assert of(folder, "one.yaml") == ("first@example.com", f"second@example.com{mark}anna@example.com")


def test_author_and_committer(folder: Path) -> None:
    (folder / "one.yaml").write_text(TEXT + "a\n")
    git(folder, "commit", "-q", "-a", "-m", "x", "--author", "n <writer@example.com>", email="committer@example.com")
    assert of(folder, "one.yaml") == ("committer@example.com", "first@example.com", "writer@example.com")


def test_renames_are_followed_and_folders_below_the_root_found(folder: Path) -> None:
    (folder / "sub").mkdir()
    git(folder, "mv", "one.yaml", "sub/[a]*.yaml")
    git(folder, "commit", "-q", "-m", "x", email="mover@example.com")
    assert of(folder, "sub/[a]*.yaml") == ("first@example.com", "mover@example.com")


def test_authors_of_merged_branches(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "one.yaml", TEXT + "side\n", "side@example.com")
    git(folder, "checkout", "-q", "main")
    commit(folder, "one.yaml", "main\n" + TEXT, "main@example.com")
    git(folder, "merge", "-q", "--no-edit", "side", email="merger@example.com")
    assert {"first@example.com", "main@example.com", "side@example.com"} <= set(of(folder, "one.yaml"))


def test_replaced_history_and_mailmaps_hide_nobody(folder: Path) -> None:
    commit(folder, "one.yaml", TEXT + "a\n", "second@example.com")
    commit(folder, ".mailmap", "n <boss@example.com> <first@example.com>\n", "third@example.com")
    head, first = git(folder, "rev-list", "HEAD", "--", "one.yaml").split()
    forged = git(folder, "commit-tree", f"{first}^{{tree}}", "-m", "x", email="forged@example.com").strip()
    git(folder, "replace", first, forged)
    git(folder, "config", "log.mailmap", "true")
    assert head != first
    assert of(folder, "one.yaml") == ("first@example.com", "second@example.com")


def test_nothing_that_the_repository_configures_is_run(folder: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for setting in (
        "core.fsmonitor", "core.pager", "diff.external", "filter.trap.clean", "filter.trap.smudge", "gpg.program",
        "diff.trap.textconv", "core.editor", "pager.log", "core.alternateRefsCommand",
    ):  # fmt: skip
        git(folder, "config", setting, str(trap))
    git(folder, "config", "log.showSignature", "true")
    (folder / ".git" / "info" / "attributes").write_text("*.yaml filter=trap diff=trap\n")
    assert of(folder, "one.yaml") == ("first@example.com",)
    assert not (tmp_path / "sprung").exists()


def test_the_callers_git_variables_take_no_part(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "other")
    environ = os.environ | {"GIT_DIR": str(tmp_path / "other" / ".git"), "GIT_AUTHOR_EMAIL": "x@example.com"}
    assert set(Authors(folder, environ).of("one.yaml")) == {"first@example.com"}


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("changed", "has changes that are not committed"),
        ("hidden", "has changes that are not committed"),
        ("staged", "has changes that are not committed"),
        ("untracked", "two.yaml is not committed"),
        ("missing", "two.yaml is not here"),
    ],
)
def test_where_git_cannot_tell(folder: Path, what: str, reason: str) -> None:
    file = "one.yaml"
    if what in ("changed", "hidden", "staged"):
        (folder / file).write_text("changed\n")
    if what == "hidden":
        git(folder, "update-index", "--assume-unchanged", file)
    if what == "staged":
        git(folder, "add", "-A")
    if what in ("untracked", "missing"):
        file = "two.yaml"
    if what == "untracked":
        (folder / file).write_text("new\n")
    with pytest.raises(GitCannotTell, match=reason) as caught:
        of(folder, file)
    assert caught.value.hint
    assert Authors(folder, os.environ).known(file) == {}


def test_line_ends_that_git_converts_are_no_change(folder: Path) -> None:
    (folder / "one.yaml").write_bytes(TEXT.replace("\n", "\r\n").encode())
    assert of(folder, "one.yaml") == ("first@example.com",)


TRAILERS = {
    "plain": ("Co-authored-by: Bob <bob@example.com>", ["bob@example.com"]),
    "capitals and spaces": ("co-AUTHORED-by :   Bob  < Bob@Example.com >", ["bob@example.com"]),
    "several in a line": (
        "Co-authored-by: Bob <bob@example.com>, Carla <carla@example.com>; dora@example.com",
        ["bob@example.com", "carla@example.com", "dora@example.com"],
    ),
    "several lines": (
        "Co-authored-by: Bob <bob@example.com>\nCO-AUTHORED-BY: carla@example.com",
        ["bob@example.com", "carla@example.com"],
    ),
    "folded": ("Co-authored-by: Bob\n  <bob@example.com>", ["bob@example.com"]),
    "among others": ("Signed-off-by: S <s@example.com>\nCo-authored-by: Bob <bob@example.com>", ["bob@example.com"]),
    "in the body": ("Co-authored-by: Bob <bob@example.com>\n\nMore text about this.", []),
    "in a sentence": ("This was Co-authored-by: Bob <bob@example.com>", []),
    "another word": ("Co-authored-by-nobody: Bob <bob@example.com>", []),
    "without an address": ("Co-authored-by: Bob", []),
}


@pytest.mark.parametrize("how", TRAILERS)
def test_co_authors_are_those_of_git_trailers(folder: Path, how: str) -> None:
    text, emails = TRAILERS[how]
    (folder / "one.yaml").write_text(TEXT + "a\n")
    git(folder, "commit", "-q", "-a", "--cleanup=verbatim", "-m", f"Change a line\n\n{text}\n")
    assert set(of(folder, "one.yaml")) == {"author@example.com", "first@example.com", *emails}


def test_trailers_that_the_repository_configures_change_nothing(folder: Path) -> None:
    git(folder, "config", "trailer.separators", "#")
    git(folder, "config", "log.follow", "true")
    (folder / "one.yaml").write_text(TEXT + "a\n")
    git(folder, "commit", "-q", "-a", "-m", "Change a line\n\nCo-authored-by: Bob <bob@example.com>")
    assert "bob@example.com" in of(folder, "one.yaml")


def test_merge_of_changes_apart_makes_nobody_an_author(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "one.yaml", TEXT + "side\n", "side@example.com")
    git(folder, "checkout", "-q", "main")
    commit(folder, "one.yaml", "main\n" + TEXT, "main@example.com")
    git(folder, "merge", "-q", "--no-edit", "side", email="merger@example.com")
    assert of(folder, "one.yaml") == ("first@example.com", "main@example.com", "side@example.com")


def test_merge_that_brings_a_file_makes_nobody_an_author(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "two.yaml", "x\n", "side@example.com")
    git(folder, "checkout", "-q", "main")
    git(folder, "merge", "-q", "--no-edit", "--no-ff", "side", email="merger@example.com")
    assert of(folder, "two.yaml") == ("side@example.com",)


@pytest.mark.parametrize("text", [TEXT + "own words\n", "line 0 by hand\n" + TEXT])
def test_merge_with_lines_of_its_own_has_an_author(folder: Path, text: str) -> None:
    git(folder, "checkout", "-q", "-b", "side")
    commit(folder, "one.yaml", TEXT + "side\n", "side@example.com")
    git(folder, "checkout", "-q", "main")
    commit(folder, "one.yaml", TEXT + "main\n", "main@example.com")
    git(folder, "merge", "-q", "--no-commit", "-s", "ours", "side", email="merger@example.com")
    commit(folder, "one.yaml", text, "merger@example.com")
    assert "merger@example.com" in of(folder, "one.yaml")


def test_change_of_the_old_name_on_another_branch_is_found(folder: Path) -> None:
    git(folder, "checkout", "-q", "-b", "side")
    git(folder, "mv", "one.yaml", "renamed.yaml")
    git(folder, "commit", "-q", "-m", "x", email="mover@example.com")
    git(folder, "checkout", "-q", "main")
    commit(folder, "one.yaml", "main\n" + TEXT, "main@example.com")
    git(folder, "merge", "-q", "--no-edit", "side", email="merger@example.com")
    assert of(folder, "renamed.yaml") == ("first@example.com", "main@example.com", "mover@example.com")


def test_name_that_is_used_again_has_its_own_authors(folder: Path) -> None:
    git(folder, "mv", "one.yaml", "old.yaml")
    git(folder, "commit", "-q", "-m", "x", email="mover@example.com")
    commit(folder, "one.yaml", "something else entirely\n", "second@example.com")
    assert of(folder, "old.yaml") == ("first@example.com", "mover@example.com")


def test_file_that_was_deleted_and_added_again_keeps_its_authors(folder: Path) -> None:
    git(folder, "rm", "-q", "one.yaml")
    git(folder, "commit", "-q", "-m", "x", email="remover@example.com")
    commit(folder, "one.yaml", TEXT, "second@example.com")
    assert of(folder, "one.yaml") == ("first@example.com", "remover@example.com", "second@example.com")
