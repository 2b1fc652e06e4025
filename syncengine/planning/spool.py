"""Operations kept aside on disk until the whole plan is counted; an unnamed file that only this process can read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

import msgspec

from syncengine.core.plan import PlannedOperation

_IN_MEMORY = 4 << 20


class Spool:
    """First in, first out, once."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by take()
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(PlannedOperation)

    def put(self, planned: PlannedOperation) -> None:
        """Keep one operation."""
        self._file.write(self._encoder.encode(planned) + b"\n")

    def take(self) -> Iterator[PlannedOperation]:
        """Everything, in order; the file is gone afterwards."""
        with self._file:
            self._file.seek(0)
            for line in self._file:
                yield self._decoder.decode(line)
