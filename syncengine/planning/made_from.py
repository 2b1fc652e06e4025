"""The commit and branch that a plan is made from, and the input files that differ from their committed versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from syncengine.core.plan import MadeFrom
from syncengine.planning.git import Git, GitCannotTell

NAMED = 20
"""Differing files that are named; the rest is counted."""
_AT_ONCE = 200
"""Paths in one command line."""
_BLOCK = 1 << 20
_NORMALISED = 64 << 20
"""Largest size in bytes of a file that is compared a second time, with its line endings converted to git's."""
_POINTER = 1024
"""Maximum length of a Git LFS pointer."""
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


def _differing(git: Git, root: Path, files: Sequence[str]) -> Iterator[str]:
    """Compare by git's object id, so that no filter that the repository configures is run."""
    within = [file for file in files if not file.startswith("../")]
    yield from (file for file in files if file.startswith("../"))
    for start in range(0, len(within), _AT_ONCE):
        some = within[start : start + _AT_ONCE]
        committed = dict(_blobs(git.run(root, "ls-tree", "-z", "--long", "HEAD", "--", *some)))
        for file in some:
            blob = committed.get(file)
            if blob is None or not _same(git, root, file, *blob):
                yield file


def _blobs(answer: bytes | None) -> Iterator[tuple[str, tuple[str, int]]]:
    """Object id and size by path."""
    for line in (answer or b"").split(b"\0"):
        facts, _, name = line.partition(b"\t")
        words = facts.split()
        if len(words) == 4 and words[1] == b"blob" and words[3].isdigit():
            yield name.decode("utf-8", "surrogateescape"), (words[2].decode("ascii"), int(words[3]))


def _same(git: Git, root: Path, file: str, blob: str, size: int) -> bool:
    path = root / file
    try:
        if _object_id(_pieces(path), path.stat().st_size, blob) == blob:
            return True
        if size <= _POINTER:
            pointer = git.run(root, "cat-file", "blob", blob) or b""
            if pointer.startswith(b"version https://git-lfs.github.com/"):
                return f"oid sha256:{_sha256(path)}".encode() in pointer.splitlines()
        if path.stat().st_size > _NORMALISED:
            return False
        # A separate note reports converted line endings.
        content = path.read_bytes().replace(b"\r\n", b"\n")
    except OSError:
        return False
    return _object_id([content], len(content), blob) == blob


def _object_id(content: Iterable[bytes], size: int, like: str) -> str:
    """The object id that git gives a file, by the repository's own hash."""
    digest = hashlib.sha256() if len(like) == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(b"blob %d\0" % size)
    for piece in content:
        digest.update(piece)
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while piece := source.read(_BLOCK):
            yield piece
