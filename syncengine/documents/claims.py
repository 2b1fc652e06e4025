"""Index of declarations: which change declared a field of a lead first. Exact, for millions of claims in bounded
memory.

A bitmap with a bit per lead answers "never seen" without a look-up. Lead ids are mostly consecutive, so their low
digits select the bit. Only where the bit is set is the log read, which compares the lead itself, so two leads that
share a bit are never confused. The log stores claims as records chained by bucket. It stays in memory while small, then
moves to an unnamed temporary file, readable by this user alone.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from types import MappingProxyType, TracebackType
from typing import IO, Self

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.values import LeadId, number_of

_FILTER_BITS = 1 << 26
_BUCKETS = 1 << 20
_LENGTH = 4
"""Bytes before a record that hold its length."""
_PAGE = 4096


class FirstClaim(msgspec.Struct, frozen=True):
    """The first claim of a name: what was declared, and where."""

    value: str
    origin: Origin


_NOTHING: Mapping[str, FirstClaim] = MappingProxyType({})

_Record = tuple[int, str, dict[str, str], int, int, int | None]
"""Position of the bucket's previous record, lead, values by name, number of the file, line, row."""
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Record).decode


def _pages(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


class LeadFilter:
    """A set of leads that may also give leads that were not added, in fixed memory. Close it to release that."""

    def __init__(self) -> None:
        self._bits = _pages(_FILTER_BITS >> 3)

    def add(self, lead: LeadId) -> None:
        """Add one lead."""
        slot = int(number_of(lead)) & (_FILTER_BITS - 1)
        self._bits[slot >> 3] |= 1 << (slot & 7)

    def __contains__(self, lead: LeadId) -> bool:
        slot = int(number_of(lead)) & (_FILTER_BITS - 1)
        return bool(self._bits[slot >> 3] & 1 << (slot & 7))

    def close(self) -> None:
        """Release the memory."""
        self._bits.close()


class ClaimStore:
    """The first claim of a name of a lead wins.

    Not thread-safe. Close it (or leave its context) to delete the temporary file. Raises OSError where the temporary
    file cannot be written.
    """

    def __init__(self, *, held_in_memory: int = 1 << 20) -> None:
        # Mapped, not allocated: untouched pages take no memory, and all are released at the end. An allocator does so
        # only until a block of this size was first freed; from then on it writes zeros to every page, and may keep
        # them.
        self._filter = _pages(_FILTER_BITS >> 3)
        self._table = _pages(_BUCKETS * 8)
        self._heads = memoryview(self._table).cast("Q")
        self._pending = bytearray()
        self._flushed = 1  # Position 0 means "no record", so the log begins at 1.
        self._limit = held_in_memory
        self._file: IO[bytes] | None = None
        self._files: list[str] = []
        self._file_numbers: dict[str, int] = {}

    def claim(self, lead: LeadId, name: str, value: str, origin: Origin) -> FirstClaim | None:
        """Claim one name of a lead. Returns the earlier claim where there is one, whatever its value."""
        return self.claim_all(lead, {name: value}, origin).get(name)

    def claim_all(self, lead: LeadId, values: Mapping[str, str], origin: Origin) -> Mapping[str, FirstClaim]:
        """Claim several names of one lead (its fields, say); returns the earlier claims among them, by name."""
        number = int(number_of(lead))
        slot = number & (_FILTER_BITS - 1)
        mask = 1 << (slot & 7)
        if not self._filter[slot >> 3] & mask:
            self._filter[slot >> 3] |= mask
            self._append(lead, number, values, origin)
            return _NOTHING
        known = self._known(lead, number)
        fresh = {name: value for name, value in values.items() if name not in known}
        if fresh:
            self._append(lead, number, fresh, origin)
        return {name: known[name] for name in values if name in known}

    def claim_first(self, lead: LeadId, values: Mapping[str, str], origin: Origin) -> Mapping[str, FirstClaim]:
        """Claim names where nothing was claimed of the lead yet; else everything that was, and nothing is claimed."""
        number = int(number_of(lead))
        slot = number & (_FILTER_BITS - 1)
        mask = 1 << (slot & 7)
        if self._filter[slot >> 3] & mask:
            known = self._known(lead, number)
            if known:
                return known
        self._filter[slot >> 3] |= mask
        self._append(lead, number, values, origin)
        return _NOTHING

    def claim_more(self, lead: LeadId, values: Mapping[str, str], origin: Origin) -> None:
        """Claim names that `claim_first` did not give."""
        self._append(lead, int(number_of(lead)), values, origin)

    def claims_of(self, lead: LeadId) -> Mapping[str, FirstClaim]:
        """Everything that was claimed of a lead, by name."""
        number = int(number_of(lead))
        slot = number & (_FILTER_BITS - 1)
        return self._known(lead, number) if self._filter[slot >> 3] & 1 << (slot & 7) else _NOTHING

    def close(self) -> None:
        """Delete everything."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._pending.clear()
        self._heads.release()
        self._table.close()
        self._filter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, lead: LeadId, number: int, values: Mapping[str, str], origin: Origin) -> None:
        heads, pending, file = self._heads, self._pending, origin.file
        bucket = number & (_BUCKETS - 1)
        known = self._file_numbers.get(file)
        if known is None:
            known = self._file_numbers[file] = len(self._files)
            self._files.append(file)
        record = _ENCODE((heads[bucket], lead, values, known, origin.line, origin.row))
        heads[bucket] = self._flushed + len(pending)
        pending += len(record).to_bytes(_LENGTH, "little")
        pending += record
        if len(pending) >= self._limit:
            self._flush()

    def _flush(self) -> None:
        if self._file is None:
            import tempfile

            self._file = tempfile.TemporaryFile(prefix="syncengine-", buffering=0)  # noqa: SIM115  # closed by close()
        pending = memoryview(self._pending)
        while pending:
            pending = pending[self._file.write(pending) :]
        self._flushed += len(self._pending)
        self._pending = bytearray()

    def _known(self, lead: LeadId, number: int) -> dict[str, FirstClaim]:
        known: dict[str, FirstClaim] = {}
        position = self._heads[number & (_BUCKETS - 1)]
        while position:
            position, claimant, values, file, line, row = _DECODE(self._record(position))
            if claimant == lead:
                origin = Origin(self._files[file], line, row)
                known.update((name, FirstClaim(value, origin)) for name, value in values.items())
        return known

    def _record(self, position: int) -> bytes:
        page = self._read(position, _PAGE)
        length = int.from_bytes(page[:_LENGTH], "little")
        if len(page) < _LENGTH + length:
            page = self._read(position, _LENGTH + length)
        return page[_LENGTH : _LENGTH + length]

    def _read(self, position: int, size: int) -> bytes:
        if position >= self._flushed:
            start = position - self._flushed
            return bytes(self._pending[start : start + size])
        assert self._file is not None, "a flushed record has a file"
        return os.pread(self._file.fileno(), size, position - 1)
