"""One finding for one cause, the first hundred of a kind, and a count of the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import msgspec

from syncengine.core.errors import Problem

LIMIT = 100
OVERFLOW = "SE490"
"""The code of what says how many further findings there were."""


class ProblemLimit:
    """Passes findings on until there are enough of their code; `finish` tells how many more there were."""

    def __init__(self, report: Callable[[Problem], None]) -> None:
        self._report = report
        self._counts: Counter[str] = Counter()
        self._last: dict[str, Problem] = {}

    def add(self, problem: Problem) -> None:
        """One finding."""
        self._counts[problem.code] += 1
        if self._counts[problem.code] <= LIMIT:
            self._last[problem.code] = problem
            self._report(problem)

    def finish(self) -> None:
        """Report how many findings of each code were counted and not passed on."""
        for code, count in self._counts.items():
            if count > LIMIT:
                last = self._last[code]
                what = {"error": "errors", "warning": "warnings", "note": "notes"}[last.severity]
                message = f"and {count - LIMIT:,} further {what} {code} ({count:,} in all)"
                self._report(Problem(code=OVERFLOW, message=message, file=last.file, severity=last.severity))


_ROWS_NAMED = 5
_MOST_CAUSES = 1_000
_NUMBERS = re.compile(r"[0-9][0-9.,]*")
_VALUES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[0-9][0-9.,]*""")
_ABOUT_NAMES = frozenset({"SE316"})
"""Codes of findings in which quotes hold a name that was written, and no value of a row."""


class _Cause(msgspec.Struct):
    first: Problem
    rows: list[int]
    count: int = 0


class ByCause:
    """Joins findings about rows that differ in nothing but the row and its values: a column read wrongly is at fault in
    every row, and is one thing to correct.

    What is not about a row passes at once. Lines of the file `written_in` tell causes apart; lines of others are where
    rows stand.
    """

    def __init__(self, report: Callable[[Problem], None], *, written_in: str = "") -> None:
        self._report = report
        self._written_in = written_in
        self._causes: dict[tuple[object, ...], _Cause] = {}

    def add(self, problem: Problem) -> None:
        """One finding."""
        if problem.row is None:
            self._report(problem)
            return
        key = self._key(problem)
        cause = self._causes.get(key)
        if cause is None:
            if len(self._causes) >= _MOST_CAUSES:
                self._report(problem)
                return
            cause = self._causes[key] = _Cause(problem, [])
        cause.count += 1
        if len(cause.rows) < _ROWS_NAMED:
            cause.rows.append(problem.row)

    def finish(self) -> None:
        """Report what was joined: the first finding of each cause, with the number of rows and the first of them."""
        for cause in self._causes.values():
            self._report(cause.first if cause.count == 1 else _joined(cause))
        self._causes.clear()

    def _key(self, problem: Problem) -> tuple[object, ...]:
        place = (problem.line, problem.column) if problem.file == self._written_in else ()
        pattern = _NUMBERS if problem.code in _ABOUT_NAMES else _VALUES
        return problem.code, problem.severity, problem.file, place, pattern.sub("", problem.message)


def _joined(cause: _Cause) -> Problem:
    rows = ", ".join(map(str, cause.rows)) + (", ..." if cause.count > len(cause.rows) else "")
    message = f"{cause.first.message} (in {cause.count:,} rows: {rows})"
    return msgspec.structs.replace(cause.first, message=message)
