"""Help, manual page, README and the pages of docs/ say what the commands are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import click
import pytest

from syncengine.cli.command import Command
from syncengine.cli.commands import COMMANDS
from syncengine.core.errors import EXIT_WORDS, Exit
from tests.cli.console import run, run_inside
from tests.docs.blocks import ROOT

MANUAL = (ROOT / "man" / "syncengine.1").read_text(encoding="utf-8")


def commands() -> dict[str, click.Command]:
    """What can be typed after `syncengine`, groups' own commands included."""
    found: dict[str, click.Command] = {}
    for name, entry in COMMANDS.items():
        command = import_module(entry.module).command
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {sub}": inner for sub, inner in command.commands.items()}
    return found


BY_WORDS = commands()


def test_the_generated_pages_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate-docs", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", [words for words, each in BY_WORDS.items() if not isinstance(each, click.Group)])
def test_every_command_has_help_with_examples_that_can_be_typed(words: str, tmp_path: Path) -> None:
    command = BY_WORDS[words]
    assert isinstance(command, Command)
    assert command.help
    assert command.examples, "give the command `examples=(...)`: see the other verbs"
    assert any(line.startswith(f"syncengine {words}") for line in command.examples)
    told = run_inside(*words.split(), "--help", cwd=tmp_path)
    assert told.code == 0
    for line in command.examples:
        assert line in told.out
        typed = shlex.split(re.split(r"\s(?:2?>|&|#)", line)[0])
        name = next(
            each for each in sorted(BY_WORDS, key=len, reverse=True) if typed[1:][: len(each.split())] == each.split()
        )
        arguments = typed[1 + len(name.split()) :]
        BY_WORDS[name].make_context(name, arguments)
    for param in command.params:
        assert not isinstance(param, click.Option) or param.help or param.hidden, f"{words}: {param.name} has no help"


@pytest.mark.parametrize("words", BY_WORDS)
def test_the_manual_page_has_every_command_and_option(words: str) -> None:
    heading = words.replace("-", "\\-")
    section = MANUAL.partition(f"\n.SS {heading}\n")[2].partition("\n.SS ")[0]
    assert section
    common = MANUAL.partition(".SH OPTIONS OF EVERY COMMAND")[2]
    for param in BY_WORDS[words].params:
        if isinstance(param, click.Option) and not param.hidden:
            name = param.opts[-1].replace("-", "\\-")
            assert name in section or name in common, f"{words}: {param.opts}"


def test_the_manual_page_names_every_variable_that_is_read() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "syncengine").rglob("*.py"))
    # What the generated workflows hand from step to step is not read by syncengine.
    handed = {"SYNCENGINE_FORGE_TOKEN", "SYNCENGINE_LEDGER_KEY"}
    read = set(re.findall(r"\bSYNCENGINE_[A-Z_]+\b", code)) - handed
    section = MANUAL.partition(".SH ENVIRONMENT")[2].partition(".SH FILES")[0]
    assert read - set(re.findall(r"SYNCENGINE_[A-Z_]+", section)) == {*()}


def test_the_readme_lists_the_commands_and_exit_codes() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.partition("## Commands\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| ", table, re.MULTILINE)
    listed = [each.split()[0] for row in rows for each in re.findall(r"`([^`]+)`", row)]
    assert sorted(listed) == sorted(COMMANDS)
    codes = dict(re.findall(r"^\| (\d+) \| (.*?) \|$", table, re.MULTILINE))
    assert codes == {str(int(code)): words for code, words in EXIT_WORDS.items()}
    assert set(EXIT_WORDS) == set(Exit)


def test_the_manual_page_is_understood_by_man(tmp_path: Path) -> None:
    """In the wheel it lies where man looks: see scripts/check-distribution."""
    assert MANUAL.startswith('.\\"')
    assert f'"syncengine {run("--version", cwd=tmp_path).out.split()[1]}"' in MANUAL
    requests = {line.split()[0] for line in MANUAL.splitlines() if line.startswith(".")}
    assert requests <= {'.\\"', ".TH", ".SH", ".SS", ".B", ".I", ".PP", ".TP", ".nf", ".fi", ".RS", ".RE"}
    assert MANUAL.count(".nf\n") == MANUAL.count(".fi\n")


def test_the_guide_lists_the_extras() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    guide = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE)) == sorted(declared.keys() - {"all"})
    assert declared["all"] == [f"leadbyte-syncengine[{','.join(sorted(declared.keys() - {'all'}))}]"]
