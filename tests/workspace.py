"""A repository of changesets beside a running sandbox, and the real command line to use on them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncengine.sandbox import RunningSandbox
from tests.cli.console import Ended, run, run_inside

CONFIGURATION = """\
version: 1
accounts:
  acme:
    base_url: {url}
    api_key: env:LEADBYTE_API_KEY
    limits: {{requests_per_second: 1000, timeout: 5{limits}}}
    deliveries: {{northwind: "1053", contoso: "1054"}}
    buyers: {{northwind: "33"}}
"""


@dataclass
class Workspace:
    """`root` holds syncengine.yaml; `api_key` is what the command line finds in its environment."""

    root: Path
    sandbox: RunningSandbox
    limits: str = ""
    api_key: str = field(init=False)

    def __post_init__(self) -> None:
        self.api_key = self.sandbox.api_key
        self.write("syncengine.yaml", CONFIGURATION.format(url=self.sandbox.url, limits=self.limits))

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def changeset(self, name: str, changes: str, *, head: str = "") -> Path:
        """A changeset called `name` in changesets/, with these changes (YAML list, unindented)."""
        body = "\n".join("  " + line for line in changes.strip("\n").splitlines())
        text = f"version: 1\nchangeset: {name}\naccount: acme\ntitle: {name}\n{head}changes:\n{body}\n"
        return self.write(f"changesets/{name}.yaml", text)

    def run(self, *args: str, **env: str) -> Ended:
        """The command line in this process: the same code, without the start-up of an interpreter."""
        return run_inside(*args, cwd=self.root, **{"LEADBYTE_API_KEY": self.api_key} | env)

    def process(self, *args: str, **env: str) -> Ended:
        """The command line in a process of its own."""
        return run(*args, cwd=self.root, **{"LEADBYTE_API_KEY": self.api_key} | env)

    def plan(self, *args: str, out: str = "release.plan") -> Any:
        """Plan changesets/ and give the JSON view; whatever the exit code, it must be the result."""
        ended = self.run("plan", "changesets", "--out", out, "--format", "json", *args)
        assert ended.out, ended.err
        return ended.json

    def apply(self, plan: str = "release.plan", *args: str) -> Any:
        ended = self.run("apply", plan, "--format", "json", *args)
        assert ended.out, ended.err
        return ended.json

    @property
    def effects(self) -> list[dict[str, Any]]:
        """What the service did, in order."""
        return _lines(self.sandbox.effects_log)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What reached the service, in order; reads left out."""
        return [line for line in _lines(self.sandbox.requests_log) if line["method"] != "GET"]

    def bodies(self) -> list[Any]:
        return [json.loads(line["body"]) for line in self.requests]

    def times(self, effect: str, lead: str, **more: str) -> int:
        """How often something was done to a lead."""
        wanted = {"effect": effect, "lead": lead, **more}
        return sum(all(line.get(name) == value for name, value in wanted.items()) for line in self.effects)

    def operations(self, plan: str = "release.plan") -> list[dict[str, Any]]:
        """The lines of a saved plan, as they stand in the file."""
        lines = (self.root / plan).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines[1:-1]]


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # Not splitlines: values hold line ends of other kinds.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
