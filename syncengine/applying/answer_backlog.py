"""Answers that wait for the commit that records them, with the operations that they answer."""

from __future__ import annotations

from collections.abc import Collection

from syncengine.applying.run_results import line_of
from syncengine.core.outcomes import LeadEntry, SentOperation
from syncengine.core.ports import Answered
from syncengine.core.results import OperationLine
from syncengine.core.values import OperationId


class AnswerBacklog:
    """What is left in it when a run ends could not be recorded: for the ledger these operations are in doubt."""

    def __init__(self) -> None:
        self.records: list[Answered] = []
        self.since = 0.0
        """When the oldest of these answers arrived, in monotonic seconds."""
        self._parts: list[SentOperation] = []

    def __bool__(self) -> bool:
        return bool(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def add(self, answered: Answered, entries: tuple[LeadEntry, ...], now: float) -> None:
        """Keep an answer until `clear`."""
        if not self.records:
            self.since = now
        self.records.append(answered)
        self._parts.extend(part for entry in entries for part in entry.parts)

    def clear(self) -> None:
        """Forget what was recorded."""
        self.records.clear()
        self._parts.clear()

    def lines(self, known: Collection[OperationId]) -> tuple[OperationLine, ...]:
        """The operations, each once, without those that are `known` to be in doubt."""
        parts = {part.id: part for part in self._parts if part.id not in known}
        return tuple(line_of(part) for part in parts.values())
