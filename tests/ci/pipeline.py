"""What the two CI systems have in common for these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

TOOLS = os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"])


@dataclass
class JobRun:
    """How one job ended. `environment` is every variable that any of its commands saw; `artifacts` is a folder."""

    code: int = 0
    log: str = ""
    summary: str = ""
    artifacts: Path = Path("/nowhere")
    environment: dict[str, str] = field(default_factory=dict)

    def artifact(self, name: str) -> str:
        (found,) = self.artifacts.rglob(name)
        return found.read_text(encoding="utf-8")


Jobs = dict[str, JobRun]
"""The jobs of one run of the pipeline that were started, by name: what was skipped is not there."""


class Pipeline(Protocol):
    """Runs the generated file, each command as it is written there; what it installs is there already, but one test
    has `installs` set. `shallow`: clones lack the history, whatever the file asks for."""

    installs: bool
    shallow: bool

    def proposal(self, number: int) -> Jobs:
        """Proposal `number` was opened or pushed to."""

    def by_hand(self, *, changeset: str = "", proposal: str = "") -> Jobs:
        """Somebody started the pipeline on main."""

    def main(self, before_apply: Callable[[], object] = ...) -> Jobs:
        """main was pushed to. `before_apply` happens between the jobs."""

    def weekly(self) -> Jobs:
        """The scheduled run."""


def nothing_happens() -> None:
    """Between two jobs."""


def shell(script: str, folder: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """Run a script as both CI systems do: bash, stopping at the first failure. The environment is this one alone."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": TOOLS, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return done.returncode, done.stdout
