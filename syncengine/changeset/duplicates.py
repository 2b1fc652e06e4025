"""Who declared this before? Exact answers over millions of claims, in a fixed amount of memory.

A filter of one bit per slot answers "never seen" for nearly every new owner. Only where it says "perhaps" is the log
read, and there the owner itself is compared, so two owners with one hash are never taken for each other. The log holds
what was claimed, as records chained by hash bucket; it stays in memory while small and goes to an unnamed temporary
file, readable by this user alone, once it grows.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import IO, Self

import msgspec

from syncengine.core.changes import Origin

_FILTER_BITS = 1 << 26
_BUCKETS = 1 << 20
_FIXED = 12
"""Bytes before a record's body: four of length, eight of the position of the bucket's record before it."""
_PAGE = 4096


class Earlier(msgspec.Struct, frozen=True):
    """The first claim of a name: what was declared, and where."""

    value: str
    origin: Origin


_NOTHING: Mapping[str, Earlier] = MappingProxyType({})

_Body = tuple[str, dict[str, str], int, int, int | None]
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Body).decode


class Claims:
    """First come, first served: each name of an owner belongs to the first who claims it.

    Not for use by several threads. Close it (or leave its context) to give the temporary file back. Raises OSError
    where the temporary file cannot be written.
    """

    def __init__(self, *, held_in_memory: int = 1 << 20, hashed: Callable[[str], int] = hash) -> None:
        self._hash = hashed
        self._filter = bytearray(_FILTER_BITS >> 3)
        self._heads = memoryview(bytearray(_BUCKETS * 8)).cast("Q")
        self._pending = bytearray()
        self._flushed = 1  # position 0 means "no record", so the log begins at 1
        self._limit = held_in_memory
        self._file: IO[bytes] | None = None
        self._files: list[str] = []
        self._file_numbers: dict[str, int] = {}

    def claim(self, key: str, value: str, origin: Origin) -> Earlier | None:
        """Claim one key; the earlier claim where there is one, whatever its value."""
        return self.claim_all(key, {"": value}, origin).get("")

    def claim_all(self, owner: str, values: Mapping[str, str], origin: Origin) -> Mapping[str, Earlier]:
        """Claim several names of one owner (a lead's fields, say); returns the earlier claims among them, by name."""
        number = self._hash(owner)
        slot = (number >> 20) & (_FILTER_BITS - 1)
        mask = 1 << (slot & 7)
        if not self._filter[slot >> 3] & mask:
            self._filter[slot >> 3] |= mask
            self._append(number, owner, dict(values), origin)
            return _NOTHING
        known = self._known(number, owner)
        fresh = {name: value for name, value in values.items() if name not in known}
        if fresh:
            self._append(number, owner, fresh, origin)
        return {name: known[name] for name in values if name in known}

    def close(self) -> None:
        """Drop everything."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._pending.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, number: int, owner: str, values: dict[str, str], origin: Origin) -> None:
        bucket = number & (_BUCKETS - 1)
        position = self._flushed + len(self._pending)
        body = _ENCODE((owner, values, self._file_number(origin.file), origin.line, origin.row))
        self._pending += len(body).to_bytes(4, "little") + self._heads[bucket].to_bytes(8, "little")
        self._pending += body
        self._heads[bucket] = position
        if len(self._pending) >= self._limit:
            self._flush()

    def _file_number(self, file: str) -> int:
        number = self._file_numbers.get(file)
        if number is None:
            number = self._file_numbers[file] = len(self._files)
            self._files.append(file)
        return number

    def _flush(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="syncengine-", buffering=0)  # noqa: SIM115  # closed by close()
        pending = memoryview(self._pending)
        while pending:
            pending = pending[self._file.write(pending) :]
        self._flushed += len(self._pending)
        self._pending = bytearray()

    def _known(self, number: int, owner: str) -> dict[str, Earlier]:
        known: dict[str, Earlier] = {}
        position = self._heads[number & (_BUCKETS - 1)]
        while position:
            position, body = self._record(position)
            claimant, values, file, line, row = _DECODE(body)
            if claimant == owner:
                origin = Origin(self._files[file], line, row)
                known.update((name, Earlier(value, origin)) for name, value in values.items())
        return known

    def _record(self, position: int) -> tuple[int, bytes]:
        """The position of the record before, and the body."""
        page = self._read(position, _PAGE)
        length = int.from_bytes(page[:4], "little")
        if len(page) < _FIXED + length:
            page = self._read(position, _FIXED + length)
        return int.from_bytes(page[4:_FIXED], "little"), page[_FIXED : _FIXED + length]

    def _read(self, position: int, size: int) -> bytes:
        if position >= self._flushed:
            start = position - self._flushed
            return bytes(self._pending[start : start + size])
        assert self._file is not None, "a flushed record has a file"
        return os.pread(self._file.fileno(), size, position - 1)
