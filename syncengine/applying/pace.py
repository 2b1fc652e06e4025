"""Rate limit and Retry-After for all connections of a run together."""

from __future__ import annotations

from typing import Protocol

_TURN = 0.02


class RequestPace(Protocol):
    """Decides when the next request may leave. Distributed runs share one through the ledger's database."""

    @property
    def gap(self) -> float:
        """Seconds between two requests; 0 without a limit."""
        ...

    def delay(self, now: float) -> float:
        """Seconds until the next request may leave; 0 where it may leave at once."""
        ...

    def left(self, now: float) -> None:
        """Record that a request leaves now."""
        ...

    def hold(self, until: float) -> None:
        """Let nothing leave before this moment."""
        ...


class LocalPace:
    """An even pace for one process; times are monotonic seconds. A rate of 0 means no limit."""

    def __init__(self, requests_per_second: float) -> None:
        self.gap = 1.0 / requests_per_second if requests_per_second > 0 else 0.0
        # At more than fifty a second, requests that fell due within one turn of the run leave together.
        self._slack = _TURN if self.gap < _TURN else 0.0
        self._next = 0.0

    def delay(self, now: float) -> float:
        """Seconds until the next request may leave."""
        return max(0.0, self._next - now)

    def left(self, now: float) -> None:
        """Count a request."""
        # Idle time does not accumulate into a burst.
        self._next = max(self._next, now - self._slack) + self.gap if self.gap else self._next

    def hold(self, until: float) -> None:
        """Let nothing leave before this moment."""
        self._next = max(self._next, until)
