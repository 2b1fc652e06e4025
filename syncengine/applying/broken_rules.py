"""What the policy forbids of operations that are still to be sent, as far as a refusal names it."""

from __future__ import annotations

from collections.abc import Sequence

from syncengine.core.errors import Problem
from syncengine.core.operations import kind_of
from syncengine.core.plan import PlannedOperation

_SHOWN = 5


class BrokenRules:
    """Keeps the first operations that break a rule as problems of this code, and counts the others."""

    def __init__(self, code: str) -> None:
        self._code = code
        self.problems: list[Problem] = []
        self._more = 0

    def add(self, planned: PlannedOperation, reason: str) -> None:
        """Add an operation that breaks a rule."""
        if len(self.problems) >= _SHOWN:
            self._more += 1
            return
        operation, origin = planned.operation, planned.origin
        what = f"{kind_of(operation).value} of lead {operation.lead}: {reason}"
        self.problems.append(Problem(code=self._code, message=what, file=origin.file, line=origin.line, row=origin.row))

    def in_words(self, whole: Sequence[str]) -> str:
        """The first reason and the number of others; "" where no rule is broken. `whole` are reasons about whole plans,
        which come before those about operations."""
        if not whole and not self.problems:
            return ""
        first = whole[0] if whole else self.problems[0].message
        others = len(whole) + len(self.problems) + self._more - 1
        return f"{first} and {others} more" if others else first
