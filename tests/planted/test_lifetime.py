"""Keys that change, keys that lie open, and lead data that has to go."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncengine.sandbox import Key, Sandbox, SandboxOptions, parse_script
from tests.cli.console import PATIENCE, SCRIPT, environment
from tests.packaging.test_documents import ROOT
from tests.workspace import Workspace

from .needles import VALUES, Search

OLD, NEW = "old-key-0123456789", "new-key-9876543210"
FIELDS = json.dumps(VALUES)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    keys = [Key(text=OLD), Key(text=NEW)]
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True, keys=keys)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox, limits=", leads_per_request: 1")


def test_a_key_is_rotated_in_the_middle_of_a_plan(workspace: Workspace) -> None:
    """The plan holds no key: after the old one is refused, the same plan goes on with the new one, nothing twice."""
    workspace.changeset("repair", "".join(f'- {{lead: "{n}", trigger: [northwind]}}\n' for n in (11, 12, 13)))
    digest = workspace.plan()["plan"]
    rule = {"match": {"nth": [2]}, "fault": {"effect": "none", "answer": {"status": 401, "body": "error"}}}
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": [rule]})))
    first = workspace.run("apply", "release.plan", "--format", "json", LEADBYTE_API_KEY=OLD)
    assert (first.code, first.json["counts"]["applied"]) == (4, 1)
    second = workspace.run("apply", "release.plan", "--format", "json", LEADBYTE_API_KEY=NEW)
    assert (second.code, second.json["counts"]["applied"], second.json["plan"]) == (0, 2, digest)
    assert [workspace.times("trigger", lead) for lead in ("11", "12", "13")] == [1, 1, 1]


def test_a_key_file_that_is_open_to_others_is_warned_about(workspace: Workspace) -> None:
    path = workspace.write("api.key", OLD)
    text = (workspace.root / "syncengine.yaml").read_text()
    workspace.write("syncengine.yaml", text.replace("env:LEADBYTE_API_KEY", "file:api.key"))
    for mode, warned in ((0o644, True), (0o640, True), (0o600, False)):
        path.chmod(mode)
        workspace.changeset("repair", f'- {{lead: "11", update: {{c1: "{mode}"}}}}\n')
        workspace.plan()
        ended = workspace.run("apply", "release.plan")
        assert ended.code == 0
        assert (f"chmod 600 {path}" in ended.err) is warned


def test_what_was_forgotten_is_nowhere(workspace: Workspace) -> None:
    """A ledger that keeps values in plain, so that there is something to forget; no other lead's data goes."""
    text = (workspace.root / "syncengine.yaml").read_text()
    workspace.write("syncengine.yaml", text + "ledger: {values: plain}\n")
    kept = {"lastname": "Somebody-Else-Entirely", "phone1": "07700900999"}
    changes = f'- {{lead: "11", update: {FIELDS}}}\n- {{lead: "12", update: {json.dumps(kept)}}}\n'
    workspace.changeset("repair", changes)
    workspace.plan()
    rule = {"match": {"lead": "11"}, "fault": {"reject": {"message": f"{VALUES['lastname']} is no name"}}}
    workspace.sandbox.set_faults(parse_script(json.dumps({"rules": [rule]})))
    assert workspace.run("apply", "release.plan").code == 4
    own = [workspace.root / name for name in ("changesets", "release.plan")]

    def search(planted: dict[str, str]) -> Search:
        made = Search(planted)
        made.look_into(workspace.root, apart_from=own)
        made.look("export", workspace.run("ledger", "export").out)
        return made

    assert len({line.partition(" in")[0] for line in search(VALUES).found}) == len(VALUES)
    forgotten = workspace.run("ledger", "forget", "11", "--by", "ann", "--account", "acme")
    assert forgotten.code == 0, forgotten.err
    assert "release.plan" in forgotten.out + forgotten.err
    assert search(VALUES).found == []
    assert search(kept).found


def test_the_retention_recipe_works_as_it_stands(workspace: Workspace) -> None:
    """The commands of docs/retention.md, in order; afterwards neither lead data nor the lead's changes are anywhere."""
    page = (ROOT / "docs" / "retention.md").read_text(encoding="utf-8")
    scripts = [part.partition("```")[0] for part in page.split("```sh\n")[1:]]
    workspace.changeset("postcode-repair-2026-11", f'- {{lead: "2932682", update: {FIELDS}}}\n')
    workspace.plan()
    assert workspace.run("apply", "release.plan").code == 0
    old = 1_600_000_000
    os.utime(workspace.root / "release.plan", (old, old))
    workspace.write("gone.plan.approval", "")
    listed: list[str] = []
    for script in scripts:
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            cwd=workspace.root,
            env=environment(PATH=f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (script, done.stderr)
        listed += [line for line in done.stdout.splitlines() if line.startswith("./")]
    assert listed == ["./changesets/postcode-repair-2026-11.yaml"]
    for name in listed:
        (workspace.root / name).unlink()
    search = Search(VALUES)
    search.look_into(workspace.root)
    assert search.found == []
    assert not list(workspace.root.glob("*.plan*"))
