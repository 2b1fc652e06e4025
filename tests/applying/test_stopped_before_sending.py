"""A process that was stopped after its intents were recorded and before a byte of the request had left."""

from __future__ import annotations

import threading
from pathlib import Path

from syncengine.api import Project, apply
from syncengine.clock import SystemClock
from tests.crash.bench import Bench


class StoppedOnce(SystemClock):
    """Half a minute passes when a sender first looks at the clock: its request is on record, and has not left."""

    ahead = 0.0

    def monotonic(self) -> float:
        if threading.current_thread().name.startswith("sender"):
            self.ahead = 30.0
        return super().monotonic() + self.ahead


def test_what_was_intended_long_ago_leaves_only_after_a_new_intent(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        bench.found()
        bench.changeset("first", {"lead": "11", "trigger": ["1053"]})
        path = bench.plan()
        result = apply(path, Project.open(tmp_path / "syncengine.yaml", clock=StoppedOnce()))
        assert result.exit == 0
        with Project.open(tmp_path / "syncengine.yaml").view() as ledger:
            assert ledger is not None
            (record,) = ledger.history()
        answers = [attempt.answer for attempt in record.attempts]
        assert [answer.outcome.value for answer in answers if answer] == ["not_sent", "applied"]
        assert answers[0] is not None
        assert "the moment to send had passed" in answers[0].message
        assert bench.sent == [["trigger 11 1053"]]
