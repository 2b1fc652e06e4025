"""The hook that pre-commit reads: its command works in a repository as `init` makes it, and runs when it should."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from tests.cli.console import run

ROOT = Path(__file__).resolve().parents[2]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_the_hook_finds_a_mistake_and_passes_without_one(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).code == 0
    program, *words = [*shlex.split(HOOK["entry"]), *HOOK["args"]]
    assert program == "syncengine"
    assert run(*words, cwd=tmp_path).code == 0
    with (tmp_path / "changesets" / "example.yaml").open("a", encoding="utf-8") as file:
        file.write("chnages: []\n")
    assert run(*words, cwd=tmp_path).code == 1


@pytest.mark.parametrize("name", ["changesets/a.yaml", "changesets/deep/a.yml", "data/rows.csv", "syncengine.yaml"])
def test_it_runs_for_what_it_checks(name: str) -> None:
    assert re.search(HOOK["files"], name)


@pytest.mark.parametrize("name", ["README.md", "docs/changesets/a.yaml", "sandbox/syncengine.yaml"])
def test_it_does_not_run_for_anything_else(name: str) -> None:
    assert not re.search(HOOK["files"], name)
