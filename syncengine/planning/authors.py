"""Authors of a changeset, from git. E-mail addresses in git are claims: see docs/approvals.md for what that
prevents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.core.settings import ApprovalRule
from syncengine.core.text import lines_of
from syncengine.documents.files import read_bounded
from syncengine.planning.git import Git, GitCannotTell

__all__ = ["Authors", "GitCannotTell", "asking_git"]

_MAX_FILE = 64 * 1024 * 1024


class Authors:
    """Queries git about files of the repository at `root`. `environ` gives the PATH on which git is found."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._git = Git(environ)

    def known(self, file: str) -> tuple[str, ...]:
        """The authors, or none where git cannot name them."""
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
        names = self._git.run(
            path.parent, "log", "--follow", "--full-history", "--no-show-signature", "--no-ext-diff", "--no-textconv",
            "--format=%ae%n%ce", "--", path.name,
        )  # fmt: skip
        emails = {line.strip().lower() for line in lines_of((names or b"").decode("utf-8", "replace"))}
        found = tuple(sorted(filter(None, emails)))
        if not found:
            raise GitCannotTell(f"no commit of {file} can be found", "fetch the whole history")
        return found

    def _check_history(self, path: Path, file: str) -> None:
        answer = self._git.run(path.parent, "rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
        if answer is None or answer.split()[:1] != [b"true"]:
            raise GitCannotTell(f"{file} is in no git repository", "apply in a git checkout of the changesets")
        if answer.split()[1:2] != [b"false"]:
            raise GitCannotTell("the clone is shallow", "fetch the whole history ('git fetch --unshallow')")

    def _check_committed(self, path: Path, file: str, content: bytes) -> None:
        committed = self._git.run(path.parent, "cat-file", "blob", f"HEAD:./{path.name}")
        if committed is None:
            raise GitCannotTell(f"{file} is not committed", "commit it, then plan again")
        if committed != content and committed.replace(b"\r\n", b"\n") != content.replace(b"\r\n", b"\n"):
            raise GitCannotTell(f"{file} has changes that are not committed", "commit them, then plan again")


def asking_git(
    rule: ApprovalRule | None, root: Path, environ: Mapping[str, str]
) -> Callable[[str], tuple[str, ...]] | None:
    """The function that returns a changeset's authors; None where no rule excludes authors."""
    if rule is None or rule.required < 1 or rule.author_may_approve:
        return None
    return Authors(root, environ).known
