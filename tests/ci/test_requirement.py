"""`init --ci` writes what this very installation came from; where no other machine could install that, it says so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import syncengine
from tests.cli.console import Ended, environment

ROOT = Path(syncengine.__file__).resolve().parent.parent
FILES = {"github": ".github/workflows/syncengine.yml", "gitlab": ".gitlab-ci.yml"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GIT = {"vcs": "git", "requested_revision": "main", "commit_id": COMMIT}
SHA = "5f" * 32
SECRET = "s3cr3t"


def installed(folder: Path, record: Any, version: str = "1.2.3") -> Path:
    """A folder of packages in which syncengine is installed, with this direct_url.json; without one for None."""
    site = folder / "site"
    metadata = site / f"leadbyte_syncengine-{version}.dist-info"
    metadata.mkdir(parents=True)
    (site / "syncengine").symlink_to(ROOT / "syncengine")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.4\nName: leadbyte-syncengine\nVersion: {version}\n")
    if record is not None:
        text = record if isinstance(record, str) else json.dumps(record)
        (metadata / "direct_url.json").write_text(text, encoding="utf-8")
    return site


def init(site: Path, folder: Path, system: str) -> tuple[Ended, str, str]:
    """How `init --ci` ended, the text of the file that it wrote, and what that tells pip to install."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "syncengine", "init", "--ci", system],
        cwd=folder,
        env=environment(PYTHONPATH=str(site)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    text = (folder / FILES[system]).read_text(encoding="utf-8")
    document = yaml.load(text, yaml.BaseLoader)
    return (
        Ended(0, done.stdout, done.stderr),
        text,
        document["env" if system == "github" else "variables"]["SYNCENGINE"],
    )


@pytest.mark.parametrize("system", FILES)
def test_a_release_from_an_index_is_pinned(system: str, tmp_path: Path) -> None:
    _, _, requirement = init(installed(tmp_path, None), tmp_path / "new", system)
    assert requirement == "leadbyte-syncengine[postgres]==1.2.3"


REPOSITORY = "https://git.example.org/team/syncengine.git"
WHEEL = "https://files.example.org/leadbyte_syncengine-1.2.3-py3-none-any.whl"


@pytest.mark.parametrize("system", FILES)
@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        ({"url": REPOSITORY, "vcs_info": GIT}, f"git+{REPOSITORY}@{COMMIT}"),
        ({"url": REPOSITORY, "vcs_info": GIT, "subdirectory": "tool"}, f"git+{REPOSITORY}@{COMMIT}#subdirectory=tool"),
        ({"url": "ssh://git@h.example/x.git", "vcs_info": GIT}, f"git+ssh://git@h.example/x.git@{COMMIT}"),
        ({"url": WHEEL, "archive_info": {"hashes": {"sha256": SHA}}}, f"{WHEEL}#sha256={SHA}"),
        ({"url": WHEEL, "archive_info": {"hash": f"sha256={SHA}"}}, f"{WHEEL}#sha256={SHA}"),
        ({"url": WHEEL, "archive_info": {}}, WHEEL),
    ],
)
def test_what_came_from_a_url_comes_from_there_with_its_commit_or_hash(
    record: Any, wanted: str, system: str, tmp_path: Path
) -> None:
    ended, _, requirement = init(installed(tmp_path, record), tmp_path / "new", system)
    assert requirement == f"leadbyte-syncengine[postgres] @ {wanted}"
    assert "does not say what pip" not in ended.err


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (f"https://anna:{SECRET}@git.example.org/x.git", "git+https://git.example.org/x.git"),
        (f"https://{SECRET}@git.example.org/x.git", "git+https://git.example.org/x.git"),
        (f"https://git.example.org/x.git?token={SECRET}", "git+https://git.example.org/x.git"),
        (f"ssh://git:{SECRET}@git.example.org:2222/x.git", "git+ssh://git@git.example.org:2222/x.git"),
        (f"https://a@b:{SECRET}@git.example.org/x.git", "git+https://git.example.org/x.git"),
    ],
)
def test_no_credential_of_the_url_is_written(url: str, wanted: str, tmp_path: Path) -> None:
    ended, text, requirement = init(installed(tmp_path, {"url": url, "vcs_info": GIT}), tmp_path / "new", "github")
    assert requirement == f"leadbyte-syncengine[postgres] @ {wanted}@{COMMIT}"
    assert "which are left out" in text
    assert SECRET not in text + ended.out + ended.err


@pytest.mark.parametrize("system", FILES)
@pytest.mark.parametrize(
    "record",
    [
        {"url": "file:///home/anna/syncengine", "dir_info": {"editable": True}},
        {"url": "file:///home/anna/syncengine", "dir_info": {}},
        {"url": "file:///tmp/leadbyte_syncengine-1.2.3-py3-none-any.whl", "archive_info": {}},
        {"url": "file:///srv/git/syncengine.git", "vcs_info": GIT},
        {"url": "https://example.org/x", "vcs_info": {"vcs": "hg", "commit_id": COMMIT}},
        {"url": REPOSITORY, "vcs_info": GIT | {"commit_id": "main; rm -rf /"}},
        {"url": 'https://example.org/"\n  X: y', "vcs_info": GIT},
        {"url": "https://example.org/${{ secrets.KEY }}", "vcs_info": GIT},
        {"url": "https://example.org/$(id)", "archive_info": {}},
        {"vcs_info": GIT},
        "{",
        "[]",
    ],
)
def test_what_no_runner_can_install_is_left_open_with_a_comment(record: Any, system: str, tmp_path: Path) -> None:
    ended, text, requirement = init(installed(tmp_path, record), tmp_path / "new", system)
    assert requirement == ""
    assert "To be filled in" in text
    assert '"leadbyte-syncengine[postgres] @ git+https://HOST/PATH@COMMIT"' in text
    assert "fill in SYNCENGINE there" in ended.err
    for words in ("anna", "secrets.KEY }", "$(id)", "main; rm"):
        assert words not in text


def test_a_checkout_beside_an_installation_is_not_that_installation(tmp_path: Path) -> None:
    site = installed(tmp_path, None)
    (site / "syncengine").unlink()
    (site / "checkout").mkdir()
    _, _, requirement = init(site, tmp_path / "new", "github")
    assert requirement == ""
