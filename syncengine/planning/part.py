"""A part of a plan: only some leads or changes, or only the first leads that have something to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncengine.core.changes import ChangeFacts, Item
from syncengine.core.errors import Problem
from syncengine.core.plan import PlannedOperation, Selection, State
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.disk_spool import DiskSpool

_TOLD = 1_000
"""Changes that are kept for suggestions."""


class PartOfPlan:
    """Receives every item and decides which operations are planned.

    The leads that `--limit` selects are known only at the end: a lead may have something to send in a later change
    alone. Operations are therefore stored on disk until then.
    """

    def __init__(self, selection: Selection) -> None:
        self._leads = frozenset(selection.leads)
        self._changes = frozenset(selection.changes)
        self._limit = selection.limit
        self._missing_leads = set(selection.leads)
        self._seen_changes: dict[str, None] = {}
        self._found_changes: set[str] = set()
        self._chosen: set[str] = set()
        self._waiting = DiskSpool(PlannedOperation)

    @property
    def limited(self) -> bool:
        """Whether operations must be stored until all items were received."""
        return self._limit is not None

    def holds(self, item: Item) -> bool:
        """Whether an item belongs to the part, by leads and changes."""
        self._note_seen(item)
        return (not self._leads or item.lead in self._leads) and (not self._changes or item.change in self._changes)

    def _note_seen(self, item: Item) -> None:
        """For the message about leads and changes that were asked for and are not there."""
        self._missing_leads.discard(item.lead)
        if self._changes and len(self._seen_changes) < _TOLD:
            self._seen_changes[item.change] = None
        if item.change in self._changes:
            self._found_changes.add(item.change)

    def keep(self, operations: Sequence[PlannedOperation]) -> None:
        """Store the operations of an item, numbered."""
        for planned in operations:
            self._waiting.put(planned)
            if planned.state is State.TO_SEND and len(self._chosen) < (self._limit or 0):
                self._chosen.add(planned.operation.lead)

    def take(self) -> Iterator[PlannedOperation]:
        """All operations of the first leads that have something to send, in order and renumbered."""
        entry = last = 0
        for planned in self._waiting.read():
            if planned.operation.lead not in self._chosen:
                continue
            entry += planned.entry != last
            last = planned.entry
            yield msgspec.structs.replace(planned, entry=entry)
        self._waiting.close()

    def problems(self, changes: Sequence[ChangeFacts]) -> Iterator[Problem]:
        """Problems with requested leads and changes that no changeset has. `changes` are those that may have taken no
        row."""
        for lead in sorted(self._missing_leads):
            yield Problem(
                code="SE130",
                message=f"--lead {lead}: no change of these changesets is about this lead",
                hint="write the id as the changeset or its source does, without spaces",
            )
        known = {*self._seen_changes, *(facts.change for facts in changes)}
        for change in sorted(self._changes - self._found_changes - known):
            near = did_you_mean(change, known)
            yield Problem(
                code="SE131",
                message=f"--change {change}: there is no such change in these changesets",
                hint=near or 'write the change\'s id, or "#3" for the third of a changeset without one',
            )
