"""What is taken out of a request or a table, before it is written down as YAML."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.errors import InputError, Problem

REQUEST = "SE360"
CURL = "SE361"
TABLE = "SE362"

Action = Literal["reprocess", "release", "reject"]

_LISTED = 100


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the changeset to write. Texts are literal where `source` is "", else they may be templates.

    `quarantined`: the leads are quarantine ids. `where` tells which part of the original it was, as in "leads[2]".
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
    skip_empty: bool = False


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was understood. `what` names the original in half a sentence.

    `notes` are for whoever reads the changeset; `secrets` are the API keys that were found, to be searched for and
    thrown away.
    """

    what: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


class Findings:
    """Collects everything that is wrong with one original, to be told at once."""

    def __init__(self, label: str, code: str) -> None:
        self._label = label
        self._code = code
        self._problems: list[Problem] = []
        self._more = 0

    def add(self, message: str, hint: str = "", *, line: int = 0, row: int | None = None) -> None:
        """One more; beyond a hundred they are counted."""
        if len(self._problems) >= _LISTED:
            self._more += 1
            return
        self._problems.append(
            Problem(
                code=self._code, message=message, file=self._label, line=line, column=int(line > 0), row=row, hint=hint
            )
        )

    def stop(self) -> None:
        """Raise InputError where anything was found."""
        if not self._problems:
            return
        first = self._problems[0]
        count = len(self._problems) + self._more
        more = f" ({count - 1} more)" if count > 1 else ""
        raise InputError(
            f"{self._label} cannot become a changeset: {first.message}{more}",
            code=self._code,
            hint=first.hint or "nothing was written; correct it, or write the changeset by hand",
            problems=self._problems,
        )
