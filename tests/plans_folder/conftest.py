from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.bench import Bench
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A folder with a configuration, a sandbox that knows every lead, and the command line."""
    with Bench(tmp_path) as made:
        made.found()
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def either_bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """The same, once with a ledger on SQLite and once with one on PostgreSQL."""
    if request.param == "sqlite":
        with Bench(tmp_path) as made:
            made.found()
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with Bench(tmp_path, ledger_url=server.new_database()) as made:
        made.found()
        yield made


@pytest.fixture
def server_bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    """The same with a ledger on PostgreSQL."""
    with Bench(tmp_path, ledger_url=postgres_server.new_database()) as made:
        made.found()
        yield made
