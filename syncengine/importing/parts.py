"""The parts of a request or a table, before they are written as YAML."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.errors import InputError, Problem
from syncengine.core.problem_limit import ByCause
from syncengine.core.problem_limit import ProblemLimit as CappedFindings

REQUEST = "SE360"
CURL = "SE361"
TABLE = "SE362"

Action = Literal["reprocess", "release", "reject"]


class ImportedReturn(msgspec.Struct, frozen=True, kw_only=True):
    """A return of a lead from this buyer."""

    buyer: str
    reason: str


class ImportedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the changeset to write. Texts are literal where `source` is "", otherwise they may be templates.

    `quarantined`: the leads are quarantine ids. `where` names the part of the original, as in "leads[2]". `when` is an
    expression over the row; `proposals` are remarks for the author, one line each.
    """

    leads: tuple[str, ...]
    quarantined: bool = False
    where: str = ""
    source: str = ""
    update: dict[str, str] = {}
    action: Action | None = None
    trigger: tuple[str, ...] = ()
    payout: str | None = None
    revenue: str | None = None
    buyer: str | None = None
    returned: ImportedReturn | None = None
    when: str = ""
    skip_empty: bool = False
    proposals: tuple[str, ...] = ()


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was parsed. `what` describes the original in half a sentence.

    `notes` are for readers of the changeset; `secrets` are the API keys that were found, to be searched for and
    discarded.
    """

    what: str
    changes: tuple[ImportedChange, ...]
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


class ImportProblems:
    """Collects all problems of one original, to report them together."""

    def __init__(self, label: str, code: str) -> None:
        self._label = label
        self._code = code
        self._problems: list[Problem] = []
        self._findings = CappedFindings(self._problems.append)
        self._by_cause = ByCause(self._findings.add)

    def add(self, message: str, hint: str = "", *, line: int = 0, row: int | None = None) -> None:
        """Add a problem: one for each cause, and beyond a hundred they are only counted."""
        column = int(line > 0)
        self._by_cause.add(
            Problem(code=self._code, message=message, file=self._label, line=line, column=column, row=row, hint=hint)
        )

    def take(self, problem: Problem) -> None:
        """Add a problem of a table reader; `plan` will show its warnings and notes."""
        if problem.severity == "error":
            self._by_cause.add(problem)

    def stop(self) -> None:
        """Raise InputError where there is any problem."""
        self._by_cause.finish()
        self._findings.finish()
        if not self._problems:
            return
        first = self._problems[0]
        count = len(self._problems)
        more = f" ({count - 1} more)" if count > 1 else ""
        raise InputError(
            f"{self._label} cannot become a changeset: {first.message}{more}",
            code=self._code,
            hint=first.hint or "nothing was written; correct it, or write the changeset by hand",
            problems=self._problems,
        )
