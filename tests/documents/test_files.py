"""Finding documents, staying inside the repository, and opening ordinary files only."""

import os
from pathlib import Path

import pytest

from syncengine.core.errors import InputError
from syncengine.documents.files import inside, read_bounded
from syncengine.documents.search import find_documents


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    for name in ("b.yaml", "a.yml", "sub/c.yaml", ".hidden.yaml", ".git/d.yaml", "syncengine.yaml", "notes.txt"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version: 1\n")
    return root


def test_folders_are_searched_in_order_without_hidden_files(tree: Path) -> None:
    found, problems = find_documents([tree])
    assert problems == []
    assert [path.relative_to(tree).as_posix() for path in found] == ["a.yml", "b.yaml", "sub/c.yaml"]


def test_each_file_comes_once(tree: Path) -> None:
    (tree / "z.yaml").symlink_to(tree / "b.yaml")
    found, _ = find_documents([tree / "b.yaml", tree, tree / "sub" / ".." / "b.yaml"])
    assert len(found) == 3


def test_what_is_not_there_is_a_problem(tree: Path) -> None:
    (tree / "empty").mkdir()
    os.mkfifo(tree / "pipe")
    (tree / "dangling.yaml").symlink_to(tree / "gone")
    found, problems = find_documents([tree / "no.yaml", tree / "empty", tree / "pipe", tree / "dangling.yaml"])
    assert found == []
    assert [each.code for each in problems] == ["SE114", "SE114", "SE115", "SE115"]
    assert all(each.message and each.hint for each in problems)


def test_a_link_to_a_folder_is_not_followed(tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    found, _ = find_documents([tree])
    assert len(found) == 3


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "sub/../../secret", "link", "folder-link/secret", "x\0y"])
def test_nothing_outside_the_repository_is_given(tree: Path, path: str) -> None:
    (tree.parent / "secret").write_text("x")
    (tree / "link").symlink_to("../secret")
    (tree / "folder-link").symlink_to("..")
    assert inside(tree, Path(path)) is None


def test_a_sibling_with_the_same_beginning_is_outside(tree: Path) -> None:
    other = tree.parent / "repo-other"
    other.mkdir()
    (other / "x").write_text("x")
    assert inside(tree, other / "x") is None


def test_special_files_are_refused(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero", "sub", "none"):
        assert inside(tree, Path(name)) is None
        with pytest.raises(InputError):
            read_bounded(tree / name, 10)


def test_files_inside_are_given_resolved(tree: Path) -> None:
    (tree / "link.yaml").symlink_to("sub/c.yaml")
    assert inside(tree, Path("link.yaml")) == (tree / "sub" / "c.yaml").resolve()
    assert inside(tree, tree / "b.yaml") == (tree / "b.yaml").resolve()


def test_reading_is_bounded(tree: Path) -> None:
    assert read_bounded(tree / "b.yaml", 11) == b"version: 1\n"
    with pytest.raises(InputError) as caught:
        read_bounded(tree / "b.yaml", 10)
    assert caught.value.code == "SE113"
