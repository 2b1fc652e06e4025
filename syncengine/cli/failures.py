"""Every exception becomes one of the documented errors, told once: text on stderr, or one JSON document on stdout."""

from __future__ import annotations

import traceback
from pathlib import Path

import click

from syncengine.cli.output import Output
from syncengine.core.codes import CODES
from syncengine.core.errors import InputError, PlanBlocked, Problem, SyncError
from syncengine.documents.diagnostics import limit, render_text
from syncengine.reports.machine import document, error_object

USAGE = "SE901"
ENVIRONMENT = "SE902"
BUG = "SE999"

_PACKAGE = str(Path(__file__).parent.parent)
_REPORT = "please report it to the maintainers with the command, `syncengine --version` and this message"


def documented(error: BaseException, *, debug: bool) -> SyncError:
    """`error` as users know it. Of an unexpected one only the type and a source line of ours are shown: its text may
    quote lead data or a key. With `debug` the traceback follows, without any text either."""
    if isinstance(error, SyncError):
        return error
    if isinstance(error, click.ClickException):
        return InputError(error.format_message().strip(), code=USAGE, hint=_usage_hint(error))
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        hint = "check the path, its permissions and the space on its disk"
        return InputError(f"{place}{error.strerror}", code=ENVIRONMENT, hint=hint)
    hint = f"{_REPORT}\n{_frames(error)}" if debug else f"{_REPORT}; SYNCENGINE_DEBUG=1 adds a traceback without values"
    return SyncError(f"a bug in syncengine: {type(error).__name__}{_where(error)}", code=BUG, hint=hint)


def report(error: SyncError, output: Output, *, as_json: bool) -> None:
    """Tell it in the form that was asked for, and in no other."""
    if as_json:
        output.verbatim(document(error_object(_limited(error))), "json")
        return
    if output.log_format == "json":
        for problem in limit(error.problems):
            output.log_line(_log_record(problem))
        # Why a plan is blocked tells amounts, and a log keeps no values.
        message = CODES[error.code] if isinstance(error, PlanBlocked) else error.message
        output.error(error.code, message, error.hint)
        return
    if error.problems:
        output.text_line(render_text(error.problems, output.stderr_colour))
    output.error(error.code, error.message, error.hint)


def _limited(error: SyncError) -> SyncError:
    """With at most a hundred findings of a kind, and their type kept for its exit code."""
    if not error.problems:
        return error
    copy = SyncError(error.message, code=error.code, hint=error.hint, problems=limit(error.problems))
    copy.exit = error.exit
    return copy


def _log_record(problem: Problem) -> dict[str, str | int]:
    """Without excerpt, message and hint, which may quote what a file holds: a log keeps no values."""
    return {
        "level": problem.severity,
        "event": "problem",
        "code": problem.code,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": CODES.get(problem.code, ""),
    }


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{context.command_path if context is not None else 'syncengine'} --help`"


def _where(error: BaseException) -> str:
    """The innermost line of ours that the error passed through."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(_PACKAGE)]
    return f" at syncengine{ours[-1].filename.removeprefix(_PACKAGE)}:{ours[-1].lineno}" if ours else ""


def _frames(error: BaseException) -> str:
    lines: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        lines.append(f"{type(link).__name__} (its text is withheld)")
        lines += [line.rstrip("\n") for line in traceback.format_tb(link.__traceback__)]
        link = link.__cause__ or link.__context__
    return "\n".join(lines)
