"""Many small runs in one process, and what they leave in it: memory, handles, threads, files."""

from __future__ import annotations

import gc
import io
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncengine.api import Project
from syncengine.cli.main import run as run_command
from syncengine.ledger import create_ledger
from tests.cli.console import SCRIPT, environment

LEADS = 5
"""Leads of one run."""

FAULTS: list[dict[str, Any]] = [
    {"match": {"every": 17}, "fault": {"effect": "none", "answer": "reset"}},
    {"match": {"every": 13}, "fault": {"reject": {"message": "No"}}},
    {"match": {"every": 11}, "fault": {"effect": "none", "answer": {"status": 429, "retry_after": 0, "body": "error"}}},
]


@dataclass(frozen=True)
class Sample:
    """What the process holds after so many runs. `files` counts those of the repository and of the temporary folder."""

    runs: int
    resident: int
    handles: int
    threads: int
    files: int
    ledger: int


@contextmanager
def _service(folder: Path) -> Iterator[dict[str, str]]:
    """The sandbox as a process of its own, so that only syncengine's memory is measured here."""
    (folder / "faults.json").write_text(json.dumps({"rules": FAULTS}))
    words = [
        "sandbox",
        "--port",
        "0",
        "--state",
        str(folder / "state"),
        "--faults",
        str(folder / "faults.json"),
        "--any-lead",
    ]
    process = subprocess.Popen([SCRIPT, *words], env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=60)


class Soak:
    """One repository, used again and again by the command line inside this process."""

    def __init__(self, folder: Path, service: dict[str, str]) -> None:
        self._root = folder / "repository"
        self._temporary = folder / "temporary"
        self._temporary.mkdir()
        (self._root / "changesets").mkdir(parents=True)
        (self._root / "api.key").write_text(service["api_key"])
        (self._root / "api.key").chmod(0o600)
        self._configure(service["url"], None)
        project = Project.open(self._root / "syncengine.yaml")
        with closing(create_ledger(project.settings.ledger, root=self._root, clock=project.clock)) as ledger:
            self._configure(service["url"], ledger.identity().id)
        self._runs = 0

    def _configure(self, url: str, pin: str | None) -> None:
        limits = {"requests_per_second": 1000, "timeout": 10, "attempts": 3, "settle": 0}
        account = {"base_url": url, "api_key": "file:api.key", "limits": limits}
        ledger = {"url": "sqlite:///.syncengine/ledger.db", "id": pin}
        text = json.dumps({"version": 1, "accounts": {"acme": account}, "ledger": ledger})
        (self._root / "syncengine.yaml").write_text(text)

    def _command(self, *words: str) -> int:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command([*words, "--config", str(self._root / "syncengine.yaml")])
        assert code in (0, 4, 5), (words, code, err.getvalue())
        return code

    def once(self) -> None:
        """Declare, plan, look, apply, look back; the changeset and the plan of the run before are replaced."""
        self._runs += 1
        first = 1_000_000 + self._runs * LEADS
        changes = [
            {"lead": str(first + n), "update": {"c1": f"v{self._runs}"}, "trigger": ["1053"] if n % 2 else []}
            for n in range(LEADS)
        ]
        for change in changes:
            if not change["trigger"]:
                del change["trigger"]
        document = {"version": 1, "changeset": f"run-{self._runs:06}", "account": "acme", "changes": changes}
        changeset, plan = self._root / "changesets" / "run.yaml", self._root / "run.plan"
        changeset.write_text(json.dumps(document))
        before = tempfile.tempdir
        tempfile.tempdir = str(self._temporary)
        try:
            self._command("plan", str(changeset), "--out", str(plan), "--format", "json")
            self._command("show", str(plan), "--format", "html" if self._runs % 2 else "markdown")
            self._command("apply", str(plan), "--format", "json")
            self._command("history", "--changeset", f"run-{self._runs:06}", "--format", "json")
        finally:
            tempfile.tempdir = before

    def sample(self) -> Sample:
        """What the process holds now."""
        gc.collect()
        status = Path("/proc/self/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0]) * 1024
        files = sum(path.is_file() for folder in (self._root, self._temporary) for path in folder.rglob("*"))
        return Sample(
            runs=self._runs,
            resident=resident,
            handles=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - a listing of links that vanish while it is made
            threads=threading.active_count(),
            files=files,
            ledger=(self._root / ".syncengine" / "ledger.db").stat().st_size,
        )


@contextmanager
def soaking(folder: Path) -> Iterator[Soak]:
    """A soak in an empty folder."""
    with _service(folder) as service:
        yield Soak(folder, service)


def soak(folder: Path, runs: int, every: int) -> Iterator[Sample]:
    """A sample after each `every` runs, the first after as many to warm up."""
    with soaking(folder) as soaked:
        for number in range(1, runs + 1):
            soaked.once()
            if number % every == 0:
                yield soaked.sample()
