"""What is told of many runs takes work in proportion to them."""

from __future__ import annotations

import gc
import json
import time

from syncengine.ledger.operation_records import open_plans
from syncengine.ledger.rows import BegunRow


def _plans(count: int) -> list[tuple[list[BegunRow], int]]:
    """Every second plan was settled, each of changesets of its own and one that all share."""
    return [
        (
            [
                BegunRow(
                    account="acme",
                    lane="",
                    plan=f"p{number}",
                    id=f"r{number}",
                    changesets=json.dumps([f"c{number}", "shared"]),
                    plan_path="release.plan",
                    total=2,
                    started="2026-11-23T10:00:00Z",
                    ended=None,
                    stopped=None,
                    planned="",
                )
            ],
            2 * (number % 2),
        )
        for number in range(count)
    ]


def _cpu(count: int) -> float:
    plans = _plans(count)
    gc.disable()  # or it looks through whatever other tests hold
    try:
        started = time.process_time()
        assert len(open_plans(plans)) == count // 2
        return time.process_time() - started
    finally:
        gc.enable()


def test_unfinished_plans_are_told_from_thousands_of_finished_ones_in_proportion() -> None:
    """Noise gets tenfold slack; work that grows with the square takes fifty times as much for fifty times the plans."""
    _cpu(100)
    small, large = _cpu(1_000), _cpu(50_000)
    assert large < 10 * 50 * small + 0.1
