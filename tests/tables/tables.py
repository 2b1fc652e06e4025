"""A repository with one changeset over one table, validated and planned through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.changeset.loading import CONFIGURATION
from tests.cli.console import Ended, run_inside

CHANGES = '  - for_each: rows\n    lead: "{{ row.lead_id }}"\n    update: {name: "{{ row.name }}"}\n'


class Tables:
    """`root` is the repository; tables lie in data/, the changeset in changesets/."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "data").mkdir()
        (root / "changesets").mkdir()
        (root / "syncengine.yaml").write_text(CONFIGURATION, encoding="utf-8")

    def path(self, name: str) -> Path:
        return self.root / "data" / name

    def table(self, content: str | bytes, name: str = "rows.csv", *, options: str = "", changes: str = CHANGES) -> None:
        """Write a table and the changeset over it."""
        self.path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.over(name, options=options, changes=changes)

    def over(self, name: str, *, options: str = "", changes: str = CHANGES) -> None:
        """Write a changeset over a table that is there."""
        source = f"sources: {{rows: {{file: ../data/{name}{options and ', '}{options}}}}}\n"
        text = f"version: 1\nchangeset: a-changeset\naccount: acme\n{source}changes:\n{changes}"
        (self.root / "changesets" / "c.yaml").write_text(text, encoding="utf-8")

    def run(self, *args: str) -> Ended:
        return run_inside(*args, cwd=self.root, LEADBYTE_API_KEY="k")

    def problems(self) -> list[dict[str, Any]]:
        """What `validate` finds, notes included."""
        found = self.run("validate", "changesets", "--format", "json").json
        return list(found["diagnostics"])

    def error(self) -> dict[str, Any]:
        """The one error that `validate` finds."""
        (error,) = [problem for problem in self.problems() if problem["severity"] == "error"]
        return error

    def sent(self) -> list[tuple[str, dict[str, str]]]:
        """Lead and fields of each operation that is planned."""
        ended = self.run("plan", "changesets", "--offline", "--out", "p.plan")
        assert ended.code == 0, ended.err
        lines = [json.loads(line) for line in (self.root / "p.plan").read_text(encoding="utf-8").splitlines()[1:-1]]
        (self.root / "p.plan").unlink()
        return [(line["operation"]["lead"], line["operation"]["fields"]) for line in lines]
