"""Numbers the entries of a plan: operations with the same number travel together. Applying forms batches from
entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from syncengine.core.operations import Call, Trigger, spec_of
from syncengine.core.plan import PlannedOperation


class EntryNumbers:
    """Numbers the entries of a plan in order, from 1.

    The update of a change travels with its action or triggers; its financials follow in an entry of their own, and so
    does the release or rejection of a quarantined lead. Under "one_by_one" each delivery has an entry of its own, the
    update in the first.
    """

    def __init__(self, deliveries: Literal["together", "one_by_one"]) -> None:
        self._alone = deliveries == "one_by_one"
        self._last = 0

    @property
    def following(self) -> int:
        """The number of the next entry."""
        return self._last + 1

    def number(self, operations: Iterable[PlannedOperation]) -> list[PlannedOperation]:
        """The operations of one item, numbered. Operations that have a number already keep it."""
        numbered: list[PlannedOperation] = []
        current = 0
        triggered = False
        for planned in operations:
            operation = planned.operation
            opens = (
                current == 0
                or spec_of(operation).call is not Call.LEADS
                or (self._alone and triggered and isinstance(operation, Trigger))
            )
            if opens:
                self._last += 1
                current = self._last
            triggered = triggered or isinstance(operation, Trigger)
            numbered.append(planned if planned.entry == current else msgspec.structs.replace(planned, entry=current))
        return numbered
