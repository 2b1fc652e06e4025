"""`syncengine init`: what it writes, what it completes, and what it refuses."""

from __future__ import annotations

import json
import resource
import stat
import subprocess
from pathlib import Path

import pytest

from syncengine.cli.pinning import pin_of
from tests.cli.console import SCRIPT, run

MINE = """\
# mine, with its comments
version: 1
accounts:
  northern:
    base_url: https://northern.leadbyte.co.uk   # kept
    api_key: env:LEADBYTE_API_KEY
"""


def files(folder: Path) -> dict[str, bytes]:
    """Everything below the folder but what SQLite keeps beside its database."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".db" not in path.name
    }


@pytest.fixture
def founded(tmp_path: Path) -> Path:
    ended = run("init", "leads", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    return tmp_path / "leads"


def test_what_it_writes_validates_and_plans(founded: Path) -> None:
    assert run("validate", "changesets", cwd=founded).code == 0
    planned = run("plan", "changesets", "--format", "json", cwd=founded)
    assert (planned.code, planned.json["account"]) == (0, "acme")
    assert planned.json["operations"]["to_send"] == planned.json["operations"]["total"] > 0


def test_the_sandbox_has_a_repository_and_a_ledger_of_its_own(founded: Path) -> None:
    assert run("validate", "changesets", cwd=founded / "sandbox").code == 0
    planned = run("plan", "changesets", "--format", "json", cwd=founded / "sandbox")
    assert (planned.code, planned.json["blocked"]) == (0, [])
    main, trial = pin(founded), pin(founded / "sandbox")
    assert main
    assert trial
    assert main != trial
    assert "base_url: http://127.0.0.1:" in (founded / "sandbox" / "syncengine.yaml").read_text(encoding="utf-8")


def pin(folder: Path) -> str | None:
    return pin_of((folder / "syncengine.yaml").read_text(encoding="utf-8"))


def test_the_pin_is_the_ledger_that_status_reads(founded: Path) -> None:
    status = run("status", "--format", "json", cwd=founded)
    assert status.code == 0
    assert status.json["ledger"]["id"] == pin(founded)


def test_every_yaml_file_names_a_schema_that_is_there(founded: Path) -> None:
    found = [*founded.rglob("*.yaml")]
    assert len(found) == 4
    for path in found:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert json.loads((path.parent / first.partition("$schema=")[2]).read_text(encoding="utf-8"))["title"]


def test_secrets_are_private_and_kept_out_of_git(founded: Path) -> None:
    for path in (founded / ".syncengine" / "ledger.key", founded / "sandbox" / ".syncengine" / "sandbox.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    ignored = (founded / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "**/.syncengine/*" in ignored
    assert "*.plan" in ignored


def test_a_second_run_changes_nothing(founded: Path) -> None:
    before = files(founded)
    ended = run("init", cwd=founded)
    assert ended.code == 0
    assert "nothing was missing" in ended.out
    assert files(founded) == before


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "changesets").mkdir()
    (tmp_path / "changesets" / "example.yaml").write_text("mine\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("*.plan\n/mine", encoding="utf-8")
    assert run("init", cwd=tmp_path).code == 0
    assert (tmp_path / "changesets" / "example.yaml").read_text(encoding="utf-8") == "mine\n"
    ignored = (tmp_path / ".gitignore").read_text(encoding="utf-8")
    assert ignored.startswith("*.plan\n/mine\n\n#")
    assert ignored.count("*.plan\n") == 1


def test_an_existing_configuration_is_completed_in_place(tmp_path: Path) -> None:
    (tmp_path / "syncengine.yaml").write_text(MINE, encoding="utf-8")
    assert run("init", cwd=tmp_path).code == 0
    text = (tmp_path / "syncengine.yaml").read_text(encoding="utf-8")
    assert text == f"{MINE}\nledger:\n  id: {pin(tmp_path)}\n"
    assert not (tmp_path / "changesets").exists()
    assert "  northern:\n" in (tmp_path / "sandbox" / "syncengine.yaml").read_text(encoding="utf-8")
    assert run("validate", "changesets", cwd=tmp_path / "sandbox").code == 0


@pytest.mark.parametrize("room", [20, 600, 20_000])
def test_after_a_full_disk_the_same_command_finishes(tmp_path: Path, room: int) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    command = [SCRIPT, "init", "leads"]
    failed = subprocess.run(command, cwd=tmp_path, capture_output=True, preexec_fn=small_disk, check=False)
    assert failed.returncode == 1
    assert b"Traceback" not in failed.stderr
    assert run("init", "leads", cwd=tmp_path).code == 0
    (tmp_path / "other").mkdir()
    assert run("init", "leads", cwd=tmp_path / "other").code == 0
    halves, whole = files(tmp_path / "leads"), files(tmp_path / "other" / "leads")
    assert halves.keys() == whole.keys()
    assert {name: len(data) for name, data in halves.items()} == {name: len(data) for name, data in whole.items()}
    for folder in (tmp_path / "leads", tmp_path / "leads" / "sandbox"):
        assert run("plan", "changesets", cwd=folder).code == 0


def test_a_pinned_ledger_that_is_missing_is_not_replaced(founded: Path) -> None:
    for path in (founded / ".syncengine").glob("ledger.db*"):
        path.unlink()
    before = files(founded)
    ended = run("init", cwd=founded)
    assert (ended.code, ended.out) == (3, "")
    assert str(pin(founded)) in ended.err
    assert files(founded) == before
    assert not (founded / ".syncengine" / "ledger.db").exists()


def test_no_ledger_is_made_beside_one_that_is_not_pinned(founded: Path) -> None:
    path = founded / "syncengine.yaml"
    ledger = pin(founded)
    text = path.read_text(encoding="utf-8").replace(f"id: {ledger}", "id: null")
    path.write_text(text, encoding="utf-8")
    ended = run("init", cwd=founded)
    assert (ended.code, ended.out) == (3, "")
    assert f"id: {ledger}" in ended.err
    assert path.read_text(encoding="utf-8") == text


def test_another_ledger_than_the_pinned_one_is_refused(founded: Path) -> None:
    path = founded / "syncengine.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(str(pin(founded)), "L0other"), encoding="utf-8")
    ended = run("init", cwd=founded)
    assert ended.code == 3
    assert pin(founded) == "L0other"


def test_a_configuration_with_mistakes_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "syncengine.yaml").write_text("version: 1\nacounts: {}\n", encoding="utf-8")
    ended = run("init", cwd=tmp_path)
    assert ended.code == 1
    assert "syncengine.yaml:2:1" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["syncengine.yaml"]


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "leads").write_text("", encoding="utf-8")
    ended = run("init", "leads", cwd=tmp_path)
    assert ended.code == 1
    assert "Traceback" not in ended.err
