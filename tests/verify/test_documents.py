"""The commands in the how-to pages work as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.verify.test_verify import applied
from tests.workspace import Workspace

DOCS = Path(__file__).resolve().parents[2] / "docs"


def commands(page: str) -> list[list[str]]:
    """The command lines of the page's shell blocks, without the program's name."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    words = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert all(line[0] == "syncengine" for line in words)
    return [line[1:] for line in words]


@pytest.mark.parametrize("page", ["verify.md", "import.md", "doctor.md"])
def test_commands(page: str, workspace: Workspace) -> None:
    (body,) = re.findall(r"^```json\n(.*?)^```", (DOCS / "import.md").read_text(encoding="utf-8"), re.M | re.S)
    applied(workspace, '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
    workspace.write("request.json", body)
    workspace.write("call.sh", f"curl -X PUT -H 'X_KEY: k' -d '{body}' {workspace.sandbox.url}/restapi/v1.3/leads\n")
    workspace.write("data/calls.csv", "lead_id,result,payout\n2932683,sold,80.00\n")
    workspace.write("export.csv", "lead,postcode\n2932682,TN25 6QD\n")
    for command in commands(page):
        ended = workspace.run(*command)
        assert ended.code == 0, (command, ended.out, ended.err)
