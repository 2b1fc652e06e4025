"""Who wrote a changeset, as git tells it. E-mails in git are claims: see docs/approvals.md for what that stops.

git runs without the user's and the system's configuration, without hooks, pagers, filters, external programs or the
network, for a bounded time; what the repository itself configures of these is switched off.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.core.settings import ApprovalRule
from syncengine.core.text import lines_of
from syncengine.documents.files import read_bounded

_PATIENCE = 60.0
_MAX_FILE = 64 * 1024 * 1024
_SWITCHED_OFF = (
    "safe.directory=*",  # a checkout made by another user, as in containers; nothing that it configures is run
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "log.showSignature=false",
    "log.mailmap=false",
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
    "GIT_LITERAL_PATHSPECS": "1",
}


class GitCannotTell(Exception):
    """`str()` completes "git cannot tell who wrote it: ..."; `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Authors:
    """Asks git about files of the repository at `root`. `environ` gives the PATH on which git is found."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._path = environ.get("PATH", "")
        self._git = shutil.which("git", path=self._path)

    def known(self, file: str) -> tuple[str, ...]:
        """The authors, or none where git cannot tell."""
        try:
            return self.of(file)
        except GitCannotTell:
            return ()

    def of(self, file: str) -> tuple[str, ...]:
        """Author and committer e-mails of every commit of this file, renames followed; lower case, sorted, unique.

        `file` is relative to the root. Raises GitCannotTell.
        """
        try:
            path = (self._root / file).resolve(strict=True)
            content = read_bounded(path, _MAX_FILE)
        except (OSError, RuntimeError, ValueError, InputError) as error:
            raise GitCannotTell(f"{file} is not here", "apply in a checkout that holds the changesets") from error
        self._check_history(path, file)
        self._check_committed(path, file, content)
        names = self._run(
            path.parent, "log", "--follow", "--full-history", "--no-show-signature", "--no-ext-diff", "--no-textconv",
            "--format=%ae%n%ce", "--", path.name,
        )  # fmt: skip
        emails = {line.strip().lower() for line in lines_of((names or b"").decode("utf-8", "replace"))}
        found = tuple(sorted(filter(None, emails)))
        if not found:
            raise GitCannotTell(f"no commit of {file} can be found", "fetch the whole history")
        return found

    def _check_history(self, path: Path, file: str) -> None:
        answer = self._run(path.parent, "rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
        if answer is None or answer.split()[:1] != [b"true"]:
            raise GitCannotTell(f"{file} is in no git repository", "apply in a git checkout of the changesets")
        if answer.split()[1:2] != [b"false"]:
            raise GitCannotTell("the clone is shallow", "fetch the whole history ('git fetch --unshallow')")

    def _check_committed(self, path: Path, file: str, content: bytes) -> None:
        committed = self._run(path.parent, "cat-file", "blob", f"HEAD:./{path.name}")
        if committed is None:
            raise GitCannotTell(f"{file} is not committed", "commit it, then plan again")
        if committed != content and committed.replace(b"\r\n", b"\n") != content.replace(b"\r\n", b"\n"):
            raise GitCannotTell(f"{file} has changes that are not committed", "commit them, then plan again")

    def _run(self, folder: Path, *arguments: str) -> bytes | None:
        """What git prints, or None where it fails."""
        if self._git is None:
            raise GitCannotTell("git is not on the PATH", "install git")
        options = [part for setting in _SWITCHED_OFF for part in ("-c", setting)]
        try:
            done = subprocess.run(
                [self._git, "--no-pager", *options, *arguments],
                cwd=folder,
                env={**_ENVIRONMENT, "PATH": self._path},
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


def asking_git(
    rule: ApprovalRule | None, root: Path, environ: Mapping[str, str]
) -> Callable[[str], tuple[str, ...]] | None:
    """How a plan learns who wrote a changeset; None where no rule leaves authors out."""
    if rule is None or rule.required < 1 or rule.author_may_approve:
        return None
    return Authors(root, environ).known
