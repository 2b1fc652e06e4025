"""Early end of a run: stop rules, waves, and external requests."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from syncengine.core.settings import StopRule


class Cause(Enum):
    """Why a run stopped early; interruptions have an exit code of their own."""

    INTERRUPTED = "interrupted"
    STOPPED = "stopped"


class StopSignal:
    """Set from outside (a signal handler, a deadline) and read by the run before every request."""

    def __init__(self) -> None:
        self.cause: Cause | None = None
        self.reason = ""
        self._wake: Callable[[], None] | None = None

    def on_change(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever the signal is set; it must be safe inside a signal handler."""
        self._wake = wake

    @property
    def is_heard(self) -> bool:
        """Whether a run that reads this signal is in progress."""
        return self._wake is not None

    def request(self, cause: Cause, reason: str) -> None:
        """Ask the run to send nothing new. The first reason stays."""
        if self.cause is None:
            self.cause, self.reason = cause, reason
        if self._wake is not None:
            self._wake()


class Rules(Protocol):
    """policy.stop_when, updated with every answer. Distributed runs share one in PostgreSQL."""

    def entry(self, *, rejected: bool) -> None:
        """Count one more entry with a readable answer."""
        ...

    def entries(self, count: int) -> None:
        """Count more entries with a readable answer, none of them rejected."""
        ...

    def request(self, *, unanswered: bool) -> None:
        """Count one more request as answered or unanswered."""
        ...

    def verdict(self) -> str | None:
        """Why the run must stop, or None. Called once for every answer."""
        ...


def stop_reason(rule: StopRule, *, answered: int, rejected: int, unanswered: int) -> str | None:
    """Why a run with these counts must stop, or None."""
    if rule.unanswered and unanswered >= rule.unanswered:
        return f"{unanswered} requests in a row without a readable answer (stop_when.unanswered)"
    if answered >= rule.after and rejected * 100 >= rule.rejected_percent * answered:
        return (
            f"{rejected} of {answered} answered entries were rejected "
            f"(stop_when.rejected_percent: {rule.rejected_percent:g}, after: {rule.after})"
        )
    return None


class StopRules:
    """Stop rules for a single process. Unanswered requests are counted over all plans of a command, entries for each
    plan."""

    def __init__(self, rule: StopRule) -> None:
        self._rule = rule
        self._answered = 0
        self._rejected = 0
        self._unanswered = 0

    def begin_plan(self) -> None:
        """Count the entries of the next plan of the command from zero."""
        self._answered = self._rejected = 0

    def entry(self, *, rejected: bool) -> None:
        """Count one more entry with a readable answer."""
        self._answered += 1
        self._rejected += rejected

    def entries(self, count: int) -> None:
        """Count more entries with a readable answer, none of them rejected."""
        self._answered += count

    def request(self, *, unanswered: bool) -> None:
        """Count one more request as answered or unanswered."""
        self._unanswered = self._unanswered + 1 if unanswered else 0

    def verdict(self) -> str | None:
        """Why the run must stop, or None."""
        return stop_reason(self._rule, answered=self._answered, rejected=self._rejected, unanswered=self._unanswered)


class Waves:
    """policy.waves: so many entries, then a check of their outcomes, then the next wave; after the last one the
    rest."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = list(sizes)
        self._left = self._sizes.pop(0) if self._sizes else None
        self._failed = False

    def room(self) -> int | None:
        """Number of entries that may still start in this wave; None where unlimited."""
        return self._left

    def started(self) -> None:
        """Count one entry of this wave as started."""
        if self._left is not None:
            self._left -= 1

    def failed(self) -> None:
        """Record that an entry of this wave was rejected or is in doubt."""
        self._failed = True

    def next(self) -> str | None:
        """Called when all entries of the wave were answered: start the next wave, or return why not."""
        if self._left is None:
            return None
        if self._failed:
            return "an entry of this wave was rejected or is in doubt (policy.waves)"
        self._left = self._sizes.pop(0) if self._sizes else None
        return None
