"""Processes that start at once where there is neither a ledger nor a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.bench import Bench

PROCESSES = 8


@pytest.mark.parametrize("attempt", range(4))
def test_first_starts_at_once_all_succeed_with_one_key(tmp_path: Path, attempt: int) -> None:
    with Bench(tmp_path) as bench:
        for number in range(PROCESSES):
            bench.changeset(f"first-{number}", {"lead": str(11 + number), "update": {"c1": "a"}})
            bench.plan(f"first-{number}", out=f"{number}.plan")
        options = ("--lock-timeout", "60", "--format", "json")
        started = [bench.start("apply", f"{number}.plan", *options) for number in range(PROCESSES)]
        assert [process.wait(timeout=120) for process in started] == [0] * PROCESSES
        assert bench.done().total() == PROCESSES
        assert bench.cli("ledger", "check").code == 0
        assert all(states == ["update already_applied"] for states in bench.states().values())
        left = sorted(path.name for path in (bench.folder / ".syncengine").iterdir())
        assert [name for name in left if name.endswith(".new")] == []
