"""The real console script, in a process of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

SCRIPT = Path(sys.executable).with_name("syncengine")
PATIENCE = 60
"""Seconds after which something hangs; nothing here takes a fraction of it."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """The environment without what would change a command's behaviour, and with `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCENGINE_", "LEADBYTE_"))}
    return kept | {"NO_COLOR": "1"} | more


def run(*args: str, cwd: Path, stdin: str = "", **env: str) -> Ended:
    done = subprocess.run(
        [SCRIPT, *args],
        cwd=cwd,
        env=environment(**env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_inside(*args: str, cwd: Path, **env: str) -> Ended:
    """The same command line in this process: much faster, and enough where no process behaviour is at stake."""
    from syncengine.cli.main import run as run_command

    out, err = io.StringIO(), io.StringIO()
    with (
        chdir(cwd),
        patch.dict(os.environ, environment(**env), clear=True),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = run_command(args)
    return Ended(code, out.getvalue(), err.getvalue())
