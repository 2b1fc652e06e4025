"""Detects files that git checked out with other line endings than it committed.

Git for Windows does so by default. A cell with a line break then holds another text, and every file has another digest,
so the plan differs from one made from the same commit elsewhere.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from syncengine.core.errors import InputError
from syncengine.documents.files import read_bounded
from syncengine.planning.git import Git, GitCannotTell

_AT_ONCE = 200
"""Paths in one command line."""
_LARGEST = 64 * 1024 * 1024
"""Largest size in bytes of a file that is compared with its blob. For a larger file, git's report is used."""
_TEXTS = (
    "*.yaml",
    "*.yml",
    "*.csv",
    "*.tsv",
    "*.txt",
    "*.jsonl",
    "*.ndjson",
    "*.json",
    "*allowed_signers",
    "*.approval",
)
_IN_WORDS = {"lf": "LF", "crlf": "CRLF", "mixed": "LF and CRLF"}


class Converted(msgspec.Struct, frozen=True):
    """A file, relative to the repository, and its line endings in git and here: LF, CRLF, or both."""

    file: str
    committed: str
    here: str

    @property
    def message(self) -> str:
        """What is wrong, for messages."""
        return (
            f"{self.file} differs from what is committed in its line endings only ({self.committed} in git, "
            f"{self.here} here), so that a plan made here is not the one made elsewhere"
        )

    @property
    def advice(self) -> str:
        """What to do about it, for messages."""
        name = shlex.quote(self.file)
        pattern = f"/{self.file}" if name == self.file else f'"/{self.file}"'
        # Until it is checked out again, git sees a changed file, and `git add` would commit the other line endings.
        return (
            f"add `{pattern} -text` to the .gitattributes beside syncengine.yaml; then, before anything is committed, "
            f"check the file out again: rm {name} && git checkout -- {name}"
        )


def converted(root: Path, environ: Mapping[str, str], files: Sequence[str] | None = None) -> tuple[Converted, ...]:
    """Those of `files` (relative to `root`; None: all text files below it) that differ from their blobs in line endings
    only.

    Empty where git or a repository is missing: nothing was converted then.
    """
    git = Git(environ)
    try:
        return tuple(_converted(git, root, files))
    except GitCannotTell:
        return ()


def _converted(git: Git, root: Path, files: Sequence[str] | None) -> Iterator[Converted]:
    if files is None:
        yield from _listed(git, root, [f":(glob,icase)**/{pattern}" for pattern in _TEXTS], patterns=True)
        return
    within = [file for file in files if not file.startswith("../")]
    for start in range(0, len(within), _AT_ONCE):
        yield from _listed(git, root, within[start : start + _AT_ONCE], patterns=False)


def _listed(git: Git, root: Path, paths: Sequence[str], *, patterns: bool) -> Iterator[Converted]:
    answer = git.run(root, "ls-files", "-z", "--eol", "--", *paths, patterns=patterns)
    for line in (answer or b"").split(b"\0"):
        states, _, name = line.partition(b"\t")
        in_git, here = _ending(states, b"i/"), _ending(states, b"w/")
        if not name or in_git == here or in_git not in _IN_WORDS or here not in _IN_WORDS:
            continue
        file = name.decode("utf-8", "surrogateescape")
        if _same_but_for_endings(git, root, file):
            yield Converted(file.encode("utf-8", "replace").decode(), _IN_WORDS[in_git], _IN_WORDS[here])


def _ending(states: bytes, side: bytes) -> str:
    found = next((word for word in states.split() if word.startswith(side)), b"")
    return found.removeprefix(side).decode("ascii", "replace")


def _same_but_for_endings(git: Git, root: Path, file: str) -> bool:
    try:
        content = read_bounded(root / file, _LARGEST)
    except InputError as error:
        return error.code == "SE113"
    committed = git.run(root, "cat-file", "blob", f":./{file}")
    return committed is not None and committed.replace(b"\r\n", b"\n") == content.replace(b"\r\n", b"\n")
