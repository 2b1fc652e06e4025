"""What the two CI systems have in common for these tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
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


class Pipeline(Protocol):
    """Runs the jobs of the generated file, each command as it stands there."""

    def check(self, number: int, branch: str) -> JobRun:
        """The job that looks at proposal `number`, from a fresh checkout."""

    def comment(self, number: int, checked: JobRun) -> str:
        """The job that posts the comment; returns what was posted."""

    def apply(self) -> JobRun:
        """The job that applies main, from a fresh checkout."""


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
