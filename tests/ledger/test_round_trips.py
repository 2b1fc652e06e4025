"""How often a run waits for PostgreSQL: at most six round trips for each request that it sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crash.bench import Bench
from tests.ledger.stopping_proxy import StoppingProxy
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]

MOST = 6
LEADS = 60
_ENDS_A_TRIP = ("Q", "S")
"""Messages after which the server answers: a simple query, and a sync."""


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[StoppingProxy]:
    made = StoppingProxy(postgres_server.new_database())
    yield made
    made.close()


def changes(kind: str) -> list[dict[str, Any]]:
    what: dict[str, Any] = {"update": {"c1": kind}} if kind.startswith("update") else {"trigger": ["1053"]}
    return [{"lead": str(5000 + number), **what} for number in range(LEADS)]


def trips(proxy: StoppingProxy) -> int:
    return sum(kind in _ENDS_A_TRIP for kind in proxy.types)


@pytest.mark.parametrize("rate", [1000, 12], ids=["fast", "slow"])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_request_takes_at_most_six_round_trips(
    tmp_path: Path, proxy: StoppingProxy, rate: int, concurrency: int
) -> None:
    """On leads that are new, and on leads with a history, of which another process may have written the last part."""
    one_each = {"leads_per_request": 1, "irreversible_per_request": 1}
    with Bench(tmp_path, ledger_url=proxy.url) as bench:
        bench.configure(limits={**one_each, "requests_per_second": rate, "concurrency": concurrency})
        bench.found()
        for kind in ("update one", "trigger", "update two"):
            bench.changeset("first", *changes(kind))
            bench.plan()
            before = len(bench.requests)
            process = bench.start("apply", "release.plan", "--format", "json")
            proxy.arm(process.pid, None)
            assert process.wait(60) == 0
            sent = len(bench.requests) - before
            assert sent == LEADS
            # What a run asks once, before its first request and after its last one, is not for a request.
            assert trips(proxy) - 60 <= MOST * sent, f"{kind}: {trips(proxy)} round trips for {sent} requests"
