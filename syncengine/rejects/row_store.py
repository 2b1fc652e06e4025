"""The operations of each row of a source, on disk: a million of them are never in memory."""

from __future__ import annotations

import os
import tempfile
from array import array
from typing import Self

import msgspec

from syncengine.core.ports import OperationOutcome
from syncengine.core.values import LeadId, OperationId

_OPEN, _DONE, _DOUBT = 1, 2, 4
_MARKS: dict[OperationOutcome, int] = {"applied": _DONE, "rejected": _OPEN, "not_sent": _OPEN, "in_doubt": _DOUBT}
_BUFFERED = 1 << 20
_BLOCK = 1 << 12


class RowOperation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One operation that a row gave rise to, and what became of it. `message` is the service's, or says why not."""

    operation: OperationId
    lead: LeadId
    kind: str
    outcome: OperationOutcome
    message: str


class _Stored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`before` is where the row's operation before this one is; 0 where there is none."""

    before: int
    operation: RowOperation


class RowStore:
    """Rows by number. Memory is nine bytes a row; the operations are in an unnamed file of this process."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._waiting = bytearray(b"\n")  # no operation is at 0
        self._written = 0
        self._last = array("Q")
        self._marks = bytearray()
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(_Stored).decode

    def add(self, row: int, operation: RowOperation) -> None:
        """Add an operation to a row, counted from 1."""
        if row > len(self._marks):
            more = max(row, len(self._marks) * 5 // 4) - len(self._marks)
            self._last.extend(array("Q", bytes(8 * more)))
            self._marks.extend(bytes(more))
        place = self._written + len(self._waiting)
        self._waiting += self._encode(_Stored(self._last[row - 1], operation)) + b"\n"
        self._last[row - 1] = place
        self._marks[row - 1] |= _MARKS[operation.outcome]
        if len(self._waiting) >= _BUFFERED:
            self._flush()

    def is_settled(self, row: int) -> bool:
        """Whether nothing of the row was rejected, kept back or is in doubt."""
        return row > len(self._marks) or not self._marks[row - 1] & (_OPEN | _DOUBT)

    def is_partly(self, row: int) -> bool:
        """Whether an operation of the row was applied or is in doubt."""
        return bool(self._marks[row - 1] & (_DONE | _DOUBT))

    @property
    def rejected(self) -> int:
        """Rows of which everything was rejected or not sent."""
        return self._marks.count(_OPEN)

    @property
    def partly(self) -> int:
        """Rows of which something is to be dealt with, and something was applied or is in doubt."""
        return sum(self._marks.count(mark) for mark in range(8) if mark & (_OPEN | _DOUBT) and mark != _OPEN)

    def operations(self, row: int) -> list[RowOperation]:
        """All operations of a row, in the order in which they were added."""
        self._flush()
        found: list[RowOperation] = []
        place = self._last[row - 1]
        while place:
            stored = self._decode(self._line(place))
            found.append(stored.operation)
            place = stored.before
        return found[::-1]

    def close(self) -> None:
        """Delete everything."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _line(self, place: int) -> bytes:
        line, end = b"", -1
        while end < 0:
            block = os.pread(self._file.fileno(), _BLOCK, place + len(line))
            assert block, "every line ends"
            line += block
            end = line.find(b"\n")
        return line[:end]

    def _flush(self) -> None:
        if self._waiting:
            self._file.write(self._waiting)
            self._file.flush()
            self._written += len(self._waiting)
            self._waiting.clear()
