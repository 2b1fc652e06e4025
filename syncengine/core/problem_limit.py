"""Limits on reported problems: one per cause, the first hundred of each code, and a count of the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import msgspec

from syncengine.core.errors import Problem

LIMIT = 100
OVERFLOW = "SE490"
"""The code of the note that counts further problems."""


class ProblemLimit:
    """Passes problems on up to a limit per code; `finish` reports how many more there were."""

    def __init__(self, report: Callable[[Problem], None]) -> None:
        self._report = report
        self._counts: Counter[str] = Counter()
        self._last: dict[str, Problem] = {}

    def add(self, problem: Problem) -> None:
        """Add one problem."""
        self._counts[problem.code] += 1
        if self._counts[problem.code] <= LIMIT:
            self._last[problem.code] = problem
            self._report(problem)

    def finish(self) -> None:
        """Report, per code, how many problems were counted but not passed on."""
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
"""Codes of problems in which quotes hold a name from a file, never a row's value."""


class _Cause(msgspec.Struct):
    first: Problem
    rows: list[int]
    count: int = 0


class ByCause:
    """Joins problems that differ only in their row and its values. A column that is read wrongly fails in every row,
    and is one thing to correct.

    A problem without a row passes at once. Line numbers in the file `written_in` distinguish causes; line numbers in
    other files are only the positions of rows.
    """

    def __init__(self, report: Callable[[Problem], None], *, written_in: str = "") -> None:
        self._report = report
        self._written_in = written_in
        self._causes: dict[tuple[object, ...], _Cause] = {}

    def add(self, problem: Problem) -> None:
        """Add one problem."""
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
        """Report each joined cause once: its first problem, with the number of rows and the first of them."""
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
