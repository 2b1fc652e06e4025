"""The first hundred findings of a kind, and a count of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from syncengine.core.errors import Problem

LIMIT = 100
OVERFLOW = "SE490"
"""The code of what says how many further findings there were."""


class Findings:
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
