"""Structured logs on stderr. What a line may carry is a closed list of ids, counts and places: never a value or a key.

The standard library's logging is left alone on purpose: other packages log URLs, and some calls carry the key in one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, Unpack

from syncengine.cli.output import Level, Output, utc_now

LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


class Facts(TypedDict, total=False):
    """What a line may say besides its event. docs/telemetry.md lists the events."""

    run: str
    plan: str
    operations: list[str]
    outcome: str
    account: str
    changesets: list[str]
    request: int
    call: str
    status: int
    verdict: str
    tries: int
    count: int
    entries: int
    requests: int
    applied: int
    rejected: int
    in_doubt: int
    unknown: int
    already_applied: int
    not_sent: int
    seconds: float
    wait: float
    exit: int
    code: str
    cause: str
    """One of our own fixed phrases, never the service's words."""


_ALLOWED = frozenset(Facts.__annotations__)


class Log:
    """Events of one command, from `level` upwards, as text or as JSON Lines like everything else on stderr."""

    def __init__(
        self, output: Output, *, command: str, level: Level = "warning", now: Callable[[], str] = utc_now
    ) -> None:
        self._output = output
        self._command = command
        self._lowest = LEVELS.index(level)
        self._now = now

    def debug(self, event: str, **facts: Unpack[Facts]) -> None:
        """Steps that help to find out why."""
        self.write("debug", event, facts)

    def info(self, event: str, **facts: Unpack[Facts]) -> None:
        """What a machine that follows along wants to know."""
        self.write("info", event, facts)

    def warning(self, event: str, **facts: Unpack[Facts]) -> None:
        """An event that needs attention."""
        self.write("warning", event, facts)

    def error(self, event: str, **facts: Unpack[Facts]) -> None:
        """What went wrong."""
        self.write("error", event, facts)

    def write(self, level: Level, event: str, facts: Facts) -> None:
        """One line, where the level is wanted."""
        if not facts.keys() <= _ALLOWED:
            raise TypeError("a log line has no place for that")
        if LEVELS.index(level) < self._lowest:
            return
        if self._output.log_format == "json":
            self._output.log_line({"level": level, "event": event, **facts})
            return
        words = " ".join(f"{name}={_plain(value)}" for name, value in facts.items())
        self._output.text_line(f"{self._now()} {level} {self._command}: {event} {words}".rstrip())


def _plain(value: object) -> str:
    return ",".join(str(each) for each in value) if isinstance(value, list) else str(value)
