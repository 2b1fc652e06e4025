"""A queue of values on disk, so that a million of them are never in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

import msgspec

_IN_MEMORY = 2 << 20
_AT_ONCE = 256

T = TypeVar("T")


class DiskSpool(Generic[T]):
    """First in, first out, in an unnamed file that only this process can read. Can be read more than once.

    Uses no file and no memory while it is empty.
    """

    def __init__(self, kind: type[T], *, at_once: int = _AT_ONCE) -> None:
        """`at_once` is the number of values buffered in memory: fewer where each is large."""
        self._at_once = at_once
        self._file: tempfile.SpooledTemporaryFile[bytes] | None = None
        self._encode = msgspec.json.Encoder().encode_lines
        self._decoder = msgspec.json.Decoder(kind)
        self._waiting: list[T] = []

    def put(self, value: T) -> None:
        """Add one value."""
        self._waiting.append(value)
        if len(self._waiting) >= self._at_once:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            if self._file is None:
                self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by close()
            self._file.write(self._encode(self._waiting))
            self._waiting.clear()

    def read(self) -> Iterator[T]:
        """All values, in order."""
        self._flush()
        if self._file is None:
            return
        self._file.seek(0)
        for line in self._file:
            yield self._decoder.decode(line)
        self._file.seek(0, 2)

    def close(self) -> None:
        """Delete everything."""
        self._waiting.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
