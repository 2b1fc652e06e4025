"""Authors of a changeset and of the files that it reads, from git. E-mail addresses in git are claims: see
docs/approvals.md for what that prevents."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from syncengine.core.plan import AuthorCommit
from syncengine.core.settings import ApprovalRule
from syncengine.planning.committed import committed_blobs, is_as_committed
from syncengine.planning.file_history import FileHistory, history_of, since_first_appearance
from syncengine.planning.git import Git, GitCannotTell

__all__ = ["AskedAuthors", "Authors", "Authorship", "GitCannotTell", "asking_git"]

Authorship = Mapping[str, AuthorCommit]
"""E-mail addresses in lower case, each with the newest commit that makes its owner an author."""
AskedAuthors = Callable[[str, Sequence[str]], Authorship]
"""Called with a changeset's file and those of its sources."""

_AT_ONCE = 200
"""Commits in one command line."""
_ADDRESS = re.compile(r"<([^<>]*)>")
_BARE_ADDRESS = re.compile(r"[^\s<>,;]+@[^\s<>,;]+")
_WHOLE_HISTORY = (
    "fetch the whole history: 'git fetch --unshallow'; in CI 'fetch-depth: 0' for actions/checkout on GitHub, "
    "GIT_DEPTH: 0 on GitLab"
)
_FIELDS = "%H%x00%ae%x00%ce%x00%(trailers:key=Co-authored-by,valueonly,unfold)%x00"


class Authors:
    """Queries git about files of the repository at `root`. `environ` gives the PATH on which git is found."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._root = root
        self._git = Git(environ)
        self._tops: dict[str, Path] = {}
        self._folders: dict[Path, Path] = {}
        self._commits: dict[str, list[tuple[str, str]]] = {}
        self._histories: dict[tuple[Path, str], FileHistory] = {}
        self._links: dict[Path, tuple[str, ...]] = {}

    def known(self, file: str, sources: Sequence[str] = ()) -> Authorship:
        """The authors that git can name; none where it cannot name those of the changeset itself."""
        try:
            found = self._of_changeset(file)
        except GitCannotTell:
            return {}
        for source in dict.fromkeys(sources):
            with suppress(GitCannotTell):
                found = self._of_data(source, file) | found
        return found

    def of(self, file: str, sources: Sequence[str] = ()) -> Authorship:
        """Author, committer and co-authors of every commit of a changeset's file, renames followed, and of its sources
        from the last commit before the changeset's file first appeared.

        All files are relative to the root, and must be as committed. Raises GitCannotTell.
        """
        found = self._of_changeset(file)
        for source in dict.fromkeys(sources):
            found = self._of_data(source, file) | found
        return found

    def _of_changeset(self, file: str) -> dict[str, AuthorCommit]:
        top = self._checked(file)
        commits = [commit for name in self._names(top, file) for commit in self._history(top, name).commits]
        return self._people(top, file, commits)

    def _of_data(self, source: str, file: str) -> dict[str, AuthorCommit]:
        """Who wrote the data that the changeset in `file` reads, as far as that concerns the changeset."""
        top = self._checked(file)
        if self._checked(source) != top:
            raise GitCannotTell(
                f"{source} is in another git repository than {file}, such as a submodule",
                "keep changesets and their data in one repository",
            )
        changeset = self._history(top, next(self._names(top, file)))
        commits: list[str] = []
        for name in self._names(top, source):
            commits += since_first_appearance(self._git, top, self._history(top, name), changeset)
        return self._people(top, source, commits)

    def _checked(self, file: str) -> Path:
        """The top of the working tree that holds a file, which is as committed. Each file is read once."""
        if file not in self._tops:
            self._tops[file] = self._compared(file)
        return self._tops[file]

    def _compared(self, file: str) -> Path:
        try:
            path = (self._root / file).resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise GitCannotTell(f"{file} is not here", "apply in a checkout that holds changesets and data") from error
        if not path.is_file():
            raise GitCannotTell(f"{file} is not here", "apply in a checkout that holds changesets and data")
        top = self._top(path.parent, file)
        name = _relative(path, top)
        blob = committed_blobs(self._git, top, [name]).get(name)
        if blob is None:
            raise GitCannotTell(f"{file} is not committed", "commit it, then plan again")
        if not is_as_committed(self._git, path, blob):
            raise GitCannotTell(f"{file} has changes that are not committed", "commit them, then plan again")
        return top

    def _top(self, folder: Path, file: str) -> Path:
        """The top of a folder's working tree, whose history is complete."""
        if folder not in self._folders:
            answer = self._git.run(folder, "rev-parse", "--is-shallow-repository", "--show-toplevel")
            shallow, _, top = (answer or b"").partition(b"\n")
            if not top:
                raise GitCannotTell(f"{file} is in no git repository", "apply in a git checkout of the changesets")
            if shallow != b"false":
                raise GitCannotTell("the clone is shallow", _WHOLE_HISTORY)
            self._folders[folder] = Path(os.fsdecode(top.removesuffix(b"\n"))).resolve()
        return self._folders[folder]

    def _names(self, top: Path, file: str) -> Iterator[str]:
        """The path of a file, then the committed links that lead to it: a commit of a link decides what is read."""
        path = (self._root / file).resolve()
        yield _relative(path, top)
        for link in self._all_links(top):
            target = (top / link).resolve()
            if target == path or target in path.parents:
                yield link

    def _all_links(self, top: Path) -> tuple[str, ...]:
        if top not in self._links:
            lines = (self._git.run(top, "ls-tree", "-r", "-z", "HEAD") or b"").split(b"\0")
            found = [os.fsdecode(line.partition(b"\t")[2]) for line in lines if line.startswith(b"120000 ")]
            self._links[top] = tuple(found)
        return self._links[top]

    def _history(self, top: Path, name: str) -> FileHistory:
        if (top, name) not in self._histories:
            self._histories[top, name] = history_of(self._git, top, name)
        return self._histories[top, name]

    def _people(self, top: Path, file: str, commits: Sequence[str]) -> dict[str, AuthorCommit]:
        """Everyone who made one of these commits, with the newest of theirs."""
        if not commits:
            raise GitCannotTell(f"no commit of {file} can be found", _WHOLE_HISTORY)
        unknown = [commit for commit in dict.fromkeys(commits) if commit not in self._commits]
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            answer = self._git.run(top, "log", "--no-walk=unsorted", "--encoding=UTF-8", f"--format={_FIELDS}", *some)
            self._commits.update(_people((answer or b"").decode("utf-8", "replace")))
        found: dict[str, AuthorCommit] = {}
        for commit in commits:
            if commit not in self._commits:
                raise GitCannotTell(f"git cannot read the commits of {file}", _WHOLE_HISTORY)
            for role, email in self._commits[commit]:
                found.setdefault(email, AuthorCommit(commit=commit, file=file, role=role))
        return found


def _people(answer: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each commit with what people are of it, and their addresses."""
    fields = answer.split("\0")
    for commit, author, committer, trailers in zip(*(fields[at::4] for at in range(4)), strict=False):
        people = [("author", author), ("committer", committer)]
        people += [("co-author", address) for address in _addresses(trailers)]
        yield commit.strip(), [(role, email.strip().lower()) for role, email in people if email.strip()]


def _addresses(trailers: str) -> Iterable[str]:
    """Every address in the values of the trailers, also several in one and those without angle brackets."""
    return [*_ADDRESS.findall(trailers), *_BARE_ADDRESS.findall(_ADDRESS.sub(" ", trailers))]


def _relative(path: Path, top: Path) -> str:
    return Path(os.path.relpath(path, top)).as_posix()


def asking_git(rule: ApprovalRule | None, root: Path, environ: Mapping[str, str]) -> AskedAuthors | None:
    """The function that returns a changeset's authors; None where no rule excludes authors."""
    if rule is None or rule.required < 1 or rule.author_may_approve:
        return None
    return Authors(root, environ).known
