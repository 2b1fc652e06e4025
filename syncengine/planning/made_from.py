"""The commit and branch that a plan is made from, and the input files that differ from their committed versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from syncengine.core.plan import MadeFrom
from syncengine.planning.committed import committed_blobs, is_as_committed
from syncengine.planning.git import Git, GitCannotTell

NAMED = 20
"""Differing files that are named; the rest is counted."""
_BRANCH_VARIABLES = ("GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH", "GITHUB_REF_NAME")
"""CI checks out a commit without a branch, and names the branch in one of these variables."""


def made_from(root: Path, environ: Mapping[str, str], files: Sequence[str]) -> MadeFrom:
    """git's facts about `files` (relative to `root`); empty where there is no git, no repository or no commit."""
    git = Git(environ)
    try:
        commit = _line(git.run(root, "rev-parse", "--verify", "HEAD"))
        if not commit:
            return MadeFrom()
        differing = list(_differing(git, root, list(dict.fromkeys(files))))
        branch = _line(git.run(root, "symbolic-ref", "--short", "--quiet", "HEAD")) or _branch_of_ci(environ)
    except GitCannotTell:
        return MadeFrom()
    return MadeFrom(commit=commit, branch=branch, differ=tuple(differing[:NAMED]), differing=len(differing))


def differing_by_now(root: Path, environ: Mapping[str, str], commit: str, files: Sequence[str]) -> tuple[str, ...]:
    """The files that differ from a commit now; none where git does not have it."""
    git = Git(environ)
    try:
        if not commit or git.run(root, "cat-file", "-e", f"{commit}^{{commit}}") is None:
            return ()
        return tuple(_differing(git, root, list(dict.fromkeys(files)), commit))
    except GitCannotTell:
        return ()


def origin_of(root: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """The address of the remote `origin`, which may hold a password, and the path of `root` inside the repository: ""
    or "leads/"."""
    git = Git(environ)
    try:
        folder = _line(git.run(root, "rev-parse", "--show-prefix"))
        return _line(git.run(root, "config", "--get", "remote.origin.url")), folder
    except GitCannotTell:
        return "", ""


def _line(answer: bytes | None) -> str:
    return (answer or b"").decode("utf-8", "replace").strip()


def _branch_of_ci(environ: Mapping[str, str]) -> str:
    return next((branch for name in _BRANCH_VARIABLES if (branch := environ.get(name, ""))), "")


def _differing(git: Git, root: Path, files: Sequence[str], commit: str = "HEAD") -> Iterator[str]:
    within = [file for file in files if not file.startswith("../")]
    yield from (file for file in files if file.startswith("../"))
    committed = committed_blobs(git, root, within, commit)
    for file in within:
        blob = committed.get(file)
        if blob is None or not is_as_committed(git, root / file, blob):
            yield file
