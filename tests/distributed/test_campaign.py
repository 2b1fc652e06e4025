"""A short campaign; docs/reliability.md has the figures of a long one."""

from __future__ import annotations

from pathlib import Path

from tests.distributed.campaign import campaign
from tests.postgres_server import PostgresServer


def test_three_workers_under_random_kills_double_and_lose_nothing(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    tally = campaign(tmp_path, postgres_server.new_database(), operations=2000, kills=6, seed=3, latency_ms=15)
    assert (tally.doubled, tally.lost, tally.false_claims) == (0, 0, 0), "\n".join(tally.wrong)
    assert tally.kills >= 3, tally.table()
