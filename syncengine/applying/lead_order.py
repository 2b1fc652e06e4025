"""One lead's parcels go one after the other: the next waits for the answer to the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from syncengine.core.outcomes import Parcel


class Lanes:
    """Which leads are busy, what waits behind them, and which leads are closed for this run."""

    def __init__(self) -> None:
        self._busy: set[str] = set()
        self._waiting: dict[str, deque[Parcel]] = {}
        self._closed: dict[str, str] = {}
        self.waiting = 0

    def admit(self, parcel: Parcel) -> bool:
        """Whether the parcel may go into a request now; otherwise it is kept behind the lead's earlier one."""
        if parcel.lead not in self._busy:
            self._busy.add(parcel.lead)
            return True
        self._waiting.setdefault(parcel.lead, deque()).append(parcel)
        self.waiting += 1
        return False

    def closed(self, lead: str) -> str | None:
        """Why nothing more is sent for this lead in this run; None where it is open."""
        return self._closed.get(lead)

    def release(self, lead: str) -> Parcel | None:
        """The lead's parcel was answered: the next one, which now is in turn, or None."""
        queue = self._waiting.get(lead)
        if queue is None:
            self._busy.discard(lead)
            return None
        parcel = queue.popleft()
        self.waiting -= 1
        if not queue:
            del self._waiting[lead]
        return parcel

    def release_all(self, leads: Iterable[str]) -> None:
        """`release` for leads that nothing waits behind."""
        self._busy.difference_update(leads)

    def close(self, lead: str, reason: str) -> list[Parcel]:
        """Send nothing more for this lead; returns what was waiting."""
        self._closed[lead] = reason
        self._busy.discard(lead)
        queue = self._waiting.pop(lead, deque())
        self.waiting -= len(queue)
        return list(queue)

    def drain(self) -> list[Parcel]:
        """Everything that still waits."""
        left = [parcel for queue in self._waiting.values() for parcel in queue]
        self._waiting.clear()
        self.waiting = 0
        return left
