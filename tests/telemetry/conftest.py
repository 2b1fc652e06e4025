from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.telemetry.collector import Collector
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox, limits=", leads_per_request: 2, attempts: 2")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running
