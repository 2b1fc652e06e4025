"""The real command and a PostgreSQL ledger whose connections break in the middle of a run."""

from __future__ import annotations

import subprocess

import psycopg

from tests.crash.bench import Bench, Ended

_BREAK_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def test_connections_that_break_again_and_again_cost_nothing(server_bench: Bench) -> None:
    bench = server_bench
    bench.configure(limits={"leads_per_request": 2, "irreversible_per_request": 2, "concurrency": 2})
    leads = range(1100, 1124)
    bench.changeset("first", *({"lead": str(lead), "update": {"c1": "a"}, "trigger": ["1053"]} for lead in leads))
    bench.plan()
    process = bench.start("apply", "release.plan", "--format", "json", stdout=subprocess.PIPE)
    seen = breaks = 0
    with psycopg.connect(bench.ledger_url, autocommit=True) as killer:
        while process.poll() is None:
            done = bench.sandbox.effects_log.read_bytes().count(b"\n")
            if done > seen:
                seen = done
                breaks += len(killer.execute(_BREAK_ALL).fetchall())
    out, _ = process.communicate()
    ended = Ended(process.returncode, out.decode(), "")
    assert breaks
    assert (ended.code, ended.json["counts"]["applied"]) == (0, 2 * len(leads))
    assert set(bench.done().values()) == {1}
    assert set(bench.outcomes().values()) == {"applied"}
    assert bench.cli("ledger", "check").code == 0
