"""`syncengine validate`: everything that is wrong with changesets and configuration, at once. Sends nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option

if TYPE_CHECKING:
    from syncengine.core.errors import Problem, SyncError
    from syncengine.core.results import ValidateResult

_FOR_CI = ("sarif", "github")


@click.command(
    cls=Command,
    examples=(
        "syncengine validate changesets/",
        "syncengine validate changesets/ --format github    # annotations beside the lines of a pull request",
    ),
    epilog="Exit codes: 0 valid, possibly with warnings; 1 invalid.",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a variable; repeatable.")
@format_option("text", "json", "sarif", "github")
@click.pass_obj
def command(invocation: Invocation, *, paths: tuple[Path, ...], variables: tuple[str, ...], format_: str) -> int:
    """Check changesets, their data and the configuration, and report every problem with file, line and column.

    PATH is a changeset file, or a folder that is searched for *.yaml and *.yml. The command reads no API key and opens
    no connection.
    """
    from syncengine.cli.variables import parse_variables
    from syncengine.core.errors import Exit, SyncError

    try:
        result, root = _validated(invocation, paths, parse_variables(variables))
    except SyncError as error:
        if format_ not in _FOR_CI:
            raise
        result, root = _told(error), invocation.cwd
    _show(invocation, result, root, format_)
    return Exit.DONE if result.valid else Exit.INPUT


def _validated(invocation: Invocation, paths: Sequence[Path], variables: dict[str, str]) -> tuple[ValidateResult, Path]:
    """The result, and the folder that its files are relative to."""
    from syncengine.changeset.load import load, validate
    from syncengine.core.errors import ConfigError
    from syncengine.core.results import ValidateResult

    try:
        project = invocation.project(paths)
    except ConfigError as error:
        if not error.problems:
            raise
        return ValidateResult(changesets=0, problems=error.problems), invocation.cwd
    loaded = load(paths, project.settings, variables=variables)
    problems = (*project.settings.warnings, *validate(loaded))
    return ValidateResult(changesets=len(loaded.changesets), problems=problems), Path(project.settings.root)


def _told(error: SyncError) -> ValidateResult:
    """An error as a result: readers of annotations or SARIF read nothing else."""
    from syncengine.core.errors import Problem
    from syncengine.core.results import ValidateResult

    problem = Problem(code=error.code, message=error.message, hint=error.hint)
    return ValidateResult(changesets=0, problems=error.problems or (problem,))


def _show(invocation: Invocation, result: ValidateResult, root: Path, format_: str) -> None:
    output = invocation.output
    match format_:
        case "json":
            from syncengine.reports.machine import document, validate_object

            output.verbatim(document(validate_object(result)), "json")
        case "sarif":
            from syncengine import __version__
            from syncengine.reports.sarif import sarif

            output.verbatim(sarif(_placed(result, root, _checkout(invocation)), version=__version__), "json")
        case "github":
            from syncengine.reports.annotations import github_annotations

            for line in github_annotations(_placed(result, root, _checkout(invocation)).problems):
                output.verbatim(line, "commands")
        case _:
            from syncengine.documents.diagnostics import render_text

            if result.problems:
                output.result(render_text(result.problems, output.colour))
            output.result(_summary(result))


def _checkout(invocation: Invocation) -> Path:
    """What annotations are relative to: the checkout that CI works in, else where the command was called."""
    return Path(invocation.environ.get("GITHUB_WORKSPACE") or invocation.cwd)


def _placed(result: ValidateResult, root: Path, checkout: Path) -> ValidateResult:
    """The result with files relative to the checkout, which need not be the folder of syncengine.yaml."""
    import msgspec

    problems = tuple(
        msgspec.structs.replace(problem, file=_relative(problem, root, checkout)) for problem in result.problems
    )
    return msgspec.structs.replace(result, problems=problems)


def _relative(problem: Problem, root: Path, checkout: Path) -> str:
    if not problem.file or not (root / problem.file).exists():
        return problem.file
    return Path(os.path.relpath((root / problem.file).resolve(), checkout.resolve())).as_posix()


def _summary(result: ValidateResult) -> str:
    from syncengine.core.problem_limit import OVERFLOW

    errors = sum(problem.severity == "error" for problem in result.problems)
    warnings = sum(problem.severity == "warning" for problem in result.problems)
    remarks = f", {_counted(warnings, 'warning')}" if warnings else ""
    if any(problem.code == OVERFLOW for problem in result.problems):
        remarks += "; of each kind the first 100 are listed"
    if result.valid:
        return f"valid: {_counted(result.changesets, 'changeset')}{remarks}"
    return f"not valid: {_counted(errors, 'error')}{remarks}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
