"""The commands, as they describe themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import click

from syncengine.cli.command import Command
from syncengine.cli.commands import COMMANDS

HEAD = """\
# Commands

<!-- Made by scripts/generate-docs from the commands themselves. -->

This page has the same content as `syncengine COMMAND --help` and the manual page, `man syncengine`. Every command
accepts these options:

"""

SITUATIONS = {
    "init": "a project with everything",
    "submit": "a project with a plan on PostgreSQL",
    "status": "a project with everything",
    "verify": "a project with everything",
    "resolve": "a project with everything and a doubt",
}
"""From which command on the examples need another place to run in (tests/docs/situations.py)."""

NOT_RUN = {
    "cancel": "it needs an active run; tests/histories/test_stopping.py cancels one",
    "review": "it needs a terminal; tests/cli/test_review.py gives it one",
}


@dataclass(frozen=True)
class Described:
    """One command: its words on the command line after `syncengine`, and the click command."""

    words: str
    command: click.Command
    context: click.Context

    @property
    def usage(self) -> str:
        return f"syncengine {self.words} {' '.join(self.command.collect_usage_pieces(self.context))}"

    @property
    def paragraphs(self) -> list[str]:
        """The description, one text for each paragraph."""
        text = inspect.cleandoc(self.command.help or "")
        return [" ".join(part.split()) for part in text.split("\n\n")]

    @property
    def examples(self) -> tuple[str, ...]:
        return self.command.examples if isinstance(self.command, Command) else ()

    def options(self) -> list[tuple[str, str]]:
        """Spelling and meaning of the options that only this command takes."""
        return [record for record in self._records() if record not in common_options()]

    def _records(self) -> list[tuple[str, str]]:
        records = [param.get_help_record(self.context) for param in self.command.get_params(self.context)]
        return [record for record in records if record is not None and record[1]]


def described() -> Iterator[Described]:
    """Every command that can be called, in the order of the table; a group's commands after it."""
    for name, entry in COMMANDS.items():
        command = import_module(entry.module).command
        top = click.Context(click.Group("syncengine"), info_name="syncengine", help_option_names=["-h", "--help"])
        context = click.Context(command, info_name=name, parent=top)
        yield Described(name, command, context)
        if isinstance(command, click.Group):
            for sub, inner in command.commands.items():
                yield Described(f"{name} {sub}", inner, click.Context(inner, info_name=sub, parent=context))


def common_options() -> list[tuple[str, str]]:
    """Spelling and meaning of what every command takes."""
    bare = Command("bare", callback=lambda: None)
    context = click.Context(bare, help_option_names=["-h", "--help"])
    records = [param.get_help_record(context) for param in bare.get_params(context)]
    return [record for record in records if record is not None]


def page() -> str:
    """docs/commands.md."""
    return HEAD + _table(common_options()) + "".join(_section(each) for each in described())


def _section(each: Described) -> str:
    level = "###" if " " in each.words else "##"
    text = f"\n{level} {each.words}\n\n```text\n{each.usage}\n```\n\n" + "\n\n".join(each.paragraphs) + "\n"
    options = each.options()
    if options:
        text += "\n" + _table(options)
    if each.examples:
        situation = SITUATIONS.get(each.words)
        text += f"\n<!-- commands: {situation} -->\n" if situation else "\n"
        text += f"<!-- not run: {NOT_RUN[each.words]} -->\n" if each.words in NOT_RUN else ""
        text += "```sh\n" + "\n".join(each.examples) + "\n```\n"
    if each.command.epilog:
        text += f"\n{' '.join(inspect.cleandoc(each.command.epilog).split())}\n"
    return text


def _table(records: list[tuple[str, str]]) -> str:
    rows = "".join(f"| `{_cell(spelling)}` | {_cell(words)} |\n" for spelling, words in records)
    return f"| option | |\n| --- | --- |\n{rows}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
