"""Renders problems as text for a terminal and as JSON. Text from files is escaped, so that it cannot control the
terminal."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypedDict

from syncengine.core.errors import Problem
from syncengine.documents.nodes import CARET_WHEN_CUT, CUT, showable

SHOWN_OF_A_KIND = 100
_COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
_BOLD, _RESET = "\x1b[1m", "\x1b[0m"


class Diagnostic(TypedDict):
    """One problem in JSON."""

    code: str
    severity: str
    message: str
    file: str
    line: int
    column: int
    row: int | None
    hint: str


def limit(problems: Iterable[Problem]) -> list[Problem]:
    """The first 100 problems of each code, and for each code with more a note with their number."""
    shown: list[Problem] = []
    seen: Counter[str] = Counter()
    for problem in problems:
        seen[problem.code] += 1
        if seen[problem.code] <= SHOWN_OF_A_KIND:
            shown.append(problem)
    for code, count in sorted(seen.items()):
        if count > SHOWN_OF_A_KIND:
            more = f"{count - SHOWN_OF_A_KIND:,} more of this kind ({code}) are not shown"
            shown.append(Problem(code=code, message=more, severity="note"))
    return shown


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """By file, line, column and row, without duplicates."""
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda each: (each.file, each.line, each.column, each.row or 0, each.code))


def render_text(problems: Sequence[Problem], colour: bool) -> str:  # noqa: FBT001  # decided by the terminal
    """One block for each problem: location, code, message; the line with a caret; the hint."""
    return "".join(_block(problem, colour) for problem in limit(problems))


def as_json(problems: Sequence[Problem]) -> list[Diagnostic]:
    """The problems as JSON values, limited like the text."""
    return [
        Diagnostic(
            code=problem.code,
            severity=problem.severity,
            message=problem.message,
            file=problem.file,
            line=problem.line,
            column=problem.column,
            row=problem.row,
            hint=problem.hint,
        )
        for problem in limit(problems)
    ]


def _block(problem: Problem, colour: bool) -> str:  # noqa: FBT001
    place = _place(problem)
    label = f"{problem.severity} {problem.code}"
    if colour:
        place, label = f"{_BOLD}{place}{_RESET}", f"{_COLOURS[problem.severity]}{label}{_RESET}"
    lines = [
        f"{place}: {label}: {showable(problem.message)}" if _place(problem) else f"{label}: {showable(problem.message)}"
    ]
    if problem.excerpt and problem.line:
        margin = f"{problem.line:>5} | "
        lines.append(margin + showable(problem.excerpt))
        lines.append(" " * (len(margin) - 2) + "| " + " " * _caret(problem) + "^")
    if problem.hint:
        lines.append(f"      = hint: {showable(problem.hint)}")
    return "\n".join(lines) + "\n"


def _place(problem: Problem) -> str:
    parts = [showable(problem.file)] if problem.file else []
    if problem.line:
        parts += [str(problem.line), str(max(problem.column, 1))]
    place = ":".join(parts)
    return f"{place} (row {problem.row})" if problem.row is not None else place


def _caret(problem: Problem) -> int:
    """Terminal cells before the caret: wide characters take two, combining ones none."""
    characters = (
        CARET_WHEN_CUT if problem.excerpt.startswith(CUT) and problem.column > CARET_WHEN_CUT else problem.column - 1
    )
    return sum(_cells(character) for character in problem.excerpt[: max(characters, 0)])


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
