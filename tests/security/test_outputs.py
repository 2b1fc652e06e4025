"""What is written: never through a link that somebody planted, for this user alone where it holds values, and whole."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.approvals.repository import make_key
from tests.cli.console import Ended, run_inside
from tests.workspace import Workspace

pytestmark = pytest.mark.usefixtures("alarm")

CHANGES = '- lead: "2932682"\n  update: {c1: Anna}\n'
BODY = '{"leads": [{"id": "2932682", "update": {"c1": "Anna"}}]}'
UNTOUCHED = "nobody's business\n"


def _plan(workspace: Workspace) -> Ended:
    return workspace.run("plan", "changesets", "--out", "out.plan")


def _approve(workspace: Workspace) -> Ended:
    workspace.plan(out="made.plan")
    key = make_key(workspace.root.parent, "key")
    (workspace.root / "out.plan").rename(workspace.root / "made.plan.approval")
    return workspace.run("approve", "made.plan", "--key", str(key))


def _junit(workspace: Workspace) -> Ended:
    workspace.plan(out="made.plan")
    return workspace.run("apply", "made.plan", "--junit", "out.plan")


def _revert(workspace: Workspace) -> Ended:
    workspace.plan(out="made.plan")
    workspace.apply("made.plan")
    return workspace.run("revert", "made.plan", "--out", "out.plan")


def _import(workspace: Workspace) -> Ended:
    workspace.write("body.json", BODY)
    return workspace.run("import", "body.json", "--changeset", "imported", "--out", "out.plan")


def _lease(workspace: Workspace) -> Ended:
    workspace.plan(out="made.plan")
    assert workspace.apply("made.plan")["exit"] == 0
    lease = workspace.root / ".syncengine" / "ledger.db.acme.lease"
    lease.unlink()
    (workspace.root / "out.plan").rename(lease)
    return workspace.run("apply", "made.plan")


def _log(end: str) -> Callable[[Workspace], Ended]:
    """SQLite's own files beside the ledger."""

    def run(workspace: Workspace) -> Ended:
        workspace.plan(out="made.plan")
        assert workspace.apply("made.plan")["exit"] == 0
        companion = workspace.root / ".syncengine" / f"ledger.db{end}"
        companion.unlink(missing_ok=True)
        (workspace.root / "out.plan").rename(companion)
        assert workspace.run("plan", "changesets").code == 1
        return workspace.run("apply", "made.plan")

    return run


def _state(name: str) -> Callable[[Workspace], Ended]:
    def run(workspace: Workspace) -> Ended:
        (workspace.root / "state").mkdir()
        (workspace.root / "out.plan").rename(workspace.root / "state" / name)
        leads = workspace.write("leads.csv", "id,c1\n101,Anna\n")
        return workspace.run("sandbox", "--state", "state", "--leads", str(leads))

    return run


WRITERS: dict[str, Callable[[Workspace], Ended]] = {
    "plan": _plan,
    "approval": _approve,
    "junit": _junit,
    "revert": _revert,
    "import": _import,
    "lease": _lease,
    "write-ahead log": _log("-wal"),
    "its index": _log("-shm"),
    "journal": _log("-journal"),
    "sandbox effects": _state("effects.jsonl"),
    "sandbox requests": _state("requests.jsonl"),
    "sandbox leads": _state("leads.csv"),
    "sandbox lock": _state("sandbox.lock"),
}


@pytest.mark.parametrize("there", [True, False], ids=["to-a-file", "to-nothing"])
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_written_through_a_link(workspace: Workspace, tmp_path: Path, writer: str, there: bool) -> None:
    victim = tmp_path / "victim"
    if there:
        victim.write_text(UNTOUCHED)
    (workspace.root / "out.plan").symlink_to(victim)
    workspace.changeset("one", CHANGES)
    ended = WRITERS[writer](workspace)
    assert "SE999" not in ended.err, ended.err
    assert victim.exists() == there
    if there:
        assert victim.read_text() == UNTOUCHED


@pytest.mark.parametrize(
    "name", [".gitignore", ".gitattributes", "syncengine.yaml", ".syncengine", "changesets", ".github", "sandbox"]
)
def test_init_writes_through_no_link(tmp_path: Path, name: str) -> None:
    folder, outside = tmp_path / "repository", tmp_path / "outside"
    folder.mkdir()
    if name in (".gitignore", ".gitattributes", "syncengine.yaml"):
        account = "{base_url: 'http://127.0.0.1:1', api_key: env:LEADBYTE_A}"
        kept = f"version: 1\naccounts: {{a: {account}}}\nledger:\n  id: null\n"
        outside.write_text(kept if name == "syncengine.yaml" else UNTOUCHED)
        before: object = outside.read_text()
    else:
        outside.mkdir()
        before = []
    (folder / name).symlink_to(outside)
    ended = run_inside("init", str(folder), "--ci", "github", cwd=tmp_path)
    assert "SE999" not in ended.err, ended.err
    assert (outside.read_text() if outside.is_file() else list(outside.iterdir())) == before
    # A folder called sandbox that is not ours stays as it is, and init goes on without one.
    assert (ended.code, "link" in ended.err) == ((0, False) if name == "sandbox" else (1, True)), ended.err


def test_what_holds_values_is_for_this_user_alone(workspace: Workspace) -> None:
    workspace.changeset("one", CHANGES)
    workspace.write("before.csv", "lead,observed_at,c1\n2932682,2026-01-01T00:00:00Z,Joe\n")
    workspace.plan("--observed", "before.csv", out="made.plan")
    assert workspace.apply("made.plan")["exit"] == 0
    workspace.write("body.json", BODY)
    for args in (
        ("plan", "changesets", "--out", "out"),
        ("revert", "made.plan", "--out", "out"),
        ("import", "body.json", "--changeset", "imported", "--out", "out"),
    ):
        assert workspace.run(*args).code == 0
        assert stat.S_IMODE((workspace.root / "out").stat().st_mode) == 0o600, args
        (workspace.root / "out").unlink()
    for folder in (workspace.root / ".syncengine", workspace.sandbox.state_dir):
        assert [path.name for path in folder.iterdir() if path.is_file() and path.stat().st_mode & 0o077] == []


def test_a_result_that_cannot_be_put_in_place_leaves_nothing_behind(workspace: Workspace) -> None:
    workspace.changeset("one", CHANGES)
    (workspace.root / "out.plan").mkdir()
    for writer in ("plan", "import", "junit"):
        assert WRITERS[writer](workspace).code in (0, 1)
    assert sorted(path.name for path in workspace.root.glob(".*.partial")) == []
    assert list((workspace.root / "out.plan").iterdir()) == []
