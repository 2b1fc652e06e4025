"""What CI installs is written down, hash by hash, and is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def text_of(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")


def locked(lock: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Every entry by name, with the number of its hashes."""
    found: dict[str, list[tuple[Requirement, int]]] = {}
    for entry in text_of(lock).replace("\\\n", " ").splitlines():
        words, *hashes = entry.split("--hash=sha256:")
        requirement = Requirement(words)
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(hashes)))
    return found


def wanted(lock: str) -> Iterator[Requirement]:
    project = PROJECT["project"]
    extras = [text for name, texts in project["optional-dependencies"].items() if name != "all" for text in texts]
    group = PROJECT["dependency-groups"]["dev"] if lock == "ci" else []
    every = map(Requirement, [*project["dependencies"], *extras, *group])
    yield from (requirement for requirement in every if requirement.name != PROJECT["project"]["name"])


@pytest.mark.parametrize("lock", ["all", "ci"])
def test_the_lock_has_what_is_asked_for(lock: str) -> None:
    """Where this fails after a change of dependencies: run ./scripts/lock, and commit what it writes."""
    found = locked(lock)
    for requirement in wanted(lock):
        entries = found.get(canonicalize_name(requirement.name), [])
        assert entries, f"{requirement} is not in requirements/{lock}.txt: run ./scripts/lock"
        for entry, _ in entries:
            (pin,) = entry.specifier
            assert pin.operator == "=="
            assert Version(pin.version) in requirement.specifier, f"{entry}: run ./scripts/lock"


@pytest.mark.parametrize("lock", ["all", "ci"])
def test_everything_has_hashes_and_nothing_has_an_address(lock: str) -> None:
    text = text_of(lock)
    assert all(count >= 1 for entries in locked(lock).values() for _, count in entries)
    assert not re.search(r"://|--(index|extra|find|trusted)", text)


def test_ci_runs_what_is_shipped() -> None:
    shipped, tested = locked("all"), locked("ci")
    assert {name: [str(entry) for entry, _ in entries] for name, entries in shipped.items()}.items() <= {
        name: [str(entry) for entry, _ in entries] for name, entries in tested.items()
    }.items()


def test_the_test_command_installs_from_the_lock_alone() -> None:
    script = (ROOT / "scripts" / "test").read_text(encoding="utf-8")
    installs = [line for line in script.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)
    assert len(installs) == 2
