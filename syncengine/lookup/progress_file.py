"""What was answered so far, in a file beside the result: a lookup that was killed goes on from it and asks only on.

One JSON array a line, behind a header that binds it to the input and to everything that was asked of it. It holds row
numbers and lead ids, none of the addresses or numbers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from syncengine.core.errors import InputError

RowMatch = Literal["one", "none", "many", "unreadable"]

_MARK = b'{"syncengine":"lookup","version":1,'
_LONGEST_LINE = 1024
_BLOCK = 1 << 16


class ProgressBinding(msgspec.Struct, frozen=True, kw_only=True):
    """What the answers belong to. Another input, column, campaign, account or host starts anew."""

    digest: str
    rows: int
    by: str
    column: str
    campaign: str
    account: str
    host: str
    newest: bool
    delimiter: str | None
    encoding: str
    sheet: str | None

    def header(self) -> bytes:
        """The first line of the file."""
        of = hashlib.sha256(msgspec.json.encode(self)).hexdigest()
        return _MARK + b'"of":"' + of.encode() + b'"}\n'


class RowAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The answer to one search of a row: `step` counts the notations of its value from 0."""

    row: int
    step: int
    match: RowMatch
    lead: str = ""
    received: str = ""


class ProgressFile:
    """The file at `path`, locked while it is open. Memory is eight bytes a row."""

    def __init__(self, path: Path, binding: ProgressBinding) -> None:
        self._path = path
        self._offsets = array("Q", bytes(8 * binding.rows))
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(RowAnswer).decode
        self._descriptor = self._open()
        self.kept = 0
        """Rows of which something was known when it was opened."""
        try:
            self._end = self._begin(binding.header())
        except BaseException:
            os.close(self._descriptor)
            raise

    def entry(self, row: int) -> RowAnswer | None:
        """The last answer about a row; None where there is none."""
        offset = self._offsets[row - 1]
        if not offset:
            return None
        line, _, _ = os.pread(self._descriptor, _LONGEST_LINE, offset).partition(b"\n")
        return self._decode(line)

    def add(self, entries: Iterable[RowAnswer]) -> None:
        """Keep these answers. They outlive the process once this returns."""
        data = bytearray()
        for entry in entries:
            self._offsets[entry.row - 1] = self._end + len(data)
            data += self._encode(entry) + b"\n"
        self._write(bytes(data))

    def close(self, *, delete: bool) -> None:
        """Let go of it; `delete` once it is of no more use."""
        if delete:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise InputError(
                f"cannot write {self._path}: {error.strerror}", code="SE902", hint="choose another place for --out"
            ) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise self._foreign()
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.fchmod(descriptor, 0o600)
        except BlockingIOError:
            os.close(descriptor)
            raise InputError(
                f"another lookup is writing {self._path}", code="SE527", hint="wait for it, or name another --out"
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _foreign(self) -> InputError:
        return InputError(
            f"{self._path} is no progress file of a lookup, and one is kept there",
            code="SE527",
            hint="move it away, or name another --out",
        )

    def _begin(self, header: bytes) -> int:
        """Read what is there; where it belongs to something else, or to nothing, start anew. Gives the end."""
        found = os.pread(self._descriptor, len(header), 0)
        if not (found.startswith(_MARK) or _MARK.startswith(found)):
            raise self._foreign()
        if found == header:
            end = self._read_entries(len(header))
            os.ftruncate(self._descriptor, end)
            return end
        os.ftruncate(self._descriptor, 0)
        self._end = 0
        self._write(header)
        return len(header)

    def _read_entries(self, start: int) -> int:
        """Take in every whole line. A half-written last one, and what cannot be read, is dropped with all behind it."""
        end = start
        for line in self._lines(start):
            try:
                entry = self._decode(line)
            except msgspec.DecodeError:
                break
            if not 1 <= entry.row <= len(self._offsets):
                break
            self.kept += not self._offsets[entry.row - 1]
            self._offsets[entry.row - 1] = end
            end += len(line) + 1
        return end

    def _lines(self, start: int) -> Iterator[bytes]:
        rest = b""
        while block := os.pread(self._descriptor, _BLOCK, start):
            start += len(block)
            *lines, rest = (rest + block).split(b"\n")
            yield from lines

    def _write(self, data: bytes) -> None:
        while data:
            written = os.pwrite(self._descriptor, data, self._end)
            self._end += written
            data = data[written:]
