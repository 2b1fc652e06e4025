"""A fifo, a device or a folder where a file is named: refused with a documented error, by every command that reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.console import Ended
from tests.workspace import Workspace

pytestmark = pytest.mark.usefixtures("alarm")

CHANGES = '- lead: "2932682"\n  update: {c1: a}\n'
ROWS = "sources: {rows: {file: ../odd.%s}}\n"
EACH_ROW = '- for_each: rows\n  lead: "{{ row.lead }}"\n  update: {c1: a}\n'


def _source(suffix: str) -> Callable[[Workspace], Ended]:
    def read(workspace: Workspace) -> Ended:
        workspace.changeset("odd", EACH_ROW, head=ROWS % suffix)
        return workspace.run("validate", "changesets")

    return read


def _setting(line: str, *, under: str = "") -> Callable[[Workspace], Ended]:
    """A line of the configuration; `under` is what stands above it."""

    def read(workspace: Workspace) -> Ended:
        workspace.changeset("even", CHANGES)
        path = workspace.root / "syncengine.yaml"
        path.write_text(f"{path.read_text()}{under}    {line}\n")
        return workspace.run("plan", "changesets")

    return read


def _planned(*args: str) -> Callable[[Workspace], Ended]:
    """A command that needs a plan called release.plan."""

    def read(workspace: Workspace) -> Ended:
        workspace.changeset("even", CHANGES)
        workspace.plan()
        return workspace.run(*args)

    return read


def _applied(workspace: Workspace) -> Ended:
    """The ledger's key replaced."""
    workspace.changeset("even", CHANGES)
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    key = workspace.root / ".syncengine" / "ledger.key"
    key.unlink()
    (workspace.root / "odd.csv").rename(key)
    return workspace.run("plan", "changesets")


def _lease(workspace: Workspace) -> Ended:
    workspace.changeset("even", CHANGES)
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    lease = workspace.root / ".syncengine" / "ledger.db.acme.lease"
    lease.unlink()
    (workspace.root / "odd.csv").rename(lease)
    return workspace.run("apply", "release.plan")


def _curl(workspace: Workspace) -> Ended:
    command = f"curl -X PUT {workspace.sandbox.url}/restapi/v1.3/leads -d @odd.json\n"
    workspace.write("command.sh", command)
    return workspace.run("import", "command.sh", "--changeset", "imported")


def _beside(workspace: Workspace) -> Ended:
    workspace.changeset("even", CHANGES)
    workspace.plan()
    (workspace.root / "odd.csv").rename(workspace.root / "release.plan.approval")
    return workspace.run("approve", "release.plan", "--key", "key")


READERS: dict[str, Callable[[Workspace], Ended]] = {
    "changeset": lambda workspace: workspace.run("validate", "odd.yaml"),
    "configuration": lambda workspace: workspace.run("validate", "changesets", "--config", "odd.yaml"),
    "policy": lambda workspace: workspace.run("validate", "changesets", "--policy", "odd.yaml"),
    "CSV source": _source("csv"),
    "JSON Lines source": _source("jsonl"),
    "Parquet source": _source("parquet"),
    "lead schema": _setting("lead_schema: odd.json"),
    "database": _setting("odd: sqlite:///odd.db", under="databases:\n"),
    "ledger": _setting("url: sqlite:///odd.db", under="ledger:\n"),
    "ledger key": _applied,
    "lease": _lease,
    "signers": _setting("approvals: {required: 1, allowed_signers: odd.csv}", under="policy:\n"),
    "observed": _planned("plan", "changesets", "--observed", "odd.csv"),
    "observed lines": _planned("plan", "changesets", "--observed", "odd.jsonl"),
    "plan": lambda workspace: workspace.run("show", "odd.plan"),
    "plan to apply": lambda workspace: workspace.run("apply", "odd.plan"),
    "approval": _planned("apply", "release.plan", "--approval", "odd.csv"),
    "approval to be added to": _beside,
    "body": lambda workspace: workspace.run("import", "odd.json", "--changeset", "imported"),
    "body of a command": _curl,
    "table": lambda workspace: workspace.run("import", "odd.csv", "--lead", "lead", "--field", "c1=a"),
    "table to be written out": lambda workspace: workspace.run(
        "import", "odd.csv", "--lead", "lead", "--field", "c1=a", "--inline"
    ),
    "sandbox leads": lambda workspace: workspace.run("sandbox", "--leads", "odd.csv"),
    "sandbox faults": lambda workspace: workspace.run("sandbox", "--faults", "odd.json"),
    "sandbox log": lambda workspace: workspace.run("sandbox", "--state", "state"),
}

NAMES = ("yaml", "json", "csv", "jsonl", "parquet", "db", "plan")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [_fifo, _device, _folder])
@pytest.mark.parametrize("reader", READERS)
def test_only_ordinary_files_are_read(workspace: Workspace, reader: str, make: Callable[[Path], None]) -> None:
    workspace.write("changesets/none.txt", "no changeset")
    workspace.write("key", "no key")
    (workspace.root / "state").mkdir()
    for name in NAMES:
        make(workspace.root / f"odd.{name}")
    make(workspace.root / "state" / "effects.jsonl")
    ended = READERS[reader](workspace)
    assert ended.code in (1, 3), ended.out
    assert "error" in ended.err or "error" in ended.out
    assert "SE999" not in ended.err, ended.err
    assert workspace.requests == [] or reader in ("ledger key", "lease")
