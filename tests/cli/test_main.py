"""What every verb shares: start-up, options, errors and exit codes."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import syncengine
from syncengine.cli.command import Command
from syncengine.cli.commands import COMMANDS
from tests.cli.console import PATIENCE, SCRIPT, environment, run

HEAVY = {"rich", "httpx", "jinja2", "jsonschema", "jsonschema_rs", "yaml", "sqlite3", "psycopg", "asyncio"}


def imported_by(*args: str) -> set[str]:
    """Modules in a fresh process once this command line has been run."""
    program = (
        "import sys\nfrom syncengine.cli.main import run\n"
        f"run({list(args)!r})\n"
        "print('\\n' + repr(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return set(ast.literal_eval(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("args", [["--help"], ["--version"], []])
def test_start_up_imports_no_verb_and_nothing_heavy(args: list[str]) -> None:
    modules = imported_by(*args)
    assert not modules & HEAVY
    assert not modules & {entry.module for entry in COMMANDS.values()}
    assert {name for name in modules if name.startswith("syncengine.")} <= {
        "syncengine.cli",
        "syncengine.cli.main",
        "syncengine.cli.output",
        "syncengine.cli.terminal",
        "syncengine.cli.commands",
        "syncengine.core",
        "syncengine.core.log_commands",
    }


def test_a_verb_imports_no_other_verb() -> None:
    modules = imported_by("schema")
    assert modules & {entry.module for entry in COMMANDS.values()} == {"syncengine.cli.schema"}
    assert not modules & {"rich", "httpx", "sqlite3"}


def test_version(tmp_path: Path) -> None:
    ended = run("--version", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, f"syncengine {syncengine.__version__}\n")


def test_runs_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syncengine", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == f"syncengine {syncengine.__version__}\n"


def test_help_lists_every_verb(tmp_path: Path) -> None:
    ended = run("--help", cwd=tmp_path)
    assert ended.code == 0
    for name, entry in COMMANDS.items():
        assert f"\n  {name} " in ended.out
        assert entry.summary[:40] in ended.out


def test_nothing_asked_for_is_a_usage_error_that_shows_the_help(tmp_path: Path) -> None:
    ended = run(cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert "Commands:" in ended.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_is_a_command_with_the_common_options(name: str) -> None:
    verb = import_module(COMMANDS[name].module).command
    assert verb.help
    for command in verb.commands.values() if isinstance(verb, click.Group) else [verb]:
        assert isinstance(command, Command)
        assert command.help
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--config", "--policy", "--log-format", "--log-level"} <= options
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts[0]} says nothing in --help"


USAGE_ERRORS = [
    ("nonsense",),
    ("--nonsense",),
    ("schema", "--nonsense"),
    ("schema", "changeset", "one-too-many"),
    ("sandbox", "--port", "no-number"),
    ("sandbox", "--port", "99999"),
    ("schema", "--log-format", "xml"),
    ("schema", "--log-level"),
]


@pytest.mark.parametrize("args", USAGE_ERRORS)
def test_usage_errors_exit_1_and_say_where_help_is(args: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*args, cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error SE901: ")
    assert "--help`" in ended.err


@pytest.mark.parametrize("args", [("nonsense",), ("validate",), ("validate", "--nonsense"), ("plan", "a", "b", "--x")])
@pytest.mark.parametrize("form", [("--format", "json"), ("--format=json",)])
def test_usage_errors_in_json(args: tuple[str, ...], form: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*args, *form, cwd=tmp_path)
    assert (ended.code, ended.err) == (1, "")
    assert set(ended.json) == {"error", "exit"}
    assert set(ended.json["error"]) == {"code", "message", "hint"}
    assert (ended.json["error"]["code"], ended.json["exit"]) == ("SE901", 1)


def test_a_mistyped_verb_gets_a_guess(tmp_path: Path) -> None:
    assert "did you mean `syncengine validate`?" in run("valdate", cwd=tmp_path).err


def test_stderr_as_json_lines(tmp_path: Path) -> None:
    ended = run("schema", "nonsense", "--log-format", "json", cwd=tmp_path)
    assert ended.code == 1
    records = [json.loads(line) for line in ended.err.splitlines()]
    assert records[-1]["level"] == "error"
    assert records[-1]["code"].startswith("SE")


BUG = """
import sys
from syncengine.cli import commands, main
import click
from syncengine.cli.command import Command

@click.command(cls=Command)
def command():
    def inner(lead):
        raise ZeroDivisionError(f"secret of lead {lead}")
    try:
        inner(sys.argv[2])
    except ZeroDivisionError as error:
        raise KeyError(sys.argv[2]) from error

commands.COMMANDS["broken"] = commands.CommandEntry(__name__, "Broken on purpose.")
sys.exit(main.run(sys.argv[1:2]))
"""


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_bug_of_ours_is_reported_without_values(debug: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(BUG, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program, "broken", "jane@example.com"],
        cwd=tmp_path,
        env=environment(SYNCENGINE_DEBUG=debug),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error SE999: ")
    assert "KeyError" in done.stderr
    assert "jane@example.com" not in done.stderr
    assert ("ZeroDivisionError" in done.stderr) == bool(debug)


INTERRUPTED = """
import os, signal, sys
# A shell starts its background jobs with SIGINT ignored, and Python then leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)
from syncengine.cli import commands, main
import click
from syncengine.cli.command import Command

@click.command(cls=Command)
def command():
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()

commands.COMMANDS["waiting"] = commands.CommandEntry(__name__, "Waits.")
sys.exit(main.run(["waiting"]))
"""


def test_ctrl_c_exits_130_without_a_traceback(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(INTERRUPTED, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_file_that_cannot_be_written_is_no_bug(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [SCRIPT, "schema", "changeset"],
            cwd=tmp_path,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error SE902: ")
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("args", [["--help"], ["schema", "changeset"], ["schema"], ["nonsense", "--format", "json"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_left_is_no_error(args: list[str], unbuffered: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [SCRIPT, *args],
            cwd=tmp_path,
            env=environment(PYTHONUNBUFFERED=unbuffered),
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == (1 if "nonsense" in args else 0)
    assert done.stderr == ""


@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_standard_streams(redirection: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" schema changeset {redirection}', str(SCRIPT)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_help_of_a_verb_names_the_environment_variables(tmp_path: Path) -> None:
    ended = run("validate", "--help", cwd=tmp_path)
    assert ended.code == 0
    assert "SYNCENGINE_CONFIG" in ended.out
    assert "SYNCENGINE_POLICY" in ended.out
