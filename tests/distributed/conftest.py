from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.bench import Bench
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]


@pytest.fixture
def bench(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Bench]:
    """A workbench whose ledger is on PostgreSQL and was created."""
    with Bench(tmp_path / "bench", ledger_url=postgres_server.new_database()) as made:
        made.found()
        yield made
