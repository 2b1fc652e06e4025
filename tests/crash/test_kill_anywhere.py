"""A short run of the harness; docs/reliability.md has the figures of long ones."""

from __future__ import annotations

from pathlib import Path

from tests.postgres_server import PostgresServer

from .harness import Tally, run_series

_SECONDS = 300.0


def assert_kept(tally: Tally, kills: int) -> None:
    assert (tally.doubled, tally.lost, tally.false_claims) == (0, 0, 0), "\n".join(tally.verdicts)
    assert tally.kills >= kills, tally.table()


def test_killed_on_sqlite(tmp_path: Path) -> None:
    assert_kept(run_series(tmp_path, kills=40, seconds=_SECONDS, seed=7, leads=120), 40)


def test_killed_on_postgresql(tmp_path: Path, postgres_server: PostgresServer) -> None:
    tally = run_series(
        tmp_path, kills=20, seconds=_SECONDS, seed=8, leads=120, per_scenario=20, postgres=postgres_server.new_database
    )
    assert_kept(tally, 20)
