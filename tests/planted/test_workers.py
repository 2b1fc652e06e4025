"""Distributed apply: what stands in the database while runs wait and afterwards, and what submit and workers print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from syncengine.sandbox import Key
from tests.crash.bench import Bench
from tests.postgres_server import PostgresServer, postgres_server

from .needles import KEY, VALUES, Search
from .test_faults import CHANGES, QUOTES, search_all

__all__ = ["postgres_server"]


@pytest.fixture
def bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    url = postgres_server.new_database()
    with Bench(tmp_path / "bench", ledger_url=url, keys=[Key(text=KEY)]) as made:
        (made.folder / "api.key").write_text(KEY)
        made.configure(limits={"leads_per_request": 1}, ledger={"id": made.found()})
        yield made


def look_at_the_database(search: Search, url: str, when: str) -> int:
    """Every row of every table, as text; returns how many there were."""
    rows = 0
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            query = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, table))
            for (text,) in connection.execute(query):
                search.look(f"{when}, {schema}.{table}", text)
                rows += 1
    return rows


def test_neither_queue_nor_ledger_nor_workers_give_anything_away(bench: Bench) -> None:
    bench.changeset("planted", *CHANGES)
    plan = bench.plan()
    bench.faults({"match": {"lead": "11"}, "fault": {"reject": {"message": QUOTES}}})
    printed: dict[str, str] = {}
    search = Search({"key": KEY, **VALUES})
    for words in (("submit", plan, "--format", "json"), ("worker", "--drain", "--log-level", "debug"), ("status",)):
        ended = bench.process(*words)
        assert ended.code in (0, 4), ended
        printed[str(words)] = ended.out + ended.err
        assert look_at_the_database(search, bench.ledger_url, f"after {words[0]}") > 10
    files = search_all(bench, printed)
    assert bench.outcomes()["update 11"] == "rejected"
    assert bench.outcomes()["update 12"] == "applied"
    assert "\n".join([*search.found, *files.found]) == ""
    assert any("queue" in place or "shard" in place or "procrastinate" in place for place in search.places)
