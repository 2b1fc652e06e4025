"""The checks of the supply chain notice what they are there to notice."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """scripts/check-dependencies as a module that writes into a folder of the test."""
    loader = SourceFileLoader("check_dependencies", str(ROOT / "scripts" / "check-dependencies"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader.exec_module(module)
    return module


def answering(document: Any, code: int = 0) -> Any:
    def run(*_words: str | Path) -> subprocess.CompletedProcess[str]:
        text = document if isinstance(document, str) else json.dumps(document)
        return subprocess.CompletedProcess([], code, text, "")

    return run


SKIPPED = {
    "dependencies": [{"name": "click", "skip_reason": "not found"}, {"name": "httpx", "skip_reason": "not found"}]
}
CLEAN = {"dependencies": [{"name": "click", "version": "1", "vulns": []}]}
WEAK = {"dependencies": [{"name": "click", "version": "1", "vulns": [{"id": "X-1"}]}]}


@pytest.mark.parametrize("answer", [SKIPPED, "", "Traceback", {"dependencies": []}])
def test_an_audit_that_could_not_be_made_does_not_pass_as_one(
    answer: Any, checks: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "run", answering(answer))
    assert checks.weaknesses(required=False) == []
    assert "NOT AUDITED" in capsys.readouterr().out
    assert checks.weaknesses(required=True) != []


def test_a_known_weakness_fails(checks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "run", answering(CLEAN))
    assert checks.weaknesses(required=True) == []
    monkeypatch.setattr(checks, "run", answering(WEAK, code=1))
    (problem,) = checks.weaknesses(required=False)
    assert "X-1" in problem


@pytest.mark.parametrize(
    ("name", "licence", "accepted"),
    [
        ("click", "BSD-3-Clause", True),
        ("click", "MIT OR Apache-2.0", True),
        ("click", "Apache Software License; MIT License", True),
        ("click", "GPL-3.0", False),
        ("click", "MIT; GNU General Public License (GPL)", False),
        ("click", "UNKNOWN", False),
        ("psycopg", "LGPL-3.0-only", True),
        ("not-locked", "GPL-3.0", True),
    ],
)
def test_licences(name: str, licence: str, accepted: bool, checks: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "run", answering([{"Name": name, "License": licence, "Version": "1"}]))
    assert (checks.licences() == []) is accepted


def test_the_bill_of_materials_names_what_is_shipped(checks: ModuleType, tmp_path: Path) -> None:
    lock = checks.LOCKS["all"]
    done = checks.run(
        "cyclonedx_py", "requirements", lock, "--pyproject", "pyproject.toml", "--output-file", tmp_path / "b"
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "b").read_text())
    assert made["bomFormat"] == "CycloneDX"
    assert {"click", "httpx", "msgspec", "pyrage"} <= {component["name"] for component in made["components"]}


def test_a_wheel_is_the_same_whoever_builds_it(tmp_path: Path) -> None:
    """Other folder, times and permissions; the sdist is compared by scripts/check-distribution."""
    wheels = []
    for name, umask in (("one", 0o022), ("other", 0o077)):
        tree = tmp_path / name
        tree.mkdir()
        for part in ("syncengine", "schemas", "man", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, tree / part)
        for path in tree.rglob("*"):
            os.utime(path, (1_000_000_000 + umask, 1_000_000_000))
        command = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--wheel",
            "--outdir",
            str(tmp_path / f"dist-{name}"),
            ".",
        ]
        subprocess.run(command, cwd=tree, check=True, capture_output=True, timeout=120, umask=umask)
        (built,) = (tmp_path / f"dist-{name}").glob("*.whl")
        wheels.append((built.name, built.read_bytes()))
    assert wheels[0] == wheels[1]
