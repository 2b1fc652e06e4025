from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions, parse_script
from tests.cli.console import Ended
from tests.workspace import Workspace

REFUSED = {"reject": {"message": "Postcode is not known"}}
LOST = {"answer": {"status": 500}, "effect": "all"}


class Rows(Workspace):
    """A workspace whose rows are sent to a service that refuses what a test says."""

    def refuse(self, *leads: str, path: str = "*/leads", fault: dict[str, Any] = REFUSED) -> None:
        """From now on, these leads are refused (or their answers lost), and nothing else goes wrong."""
        self.trouble(*({"match": {"path": path, "lead": lead}, "fault": fault} for lead in leads))

    def trouble(self, *rules: dict[str, Any]) -> None:
        self.sandbox.set_faults(parse_script(json.dumps({"rules": list(rules)}).encode()))

    def applied(self, *args: str, code: int = 4) -> str:
        """Plan and apply; the run."""
        self.plan()
        ended = self.run("apply", "release.plan", "--format", "json", *args)
        assert ended.code == code, ended
        return str(ended.json["run"])

    def rejects(self, run: str, out: str = "rejected.csv", *args: str, code: int = 0) -> Ended:
        ended = self.run("rejects", run, "--out", out, *args)
        assert ended.code == code, ended
        return ended

    def text(self, name: str) -> str:
        return (self.root / name).read_bytes().decode()

    def rows(self, name: str = "rejected.csv") -> list[dict[str, str]]:
        with (self.root / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def names(self) -> list[str]:
        """Files at the top, but for those that every test has."""
        known = {"syncengine.yaml", "changesets", "data", "release.plan", ".syncengine"}
        return sorted(path.name for path in self.root.iterdir() if path.name not in known)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Rows(tmp_path / "repository", sandbox, limits=", settle: 0, attempts: 1, leads_per_request: 1")
