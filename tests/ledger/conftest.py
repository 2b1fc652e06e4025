from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.ledger import Ledger
from tests.ledger.building import Home
from tests.postgres_server import PostgresServer, postgres_server

__all__ = ["postgres_server"]


def make_home(root: Path, kind: str, request: pytest.FixtureRequest) -> Home:
    if kind == "sqlite":
        return Home(root, "sqlite:///.syncengine/ledger.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Home(root, server.new_database())


@pytest.fixture(params=["sqlite", "postgres"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Home]:
    """A place for a ledger, on each database."""
    place = make_home(tmp_path, request.param, request)
    yield place
    place.close()


@pytest.fixture
def ledger(home: Home) -> Ledger:
    """A new ledger, open for writing, on each database."""
    return home.create()


@pytest.fixture
def file_home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path, "sqlite:///.syncengine/ledger.db")
    yield place
    place.close()


@pytest.fixture
def server_home(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[Home]:
    place = Home(tmp_path, postgres_server.new_database())
    yield place
    place.close()
