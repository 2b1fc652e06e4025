"""The highest position of every ledger that was at a path, stored in the lease files beside it.

A ledger that lost records (a `-wal` file that was not copied, or a restored backup) is consistent in itself, so only a
record outside of it can show the loss. The holder of a lease writes the position into its lease file after each commit.
The commit is durable by then, so a mark is never ahead of the disk. The mark itself is not synchronised: after a power
failure it may be some seconds behind, which causes no false refusal.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable
from pathlib import Path

_LINE = re.compile(rb"([!-~]{1,64}) (\d{20})\n", re.ASCII)
_MOST_BYTES = 1 << 16


def lease_files(ledger: Path) -> list[Path]:
    """The lease files beside a ledger's file, which may no longer exist."""
    return sorted(ledger.parent.glob(f"{glob.escape(ledger.name)}.*.lease"))


def read_marks(ledger: Path) -> dict[str, int]:
    """Ledger id to its highest known position."""
    found: dict[str, int] = {}
    for file in lease_files(ledger):
        with contextlib.suppress(OSError):
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                content = os.read(descriptor, _MOST_BYTES)
            finally:
                os.close(descriptor)
            for match in _LINE.finditer(content):
                name = match[1].decode()
                found[name] = max(found.get(name, 0), int(match[2]))
    return found


class PositionMark:
    """One ledger's line in a lease file that this process has locked. `descriptor` returns -1 once it is closed."""

    def __init__(self, descriptor: Callable[[], int], ledger_id: str) -> None:
        self._descriptor = descriptor
        self._name = ledger_id.encode()
        content = os.pread(descriptor(), _MOST_BYTES, 0)
        own = next((match for match in _LINE.finditer(content) if match[1] == self._name), None)
        self._offset = len(content) if own is None else own.start()
        self._position = 0 if own is None else int(own[2])

    def reach(self, position: int) -> None:
        """Record a durable position; a lower one than before changes nothing."""
        if position > self._position:
            self.put(position)

    def put(self, position: int) -> None:
        """Record a position, even if it is lower than before."""
        # A commit is valid whether or not its position can be recorded here.
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor(), self._name + b" %020d\n" % position, self._offset)
            self._position = position
