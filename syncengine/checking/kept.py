"""Results kept on disk until they are shown, so that a million of them never sit in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
_IN_MEMORY = 4 << 20


class Kept(Generic[T]):
    """Values of one type in an unnamed file that only this process can read; may be read more than once."""

    def __init__(self, kind: type[T]) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(kind).decode

    def add(self, value: T) -> None:
        """Keep one more."""
        self._file.seek(0, 2)
        self._file.write(self._encode(value) + b"\n")

    def __iter__(self) -> Iterator[T]:
        self._file.seek(0)
        for line in self._file:
            yield self._decode(line)

    def close(self) -> None:
        """Drop everything."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
