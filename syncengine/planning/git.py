"""Runs git to query facts about files of the repository.

git runs without the user's and the system's configuration, hooks, pagers, filters, external programs or the network,
and with a time limit. Options that the repository itself configures for these are overridden.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_PATIENCE = 60.0
_SWITCHED_OFF = (
    "safe.directory=*",  # A checkout made by another user, as in containers. Nothing that it configures is run.
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "log.showSignature=false",
    "log.mailmap=false",
    "log.follow=false",
    "log.showRoot=true",
    "trailer.separators=:",
    "diff.renames=true",
    "protocol.allow=never",
    "gc.auto=0",
)
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": "/dev/null",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
}


class GitCannotTell(Exception):
    """git cannot answer: `str()` says why, and `hint` what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Git:
    """`environ` gives the PATH on which git is found."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._path = environ.get("PATH", "")
        self._git = shutil.which("git", path=self._path)

    def run(self, folder: Path, *arguments: str, patterns: bool = False) -> bytes | None:
        """git's output, or None where it fails. `patterns`: treat paths as patterns, not literally."""
        if self._git is None:
            raise GitCannotTell("git is not on the PATH", "install git")
        options = [part for setting in _SWITCHED_OFF for part in ("-c", setting)]
        try:
            done = subprocess.run(
                [self._git, "--no-pager", *options, *arguments],
                cwd=folder,
                env={**_ENVIRONMENT, "PATH": self._path, "GIT_LITERAL_PATHSPECS": "0" if patterns else "1"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GitCannotTell(f"git did not answer within {_PATIENCE:.0f} s", "try again") from error
        except OSError as error:
            raise GitCannotTell(f"git cannot be run ({error.strerror})", "check the installation of git") from error
        return done.stdout if done.returncode == 0 else None
