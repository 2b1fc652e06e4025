"""The commits of one file, through renames and merges. `git log --follow` does not suffice: it follows one name at a
time, so that it loses commits of the old name on a branch that was merged later, and it never looks at merge commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from syncengine.planning.git import Git, GitCannotTell

_COMMIT = re.compile(r"commit ([0-9a-f ]+)")
_STATUS = re.compile(r"([A-Z]+)[0-9]*\t")
_MOST_RENAMES = "-l1000"
"""Above this many files added and deleted in one commit, git finds only renames that leave the content as it is."""


class FileHistory(msgspec.Struct, frozen=True, kw_only=True):
    """`commits` changed the file, the newest first. `origins` are those of them in which it first appeared, with their
    parents: several where it was added on several branches, or deleted and added again. `names` are its names, past
    ones included."""

    commits: tuple[str, ...]
    origins: dict[str, tuple[str, ...]]
    names: tuple[str, ...]


class _Change(msgspec.Struct, frozen=True):
    """A commit that touches a path. `status` holds one letter for each parent, "A" where the path is new; a commit
    without parents has one too."""

    commit: str
    parents: tuple[str, ...]
    status: str


def history_of(git: Git, top: Path, path: str) -> FileHistory:
    """The history of `path`, which is relative to the top of the working tree, in HEAD. Raises GitCannotTell."""
    found: dict[str, None] = {}
    origins: dict[str, tuple[str, ...]] = {}
    waiting = [(path, "HEAD")]
    looked: set[tuple[str, str]] = set()
    while waiting:
        name, start = waiting.pop(0)
        if (name, start) in looked:
            continue
        looked.add((name, start))
        for change in _changes(git, top, name, start):
            sources = list(_renamed_from(git, top, name, change))
            waiting += sources
            if set(change.status) == {"A"} and not sources:
                origins[change.commit] = change.parents
            there = [name, *(old for old, _ in sources)]
            if len(change.status) == 1 or _merges_by_hand(git, top, there, change.commit):
                found[change.commit] = None
    names = dict.fromkeys(name for name, _ in sorted(looked))
    return FileHistory(commits=tuple(found), origins=origins, names=tuple(names))


def since_first_appearance(git: Git, top: Path, data: FileHistory, changeset: FileHistory) -> tuple[str, ...]:
    """The commits of a data file from the last one before a changeset's file first appeared.

    Where the latter appeared in several commits, only what precedes all of them counts as before. Several last commits,
    on branches that were merged, all count.
    """
    if len(data.commits) == 1:
        return data.commits
    earlier = [_reachable(git, top, data.names, parents) for parents in changeset.origins.values()]
    before = set.intersection(*earlier) if earlier else set()
    left = [commit for commit in data.commits if commit in before]
    last: set[str] = set()
    while left:
        last.add(left[0])
        reached = _reachable(git, top, data.names, [left[0]])
        left = [commit for commit in left[1:] if commit not in reached]
    return tuple(commit for commit in data.commits if commit not in before or commit in last)


def _changes(git: Git, top: Path, name: str, start: str) -> Iterator[_Change]:
    """Commits that change `name`; a merge only where its result is none of its parents' versions."""
    lines = _answer(
        git, top, "log", "--topo-order", "--full-history", "-c", "--root", "--no-renames", "--no-show-signature",
        "--no-ext-diff", "--no-textconv", "--name-status", "--format=commit %H %P", start, "--", name,
    ).decode("utf-8", "surrogateescape").split("\n")  # fmt: skip
    commits: list[str] = []
    for line in lines:
        if (found := _COMMIT.fullmatch(line)) is not None:
            commits = found[1].split()
        elif commits and (status := _STATUS.match(line)) is not None:
            yield _Change(commits[0], tuple(commits[1:]), status[1])


def _renamed_from(git: Git, top: Path, name: str, change: _Change) -> Iterator[tuple[str, str]]:
    """Earlier names of a file that a commit adds, each with the commit where its history goes on."""
    for parent, letter in zip(change.parents, change.status, strict=False):
        if letter != "A":
            continue
        answer = _answer(
            git, top, "diff-tree", "-r", "-M", _MOST_RENAMES, "-z", "--name-status", "--diff-filter=R", "--no-ext-diff",
            "--no-textconv", parent, change.commit,
        )  # fmt: skip
        words = [word.decode("utf-8", "surrogateescape") for word in answer.split(b"\0")]
        yield from ((old, parent) for old, new in zip(words[1::3], words[2::3], strict=False) if new == name)


def _merges_by_hand(git: Git, top: Path, names: Iterable[str], commit: str) -> bool:
    """Whether a merge holds lines of its own: where each part is one parent's, git merged, and the merger wrote
    nothing. `names` are those that the file has in the merge and in its parents."""
    answer = _answer(
        git, top, "diff-tree", "--cc", "-p", "-M", "-U0", "--inter-hunk-context=0", "--no-commit-id", "--no-ext-diff",
        "--no-textconv", commit, "--", *names,
    )  # fmt: skip
    return bool(answer.strip())


def _reachable(git: Git, top: Path, names: Iterable[str], starts: Sequence[str]) -> set[str]:
    """Commits that touch one of these names and lead to one of `starts`."""
    if not starts:
        return set()
    return set(_answer(git, top, "rev-list", "--full-history", *starts, "--", *names).decode("ascii").split())


def _answer(git: Git, top: Path, *arguments: str) -> bytes:
    answer = git.run(top, *arguments)
    if answer is None:
        raise GitCannotTell(
            "git cannot read the whole history; objects are missing, as in a partial clone",
            "clone again without --filter",
        )
    return answer
