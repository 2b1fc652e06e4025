from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import RunningSandbox, Sandbox, SandboxOptions

from .repository import Repository


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    with Sandbox(SandboxOptions(any_lead=True, state=tmp_path / "service")).start() as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path, sandbox: RunningSandbox) -> Repository:
    for name in ("repository", "keys"):
        (tmp_path / name).mkdir()
    return Repository(folder=tmp_path / "repository", sandbox=sandbox, keys=tmp_path / "keys")
