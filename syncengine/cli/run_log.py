"""A run's events as log lines: which run, which plan, which operations, how many, how long. Never a value."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Unpack, assert_never

from syncengine.cli.logs import Facts, Log
from syncengine.cli.output import Level
from syncengine.core.events import (
    OperationsSettled,
    PlanLooked,
    RequestAnswered,
    RequestLeft,
    RunBegan,
    RunEnded,
    RunEvent,
    RunStopped,
    SentAgain,
)
from syncengine.core.outcomes import Outcome
from syncengine.core.ports import Listener

_WORDS = {Outcome.UNKNOWN: "in_doubt"}
_TROUBLE = frozenset({Outcome.REJECTED, Outcome.UNKNOWN})


class RunLog:
    """A listener that writes to the log. Every line names the run and its plan."""

    def __init__(self, log: Log, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._ids: Facts = {}
        self._began = 0.0

    def note(self, text: str) -> None:
        """Notes are for people; they have a way of their own."""

    def tell(self, event: RunEvent) -> None:
        """One line, or none where its level is not wanted."""
        match event:
            case PlanLooked():
                pass
            case RunBegan():
                self._ids = {"run": event.run, "plan": event.plan}
                self._began = self._monotonic()
                self._write(
                    "info", "run began", account=event.account, changesets=list(event.changesets),
                    count=event.operations,
                )  # fmt: skip
            case RequestLeft():
                self._write(
                    "debug", "request left", request=event.request, call=event.call, entries=event.entries,
                    tries=event.tries, operations=list(event.operations),
                )  # fmt: skip
            case RequestAnswered():
                self._write(
                    "info", "request answered", request=event.request, status=event.status, verdict=event.verdict,
                    seconds=round(event.seconds, 6), applied=event.applied, rejected=event.rejected,
                    unknown=event.unknown, not_sent=event.not_sent,
                )  # fmt: skip
            case SentAgain():
                self._write(
                    "info", "sent again", request=event.request, entries=event.entries, count=event.operations,
                    wait=round(event.wait, 3),
                )  # fmt: skip
            case OperationsSettled(outcome, operations):
                level: Level = "warning" if outcome in _TROUBLE else "info"
                outcome_word = _WORDS.get(outcome, outcome.value)
                self._write(level, "settled", outcome=outcome_word, operations=list(operations))
            case RunStopped(cause):
                self._write("warning", "run stopped", cause=cause)
            case RunEnded():
                counts = event.counts
                self._write(
                    "info", "run ended", exit=event.exit, requests=event.requests, applied=counts.applied,
                    rejected=counts.rejected, in_doubt=counts.in_doubt, already_applied=counts.already_applied,
                    not_sent=counts.not_sent, seconds=round(self._monotonic() - self._began, 3),
                )  # fmt: skip
            case _:
                assert_never(event)

    def _write(self, level: Level, event: str, **facts: Unpack[Facts]) -> None:
        self._log.write(level, event, {**self._ids, **facts})


class Listeners:
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def note(self, text: str) -> None:
        """Passed on to each."""
        for listener in self._listeners:
            listener.note(text)

    def tell(self, event: RunEvent) -> None:
        """Passed on to each."""
        for listener in self._listeners:
            listener.tell(event)
