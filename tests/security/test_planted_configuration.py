"""A configuration is looked for in parent folders, where a stranger may have put one: on a shared machine, in /tmp."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncengine.documents.configuration import planted
from tests.cli.console import Ended, run_inside

ME, STRANGER, ROOT = 1000, 1001, 0
PRIVATE, SHARED, ANYBODY = 0o40755, 0o42775, 0o41777

CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY}
"""
CHANGESET = """\
version: 1
changeset: honest-one
account: acme
changes:
  - lead: "2932682"
    update: {postcode: AA1 1AA}
"""


@pytest.mark.parametrize(
    ("owner", "folder", "friends", "expected"),
    [
        (ME, (ME, PRIVATE), {ME}, False),
        (ME, (ROOT, ANYBODY), {ME}, False),
        (ROOT, (ROOT, ANYBODY), {ME}, False),
        (STRANGER, (ROOT, ANYBODY), {ME}, True),
        (STRANGER, (ME, 0o40777), {ME}, True),
        (STRANGER, (STRANGER, PRIVATE), {ME}, True),
        # A colleague in a folder that was opened to a group, and a whole checkout of another user in a container.
        (STRANGER, (ME, SHARED), {ME}, False),
        (STRANGER, (ROOT, SHARED), {ME}, False),
        (STRANGER, (STRANGER, PRIVATE), {ROOT, STRANGER}, False),
        (STRANGER, (ROOT, ANYBODY), {ME, STRANGER}, False),
    ],
)
def test_who_may_have_put_it_there(owner: int, folder: tuple[int, int], friends: set[int], expected: bool) -> None:
    assert planted(owner, folder, friends=friends) is expected


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder like /tmp, with a configuration in it and somebody's work further down."""
    folder = tmp_path / "shared"
    work = folder / "mine" / "work"
    work.mkdir(parents=True)
    folder.chmod(0o1777)
    (folder / "syncengine.yaml").write_text(CONFIGURATION)
    (work / "a.yaml").write_text(CHANGESET)
    return folder


def _give(*paths: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give a file to somebody else; the rule itself is tried above")
    for path in paths:
        os.lchown(path, 12345, 12345)


def _validate(folder: Path, *words: str) -> Ended:
    return run_inside("validate", "a.yaml", *words, cwd=folder, LEADBYTE_API_KEY="secret-key")


def test_a_strangers_configuration_is_obeyed_where_it_is_named_only(shared: Path) -> None:
    _give(shared / "syncengine.yaml")
    for words in (("validate", "a.yaml"), ("plan", "a.yaml"), ("status",), ("doctor",)):
        ended = run_inside(*words, cwd=shared / "mine" / "work", LEADBYTE_API_KEY="secret-key")
        assert ended.code == 1
        assert f"{shared / 'syncengine.yaml'} belongs to another user" in ended.out + ended.err
    assert _validate(shared / "mine" / "work", "--config", str(shared / "syncengine.yaml")).code == 0


def test_a_strangers_link_to_my_configuration_is_not_obeyed(shared: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    (shared / "syncengine.yaml").rename(mine)
    (shared / "syncengine.yaml").symlink_to(mine)
    _give(shared / "syncengine.yaml")
    assert "SE505" in _validate(shared / "mine" / "work").err


def test_ones_own_is_obeyed_and_so_is_that_of_a_checkout_of_another_user(shared: Path) -> None:
    work = shared / "mine" / "work"
    assert _validate(work).code == 0
    _give(shared / "syncengine.yaml", work)
    assert _validate(work).code == 0
