"""A run's record keeps what its plan was made from, sealed into the chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.api import Project
from syncengine.core.plan import Selection
from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def test_a_run_keeps_position_parts_and_selection_of_its_plan(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "101"\n  update: {c1: "{{ vars.a }}"}\n', head="vars: {a: x}\n")
    workspace.plan("--var", "a=y", "--changeset", "one")
    assert workspace.apply()["exit"] == 0
    with Project.open(start=workspace.root, environ={}).view() as ledger:
        assert ledger is not None
        (run,) = ledger.runs()
        assert run.planned is not None
        assert run.planned.selection == Selection(variables={"a": "y"}, changesets=("one",))
        assert not run.planned.partial
        assert run.planned.position == 0
        assert set(run.planned.parts) == {
            "changeset:one", "configuration", "policy", "signers", "observed", "ledger",
        }  # fmt: skip
        assert list(ledger.check()) == []
