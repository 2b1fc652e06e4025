"""A project whose account is a search service of the test's own."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.console import Ended, run, run_inside
from tests.lookup.service import Service

KEY = "an-administrators-key-0123456789"

CONFIGURATION = """\
version: 1
accounts:
  acme:
    base_url: {url}
    api_key: env:LEADBYTE_API_KEY
    limits: {{requests_per_second: 100000, timeout: 5, attempts: 2{limits}}}
"""


class Bench:
    """`run` is the command line in this process, `process` in one of its own."""

    def __init__(self, root: Path, service: Service, limits: str = "") -> None:
        self.root = root
        self.configure(service, limits)

    def configure(self, service: Service, limits: str = "") -> None:
        self.write("syncengine.yaml", CONFIGURATION.format(url=service.url, limits=limits))

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def lookup(self, *args: str, file: str = "in.csv", out: str = "out.csv", by: str = "email") -> Ended:
        return self.run("lookup", file, "--campaign", "565", f"--{by}", by, "--out", out, *args)

    def run(self, *args: str, **env: str) -> Ended:
        return run_inside(*args, cwd=self.root, **{"LEADBYTE_API_KEY": KEY} | env)

    def process(self, *args: str, **env: str) -> Ended:
        return run(*args, cwd=self.root, **{"LEADBYTE_API_KEY": KEY} | env)

    def rows(self, name: str = "out.csv", **options: str) -> list[dict[str, str]]:
        with (self.root / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, delimiter=options.get("delimiter", ",")))

    def matches(self, name: str = "out.csv") -> list[tuple[str, str]]:
        return [(row["lead_id"], row["match"]) for row in self.rows(name)]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir())
