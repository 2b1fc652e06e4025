"""The commands of docs/sealed-plans.md, as they stand there."""

from __future__ import annotations

import os
import subprocess

from tests.cli.console import PATIENCE, SCRIPT, environment
from tests.packaging.test_documents import ROOT
from tests.workspace import Workspace


def test_the_commands_of_the_page_work(workspace: Workspace) -> None:
    workspace.changeset("repair", '- {lead: "2932682", update: {lastname: Featherstonehaugh}}\n')
    script = (ROOT / "docs" / "sealed-plans.md").read_text(encoding="utf-8").partition("```sh\n")[2].partition("```")[0]
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=workspace.root,
        env=environment(PATH=path, LEADBYTE_API_KEY=workspace.api_key),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert workspace.times("update", "2932682") == 1
    assert b"Featherstonehaugh" not in (workspace.root / "release.plan").read_bytes()
