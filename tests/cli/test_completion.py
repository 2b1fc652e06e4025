"""Shell completion: the scripts that shells source, and what they are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncengine.cli.commands import COMMANDS
from tests.cli.console import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_each_shell(shell: str, tmp_path: Path) -> None:
    ended = run(cwd=tmp_path, _SYNCENGINE_COMPLETE=f"{shell}_source")
    assert ended.code == 0
    assert f"_SYNCENGINE_COMPLETE={shell}_complete" in ended.out
    assert "syncengine" in ended.out


def complete(words: str, at: int, tmp_path: Path) -> set[str]:
    ended = run(cwd=tmp_path, _SYNCENGINE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(at))
    assert ended.code == 0
    return {line.partition(",")[2] for line in ended.out.splitlines() if line}


def test_verbs(tmp_path: Path) -> None:
    assert complete("syncengine ", 1, tmp_path) == set(COMMANDS)
    assert complete("syncengine s", 1, tmp_path) == {name for name in COMMANDS if name.startswith("s")}


def test_options_and_their_values(tmp_path: Path) -> None:
    assert complete("syncengine sandbox --la", 2, tmp_path) == {"--latency"}
    assert complete("syncengine sandbox --log-format ", 3, tmp_path) == {"text", "json"}


def test_schema_names(tmp_path: Path) -> None:
    assert "changeset" in complete("syncengine schema ch", 2, tmp_path)
