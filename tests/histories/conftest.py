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


@pytest.fixture
def server_bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    """The same with a PostgreSQL ledger."""
    with Bench(tmp_path, ledger_url=postgres_server.new_database()) as made:
        made.found()
        yield made
