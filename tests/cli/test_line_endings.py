"""Line endings that git changes in a checkout: `init` stops it, `plan` and `doctor` warn of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.console import Ended, run_inside

CHANGESET = """\
version: 1
changeset: crlf-checkout
account: acme
sources:
  rows: {file: ../data/rows.csv}
changes:
  - for_each: rows
    lead: "{{ row.lead_id }}"
    update: {c1: "{{ row.note }}"}
"""
ROWS = 'lead_id,note\n2932683,"call back\nafter six"\n2932684,b\n'


def _git(folder: Path, *arguments: str) -> str:
    identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        identity |= {f"GIT_{role}_NAME": "ann", f"GIT_{role}_EMAIL": "ann@example.com"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=os.environ | identity, capture_output=True, text=True, check=True
    )
    return done.stdout


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, "commit", "-qm", "x")


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A repository as `init` makes it, with a changeset and its rows, committed."""
    folder = tmp_path / "team"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "main")
    assert run_inside("init", ".", cwd=folder).code == 0
    (folder / "changesets" / "example.yaml").write_text(CHANGESET)
    (folder / "data" / "rows.csv").write_text(ROWS)
    _commit(folder)
    return folder


@pytest.fixture
def unprotected(team: Path) -> Path:
    """The same without .gitattributes."""
    (team / ".gitattributes").unlink()
    _commit(team)
    return team


def _checkout(team: Path, *, crlf: bool = True) -> Path:
    """Another person's checkout, as Git for Windows makes it."""
    target = team.parent / "bob"
    _git(team.parent, "clone", "-q", "-c", f"core.autocrlf={'true' if crlf else 'false'}", str(team), str(target))
    for name in ("ledger.db", "ledger.key"):
        shutil.copy(team / ".syncengine" / name, target / ".syncengine" / name)
    return target


def _planned(folder: Path) -> tuple[str, list[str]]:
    ended = run_inside("plan", "changesets", "--offline", "--format", "json", cwd=folder)
    assert ended.code == 0, ended.err
    return ended.json["plan"], [text for text in ended.json["warnings"] if "line endings" in text]


def _doctor(folder: Path, *paths: str) -> list[str]:
    ended: Ended = run_inside("doctor", "--offline", *paths, cwd=folder)
    return [line for line in ended.out.split("\n") if "line endings" in line]


def test_checkout_of_a_new_repository_keeps_line_endings_and_gives_the_same_plan(team: Path) -> None:
    other = _checkout(team)
    assert (other / "data" / "rows.csv").read_bytes() == ROWS.encode()
    assert (other / "changesets" / "example.yaml").read_bytes() == CHANGESET.encode()
    assert _planned(other) == _planned(team)
    assert _planned(other)[1] == []
    assert _doctor(other) == []


def test_plan_and_doctor_warn_where_git_converted_rows(unprotected: Path) -> None:
    other = _checkout(unprotected)
    assert _git(other, "status", "--short") == ""
    digest, warnings = _planned(other)
    assert digest != _planned(unprotected)[0]
    message = "data/rows.csv differs from what is committed in its line endings only (LF in git, CRLF here)"
    assert any(text.startswith(message) for text in warnings)
    assert any(text.startswith("changesets/example.yaml differs") for text in warnings)
    for paths in ([], ["changesets"]):
        told = _doctor(other, *paths)
        assert any(line.startswith(f"warning  line endings: {message}") for line in told)
    assert _planned(unprotected)[1] == []


def test_advice_of_doctor_repairs_the_checkout(unprotected: Path) -> None:
    other = _checkout(unprotected)
    ended = run_inside("doctor", "--offline", "--format", "json", cwd=other)
    advice = [check["advice"] for check in ended.json["checks"] if check["name"] == "line endings"]
    for text in (text for text in advice if ".csv" in text or "changesets/" in text):
        with (other / ".gitattributes").open("a") as file:
            file.write(text.partition("add `")[2].partition("`")[0] + "\n")
        subprocess.run(text.partition("again: ")[2], shell=True, cwd=other, check=True, capture_output=True)
    _commit(other)
    assert _planned(other)[0] == _planned(unprotected)[0]
    assert not [text for text in _planned(other)[1] if "rows.csv" in text]
    assert _git(other, "show", "--stat=200", "--format=").count("|") == 1


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "Rows.CSV"])
def test_doctor_looks_at_every_kind_of_text(unprotected: Path, name: str) -> None:
    (unprotected / "elsewhere").mkdir()
    (unprotected / "elsewhere" / name).write_bytes(b"a\nb\n")
    _commit(unprotected)
    other = _checkout(unprotected)
    ended = run_inside("doctor", "--offline", "--format", "json", cwd=other)
    messages = [check["message"] for check in ended.json["checks"] if check["name"] == "line endings"]
    assert any(f"elsewhere/{name}" in message for message in messages) or "more files" in messages[-1]


def test_signers_and_schemas_with_other_line_endings_are_warned_of(unprotected: Path) -> None:
    (unprotected / ".syncengine" / "allowed_signers").write_text("bob@example.com ssh-ed25519 AAAA\n")
    text = (unprotected / "syncengine.yaml").read_text()
    rule = "  approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}"
    (unprotected / "syncengine.yaml").write_text(text.replace("  # approvals:", f"{rule}\n  # approvals:"))
    _commit(unprotected)
    warnings = _planned(_checkout(unprotected))[1]
    assert any(text.startswith(".syncengine/allowed_signers differs") for text in warnings)


def test_edited_and_committed_line_endings_are_no_conversion(team: Path) -> None:
    (team / "data" / "rows.csv").write_bytes(ROWS.replace("\n", "\r\n").replace("b", "c").encode())
    assert _planned(team)[1] == []  # its text was edited as well
    _commit(team)
    assert _planned(team)[1] == []
    assert _doctor(team) == []


@pytest.mark.parametrize("missing", ["repository", "git"])
def test_without_git_or_a_repository_plan_and_doctor_go_on(team: Path, missing: str, tmp_path: Path) -> None:
    environ = {}
    if missing == "repository":
        shutil.rmtree(team / ".git")
    else:
        (tmp_path / "bin").mkdir()
        environ = {"PATH": str(tmp_path / "bin")}
    planned = run_inside("plan", "changesets", "--offline", "--format", "json", cwd=team, **environ)
    assert planned.code == 0
    assert "line endings" not in planned.out
    assert run_inside("doctor", "--offline", cwd=team, **environ).code in (0, 1)


def test_names_that_look_like_patterns_are_files(unprotected: Path) -> None:
    (unprotected / "data" / "rows[1]*.csv").write_bytes(ROWS.encode())
    text = CHANGESET.replace("../data/rows.csv", '"../data/rows[1]*.csv"')
    (unprotected / "changesets" / "example.yaml").write_text(text)
    _commit(unprotected)
    warnings = _planned(_checkout(unprotected))[1]
    assert [text.split(" differs")[0] for text in warnings if "data/" in text] == ["data/rows[1]*.csv"]


def test_repository_below_the_top_of_its_git_repository(tmp_path: Path) -> None:
    top = tmp_path / "team"
    top.mkdir()
    _git(top, "init", "-q", "-b", "main")
    assert run_inside("init", "leads", cwd=top).code == 0
    (top / "leads" / "data" / "example.csv").write_text(ROWS)
    (top / "leads" / ".gitattributes").unlink()
    _commit(top)
    target = tmp_path / "bob"
    _git(tmp_path, "clone", "-q", "-c", "core.autocrlf=true", str(top), str(target))
    assert any("data/example.csv" in line for line in _doctor(target / "leads"))


@pytest.mark.parametrize(
    "there",
    ["", "*.png binary", "*.png binary\n", "* text=auto eol=crlf\n", "*.csv -text\n", "# mine\r\n*.csv text\r\n"],
)
def test_init_completes_an_existing_file_once(tmp_path: Path, there: str) -> None:
    _git(tmp_path, "init", "-q")
    (tmp_path / ".gitattributes").write_bytes(there.encode())
    assert run_inside("init", ".", cwd=tmp_path).code == 0
    text = (tmp_path / ".gitattributes").read_bytes().decode()
    assert text.startswith(there)
    assert text.count("*.csv -text") == 1
    assert run_inside("init", ".", cwd=tmp_path).code == 0
    assert (tmp_path / ".gitattributes").read_bytes().decode() == text
    for name in ("changesets/example.yaml", "data/example.csv", "sandbox/data/example.csv", "syncengine.yaml"):
        assert _git(tmp_path, "check-attr", "text", name).strip() == f"{name}: text: unset"
