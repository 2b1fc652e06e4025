"""A PostgreSQL server that hangs in the middle of a run: connections stay open and nothing answers."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.cli.console import SCRIPT, environment
from tests.postgres_server import running_server
from tests.workspace import Workspace

ENDS_WITHIN = 60.0
"""Seconds after the deadline or the first SIGTERM: a promise."""


@pytest.mark.parametrize("end", ["SIGTERM", "deadline"])
def test_apply_ends_although_its_ledger_does_not_answer(tmp_path: Path, end: str) -> None:
    options = SandboxOptions(state=tmp_path / "service", any_lead=True)
    with running_server() as server, Sandbox(options).start() as sandbox:
        workspace = Workspace(tmp_path, sandbox)
        configuration = (tmp_path / "syncengine.yaml").read_text().replace("1000", "20")
        workspace.write("syncengine.yaml", f'{configuration}ledger: {{url: "{server.new_database()}"}}\n')
        leads = ", ".join(f'"{lead}"' for lead in range(5_000_000, 5_000_400))
        workspace.changeset("many", f"- leads: [{leads}]\n  trigger: [northwind]")
        workspace.plan()
        limit = ["--deadline", "3"] if end == "deadline" else []
        process = subprocess.Popen(
            [SCRIPT, "apply", "release.plan", "--format", "json", *limit],
            cwd=tmp_path,
            env=environment(LEADBYTE_API_KEY=workspace.api_key),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        while len(workspace.effects) < 5:
            assert process.poll() is None
            time.sleep(0.05)
        server.freeze()
        try:
            if end == "SIGTERM":
                process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=ENDS_WITHIN)
        finally:
            process.kill()
            server.thaw()
        result = json.loads(out)
        listed = [line["operation"] for line in result["in_doubt"] + result["unrecorded"]]
        assert process.returncode == result["exit"] == (130 if end == "SIGTERM" else 5 if listed else 4)
        assert result["stopped"]
        assert sum(result["counts"].values()) == 400
        # What the service did is known to the ledger, as done or as a doubt; the file goes on with the rest.
        open_now = json.loads(workspace.run("status", "--format", "json").out)
        assert sorted(listed) == sorted(doubt["operation"] for doubt in open_now["in_doubt"])
        assert open_now["counts"]["applied"] + len(open_now["in_doubt"]) >= len(workspace.effects)
        finished = workspace.run("apply", "release.plan", "--format", "json").json
        assert finished["exit"] in (0, 5)
        assert all(workspace.times("trigger", str(lead)) <= 1 for lead in range(5_000_000, 5_000_400))
