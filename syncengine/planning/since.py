"""Which changesets differ from a git revision: `plan --since REV`.

What counts is the text of a changeset's own document and the content of its file sources, not where they are: a file
that only moved makes no difference.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Protocol

from syncengine.core.errors import InputError
from syncengine.documents.search import SUFFIXES
from syncengine.planning.committed import Blob, all_blobs, is_as_committed
from syncengine.planning.git import Git, GitCannotTell

_DOCUMENT_START = re.compile(rb"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class CommittedChangeset(Protocol):
    """What is compared of a changeset. Paths are relative to the repository, links resolved."""

    @property
    def files(self) -> tuple[str, ...]:
        """Its own file first."""
        ...

    @property
    def data_files(self) -> tuple[str, ...]:
        """The files of its sources."""
        ...

    @property
    def linked(self) -> bool:
        """Whether the path of a file source leads through a symbolic link."""
        ...

    def document(self) -> bytes:
        """The text of its own document."""
        ...


class ChangedSince:
    """Compares changesets of the repository at `root` with a revision. Raises InputError where git cannot tell."""

    def __init__(self, root: Path, environ: Mapping[str, str], revision: str) -> None:
        self._root = root
        self._git = Git(environ)
        try:
            self._commit = _commit(self._git, root, revision)
            self._blobs = all_blobs(self._git, root, self._commit)
        except GitCannotTell as error:
            raise _cannot_tell(revision, error.reason, error.hint) from error
        self._same: dict[str, bool] = {}

    def differs(self, changeset: CommittedChangeset) -> bool:
        """Whether the changeset or the content of one of its file sources is not what the revision has."""
        try:
            then = self._file_then(changeset)
            return then is None or any(self._moved(file, changeset, then) for file in changeset.data_files)
        except GitCannotTell as error:
            raise _cannot_tell(self._commit[:12], error.reason, error.hint) from error

    def _file_then(self, changeset: CommittedChangeset) -> str | None:
        """The file that held the very same document; None where there was none."""
        file = changeset.files[0]
        if self._is_same(file, file):
            return file
        document = _bare(changeset.document())
        if file in self._blobs and document in _documents(self._content(file)):
            return file
        return self._moved_documents.get(document)

    def _moved(self, data: str, changeset: CommittedChangeset, then: str) -> bool:
        """Whether a source's content differs. The document names it relative to its own folder, wherever that was."""
        if changeset.linked:
            # The link may have named another file then.
            return True
        relative = posixpath.relpath(data, posixpath.dirname(changeset.files[0]) or ".")
        before = posixpath.normpath(posixpath.join(posixpath.dirname(then), relative))
        return not self._is_same(data, before)

    def _is_same(self, now: str, then: str) -> bool:
        """Whether a file has the content that a path had then."""
        blob = self._blobs.get(then)
        if blob is None or now != then:
            return blob is not None and is_as_committed(self._git, self._root / now, blob)
        if now not in self._same:
            self._same[now] = is_as_committed(self._git, self._root / now, blob)
        return self._same[now]

    @cached_property
    def _moved_documents(self) -> dict[bytes, str]:
        """The documents of files that are not as they were: one of them may have moved."""
        return {
            document: file
            for file in self._blobs
            if PurePosixPath(file).suffix.lower() in SUFFIXES and not self._is_same(file, file)
            for document in _documents(self._content(file))
        }

    def _content(self, file: str) -> bytes:
        blob: Blob = self._blobs[file]
        content = self._git.run(self._root, "cat-file", "blob", blob.id)
        if content is None:
            raise GitCannotTell(f"git does not have the content of {file} then", "fetch the whole history")
        return content


def _commit(git: Git, root: Path, revision: str) -> str:
    inside = git.run(root, "rev-parse", "--is-inside-work-tree", "--is-shallow-repository")
    if inside is None or inside.split()[:1] != [b"true"]:
        raise GitCannotTell(f"{root} is in no git repository", "leave out --since, or plan in a checkout")
    found = git.run(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found:
        return found.decode("ascii").strip()
    if inside.split()[1:2] == [b"true"]:
        raise GitCannotTell(
            "this shallow clone does not have it",
            "fetch the whole history: 'git fetch --unshallow', or fetch-depth: 0 in GitHub's checkout, GIT_DEPTH: 0 on "
            "GitLab",
        )
    raise GitCannotTell("there is no such commit here", "name a commit, branch or tag that was fetched: origin/main")


def _cannot_tell(revision: str, reason: str, hint: str) -> InputError:
    return InputError(f"--since {revision}: {reason}", code="SE142", hint=hint)


def _documents(content: bytes) -> Iterator[bytes]:
    """The documents of a YAML file, each without what depends on its place in the file."""
    starts = [0, *(match.start() for match in _DOCUMENT_START.finditer(content) if match.start())]
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        yield _bare(content[start:end])


def _bare(document: bytes) -> bytes:
    """A document without its byte order mark, "---", and line endings of a checkout."""
    text = document.removeprefix(_BYTE_ORDER_MARK).replace(b"\r\n", b"\n")
    start = _DOCUMENT_START.match(text)
    return text[start.end() if start else 0 :].strip()
