from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace

LEADS = "id,state,payout,revenue,buyer,postcode\n" + "".join(
    f"{lead},approved,80.00,120.00,33,TN25 6QD\n" for lead in range(101, 121)
)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    (tmp_path / "leads.csv").write_text(LEADS, encoding="utf-8")
    options = SandboxOptions(state=tmp_path / "sandbox", leads=tmp_path / "leads.csv")
    with Sandbox(options).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)
