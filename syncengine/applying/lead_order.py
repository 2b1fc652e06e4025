"""Sends one lead's entries one after the other: each waits for the answer to the previous one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from syncengine.core.outcomes import LeadEntry
from syncengine.core.values import LeadId


class Lanes:
    """The busy leads, the entries that wait behind them, and the leads that are closed for this run.

    `closed` are closed from the start, each with the reason.
    """

    def __init__(self, closed: Mapping[LeadId, str]) -> None:
        self._busy: set[str] = set()
        self._waiting: dict[str, deque[LeadEntry]] = {}
        self._closed: dict[str, str] = {str(lead): reason for lead, reason in closed.items()}
        self.waiting = 0

    def admit(self, entry: LeadEntry) -> bool:
        """Whether the entry may go into a request now; otherwise it is queued behind the lead's earlier one."""
        if entry.lead not in self._busy:
            self._busy.add(entry.lead)
            return True
        self._waiting.setdefault(entry.lead, deque()).append(entry)
        self.waiting += 1
        return False

    def closed(self, lead: str) -> str | None:
        """Why nothing more is sent for this lead in this run; None where it is open."""
        return self._closed.get(lead)

    def release(self, lead: str) -> LeadEntry | None:
        """Mark the lead's entry as answered. Returns the next one, or None."""
        queue = self._waiting.get(lead)
        if queue is None:
            self._busy.discard(lead)
            return None
        entry = queue.popleft()
        self.waiting -= 1
        if not queue:
            del self._waiting[lead]
        return entry

    def release_all(self, leads: Iterable[str]) -> None:
        """`release` for leads without waiting entries."""
        self._busy.difference_update(leads)

    def close(self, lead: str, reason: str) -> list[LeadEntry]:
        """Send nothing more for this lead; returns its waiting entries."""
        self._closed[lead] = reason
        self._busy.discard(lead)
        queue = self._waiting.pop(lead, deque())
        self.waiting -= len(queue)
        return list(queue)

    def drain(self) -> list[LeadEntry]:
        """All entries that still wait."""
        left = [entry for queue in self._waiting.values() for entry in queue]
        self._waiting.clear()
        self.waiting = 0
        return left
