"""Where values come from, as reviewers look it up: the data's file and line, linked where the repository is on a forge.

A value that was typed in the changeset has the changeset's own line.
"""

from __future__ import annotations

import msgspec

from syncengine.core.changes import ChangeFacts, Origin
from syncengine.core.finding import Evidence
from syncengine.core.plan import MadeFrom, PlannedOperation, PlanSummary
from syncengine.core.redaction import visible
from syncengine.reports.forge import Forge


class LinkedPlace(msgspec.Struct, frozen=True):
    """A file and line in words, and its address on the forge, "" where there is none."""

    text: str
    url: str = ""


NOWHERE = LinkedPlace("")


class Places:
    """Places of one plan."""

    def __init__(self, summary: PlanSummary, made_from: MadeFrom, forge: Forge | None) -> None:
        self._files: dict[tuple[str, str], ChangeFacts] = {
            (facts.changeset, facts.change): facts for facts in summary.changes if facts.source and facts.file
        }
        self._made_from = made_from
        self._forge = forge

    def facts(self, changeset: str, change: str) -> ChangeFacts | None:
        """What became of the rows of a change that has a file source."""
        return self._files.get((changeset, change))

    def of_operation(self, planned: PlannedOperation) -> LinkedPlace:
        """The data's line where the operation was made from a row of a file, else the changeset's."""
        origin = planned.origin
        known = None if origin.row is None else self._files.get((planned.changeset, planned.change))
        if known is None:
            return self._place(origin.file, origin.line, origin.row)
        return self._place(known.file, origin.data or 0, origin.row)

    def of_change(self, origin: Origin) -> LinkedPlace:
        """The line of a change in its changeset."""
        return self._place(origin.file, origin.line, None)

    def of_evidence(self, evidence: Evidence) -> LinkedPlace:
        """Where the value of a piece of evidence was written."""
        return self._place(evidence.file, evidence.line, evidence.row) if evidence.file else NOWHERE

    def _place(self, file: str, line: int, row: int | None) -> LinkedPlace:
        text = visible(file)
        if line:
            text += f":{line}"
        elif row is not None:
            text += f" row {row}"
        if self._forge is None or file in self._made_from.differ:
            return LinkedPlace(text)
        return LinkedPlace(text, self._forge.link(self._made_from.commit, file, line))
