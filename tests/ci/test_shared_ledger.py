"""A ledger whose URL comes from the environment, through every command that looks at it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.console import run
from tests.postgres_server import PostgresServer

PASSWORD = "se3kret-of-the-ledger"


@pytest.fixture
def repository(tmp_path: Path, postgres_server: PostgresServer) -> tuple[Path, str]:
    url = postgres_server.new_database()
    assert run("init", "--ci", "github", cwd=tmp_path, SYNCENGINE_LEDGER_URL=url).code == 0
    return tmp_path, url


def test_commands_find_it_and_say_when_they_cannot(repository: tuple[Path, str]) -> None:
    folder, url = repository
    for words in (("status",), ("history",), ("ledger", "check"), ("ledger", "migrate"), ("plan", "changesets")):
        ended = run(*words, cwd=folder, SYNCENGINE_LEDGER_URL=url)
        assert ended.code == 0, (words, ended)
        lost = run(*words, cwd=folder)
        assert lost.code == 1, (words, lost)
        assert "SYNCENGINE_LEDGER_URL is not set" in lost.err
    assert run("plan", "changesets", "--offline", cwd=folder).code == 0
    told = run("doctor", cwd=folder)
    assert told.code == 1
    assert "SYNCENGINE_LEDGER_URL is not set" in told.out


def test_its_password_is_never_shown(repository: tuple[Path, str], postgres_server: PostgresServer) -> None:
    folder, _ = repository
    server = urlsplit(postgres_server.url("postgres")).netloc.rpartition("@")[2]
    url = f"postgresql://somebody:{PASSWORD}@{server}/nowhere"
    for words in (("status",), ("doctor",), ("plan", "changesets")):
        ended = run(*words, cwd=folder, SYNCENGINE_LEDGER_URL=url)
        assert ended.code != 0
        assert PASSWORD not in ended.out + ended.err
