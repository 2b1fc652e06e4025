"""The parser, the dispatch, and errors to exit codes. A command's module is imported only when it is called."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

from syncengine import __version__
from syncengine.cli.commands import COMMANDS
from syncengine.cli.output import Output

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "syncengine"
COMPLETION = "_SYNCENGINE_COMPLETE"


class CommandGroup(click.Group):
    """Group of all commands, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = import_module(entry.module).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a guess where the command does not exist."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"there is no command {name!r}{_did_you_mean(name)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs from the table, then the group's own options."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=entry.summary)
            for name, entry in COMMANDS.items()
            if name.startswith(incomplete) and not incomplete.startswith("-")
        ]
        return commands or click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done; 1 wrong input; 2 plan --detailed-exitcode: there are operations to send; 3 refused; "
    "4 incomplete; 5 in doubt; 6 plans wait for approvals; 130 interrupted. See `syncengine COMMAND --help` for "
    "details.",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """Reviewed, at-most-once changes to live LeadByte leads, from YAML changesets kept in git.

    `plan` validates changesets and saves the operations to send. The plan is reviewed. `apply` sends its operations at
    most once and records every answer in the ledger.
    """


def run(args: Sequence[str]) -> int:
    """Run one command line; returns the exit code. The only place that catches everything."""
    _occupy_standard_descriptors()
    if os.environ.get(COMPLETION):
        return _complete(args)
    output = Output.of_process()
    began = time.monotonic()
    try:
        code = _dispatch(list(args), output)
        failed = False
    except BaseException as error:  # noqa: BLE001 - every error must end in a documented exit code
        code = _fail(error, args, output)
        failed = True
    code = _after_output(code, args, output)
    if output.command and not failed:
        from syncengine.cli.logs import Log

        seconds = round(time.monotonic() - began, 3)
        Log(output, command=output.command, level=output.log_level).info("command ended", exit=code, seconds=seconds)
    return code


def _dispatch(args: list[str], output: Output) -> int:
    try:
        with cli.make_context(PROGRAM, args, obj=output) as context:
            return int(cli.invoke(context) or 0)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _fail(error: BaseException, args: Sequence[str], output: Output) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        output.text_line(error.format_message())
        return 1
    if isinstance(error, BrokenPipeError):
        return 0
    if isinstance(error, KeyboardInterrupt | click.Abort):
        output.note("interrupted")
        return 130
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    from syncengine.cli.failures import documented, report

    told = documented(error, debug=os.environ.get("SYNCENGINE_DEBUG") == "1")
    if _option(args, "--log-format") == "json":
        output.log_format = "json"
    report(told, output, as_json=_option(args, "--format") == "json")
    return int(told.exit)


def _after_output(code: int, args: Sequence[str], output: Output) -> int:
    """A result that could not be written is an error, unless a run began: then the run's own code counts."""
    output.finish()
    if not output.lost:
        return code
    output.error("SE902", f"the result could not be written to standard output: {output.lost}")
    entry = COMMANDS.get(next((word for word in args if not word.startswith("-")), ""))
    return code if code or (entry is not None and entry.sends) else 1


def _complete(args: Sequence[str]) -> int:
    try:
        cli.main(args=list(args), prog_name=PROGRAM, complete_var=COMPLETION)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0


def _option(args: Sequence[str], name: str) -> str:
    """Value of an option as typed: a command line that cannot be parsed still says how its error shall look."""
    value = ""
    words = list(args[: args.index("--")] if "--" in args else args)
    for index, word in enumerate(words):
        if word == name and index + 1 < len(words):
            value = words[index + 1]
        elif word.startswith(f"{name}="):
            value = word.partition("=")[2]
    return value


def _did_you_mean(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, COMMANDS, n=1)
    return f"; did you mean `{PROGRAM} {close[0]}`?" if close else ""


def _occupy_standard_descriptors() -> None:
    """With a standard stream closed, the next file opened would become that stream, and notes would be written into
    it: a ledger, for one. Give the free places to the null device first."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
