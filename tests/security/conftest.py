from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

PATIENCE = 60
"""Seconds after which a command hangs: none takes a tenth of it."""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


@pytest.fixture
def alarm() -> Iterator[None]:
    """A command of this process that waits for ever fails."""

    def ring(_number: int, _frame: FrameType | None) -> NoReturn:
        raise AssertionError(f"it hangs: {PATIENCE} seconds have passed")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
