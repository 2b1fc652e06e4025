"""Compares files with their committed versions by git's object id, so that no filter that the repository configures is
run. Files are read in blocks, whatever their size."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from syncengine.documents.files import open_ordinary
from syncengine.planning.git import Git

_AT_ONCE = 200
"""Paths in one command line."""
_BLOCK = 1 << 20
_POINTER = 1024
"""Maximum length of a Git LFS pointer."""


class Blob(msgspec.Struct, frozen=True):
    """A committed file: its object id and its size in bytes."""

    id: str
    size: int


def committed_blobs(git: Git, folder: Path, files: Sequence[str], revision: str = "HEAD") -> Mapping[str, Blob]:
    """The blobs of a commit for these files, which are relative to `folder`. Files that it does not hold are
    missing."""
    found: dict[str, Blob] = {}
    for start in range(0, len(files), _AT_ONCE):
        answer = git.run(folder, "ls-tree", "-z", "--long", revision, "--", *files[start : start + _AT_ONCE])
        found.update(_blobs(answer))
    return found


def all_blobs(git: Git, folder: Path, revision: str) -> Mapping[str, Blob]:
    """The blobs of a commit for every file below `folder`, by paths relative to it."""
    return dict(_blobs(git.run(folder, "ls-tree", "-r", "-z", "--long", revision)))


def _blobs(answer: bytes | None) -> Iterator[tuple[str, Blob]]:
    for line in (answer or b"").split(b"\0"):
        facts, _, name = line.partition(b"\t")
        words = facts.split()
        if len(words) == 4 and words[1] == b"blob" and words[3].isdigit():
            yield name.decode("utf-8", "surrogateescape"), Blob(words[2].decode("ascii"), int(words[3]))


def is_as_committed(git: Git, path: Path, blob: Blob) -> bool:
    """Whether the file holds what its blob holds, or names where it is a Git LFS pointer. A checkout's CR LF counts as
    LF."""
    try:
        if _object_id(_pieces(path), path.stat().st_size, blob.id) == blob.id:
            return True
        if blob.size <= _POINTER:
            pointer = git.run(path.parent, "cat-file", "blob", blob.id) or b""
            if pointer.startswith(b"version https://git-lfs.github.com/"):
                return f"oid sha256:{_sha256(path)}".encode() in pointer.splitlines()
        # A separate note reports converted line endings. The object id begins with the size: read twice, keep nothing.
        size = sum(len(piece) for piece in _converted(path))
        return size == blob.size and _object_id(_converted(path), size, blob.id) == blob.id
    except OSError:
        return False


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
    with open_ordinary(path) as source:
        while piece := source.read(_BLOCK):
            yield piece


def _converted(path: Path) -> Iterator[bytes]:
    """The content with LF for CR LF, also where a block ends between the two."""
    held = b""
    for piece in _pieces(path):
        joined = held + piece
        held = b"\r" if joined.endswith(b"\r") else b""
        yield joined.removesuffix(b"\r").replace(b"\r\n", b"\n")
    yield held
