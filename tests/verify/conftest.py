from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Reads are allowed, and nothing has to settle."""
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        found = Workspace(tmp_path / "repository", sandbox, limits=", settle: 0")
        allow_reads(found)
        yield found


def allow_reads(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    deliveries:", "    reads: {leads: true}\n    deliveries:"), encoding="utf-8")
