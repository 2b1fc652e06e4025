"""Structured logs on stderr. What a line may carry is a closed list of ids, counts and places: never a value or a key.

The standard library's logging is left alone on purpose: other packages log URLs, and some calls carry the key in one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypedDict, Unpack

from syncengine.cli.output import Output

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")


class Facts(TypedDict, total=False):
    """What a line may say besides its event."""

    run: str
    plan: str
    operation: str
    account: str
    changeset: str
    ledger: str
    request: int
    status: int
    entries: int
    operations: int
    applied: int
    rejected: int
    in_doubt: int
    not_sent: int
    seconds: float
    wait: float
    file: str
    line: int
    code: str
    exit: int
    reason: str
    """One of our own fixed phrases, never the service's words."""


_ALLOWED = frozenset(Facts.__annotations__)


def utc_now() -> str:
    """UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Log:
    """Events of one command, from `level` upwards, as text or as JSON Lines like everything else on stderr."""

    def __init__(
        self, output: Output, *, verb: str, level: Level = "warning", now: Callable[[], str] = utc_now
    ) -> None:
        self._output = output
        self._verb = verb
        self._lowest = LEVELS.index(level)
        self._now = now

    def debug(self, event: str, **facts: Unpack[Facts]) -> None:
        """Steps that help to find out why."""
        self._write("debug", event, facts)

    def info(self, event: str, **facts: Unpack[Facts]) -> None:
        """What a machine that follows along wants to know."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Unpack[Facts]) -> None:
        """What somebody should look at."""
        self._write("warning", event, facts)

    def error(self, event: str, **facts: Unpack[Facts]) -> None:
        """What went wrong."""
        self._write("error", event, facts)

    def _write(self, level: Level, event: str, facts: Facts) -> None:
        if not facts.keys() <= _ALLOWED:
            raise TypeError("a log line has no place for that")
        if LEVELS.index(level) < self._lowest:
            return
        if self._output.log_format == "json":
            self._output.log_line({"time": self._now(), "level": level, "verb": self._verb, "event": event, **facts})
            return
        words = " ".join(f"{name}={value}" for name, value in facts.items())
        self._output.text_line(f"{self._now()} {level} {self._verb}: {event} {words}".rstrip())
