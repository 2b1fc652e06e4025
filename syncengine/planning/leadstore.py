"""Observations by lead: an index in memory, values in an unnamed file on disk that only this process can read."""

from __future__ import annotations

import os
import tempfile
from array import array
from typing import IO

import msgspec

from syncengine.core.observations import Observation, UnreadLead
from syncengine.core.values import LeadId, is_quarantined, number_of


class LeadStore:
    """One Observation or Unread per lead: values on disk, an index of 16 bytes a slot in memory."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="syncengine-")  # noqa: SIM115  # closed by close()
        self._written = 1  # 0 marks a free slot
        self._flushed = True
        self._slots = 1 << 12
        self._keys = array("Q", bytes(8 * self._slots))
        self._places = array("Q", bytes(8 * self._slots))
        self._stored = 0
        self._quarantined: LeadStore | None = None
        """Leads by quarantine id, in a store of their own: the same number can also be the id of another lead."""
        self._file.write(b"\0")
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Observation | UnreadLead).decode

    @property
    def count(self) -> int:
        """Number of leads."""
        return self._stored + (0 if self._quarantined is None else self._quarantined.count)

    def add(self, lead: LeadId, seen: Observation | UnreadLead) -> bool:
        """Store it; False where the lead is present already."""
        if is_quarantined(lead):
            if self._quarantined is None:
                self._quarantined = LeadStore()
            return self._quarantined.add(LeadId(number_of(lead)), seen)
        if self._stored * 5 >= self._slots * 3:
            self._grow()
        number = int(lead)
        slot = self._slot(number)
        if self._places[slot]:
            return False
        data = self._encode(seen)
        self._keys[slot], self._places[slot] = number, self._written
        self._file.write(len(data).to_bytes(4, "little") + data)
        self._written += 4 + len(data)
        self._flushed = False
        self._stored += 1
        return True

    def get(self, lead: LeadId) -> Observation | UnreadLead | None:
        """What is stored for a lead."""
        if is_quarantined(lead):
            return None if self._quarantined is None else self._quarantined.get(LeadId(number_of(lead)))
        place = self._places[self._slot(int(lead))]
        if not place:
            return None
        if not self._flushed:
            self._file.flush()
            self._flushed = True
        page = os.pread(self._file.fileno(), 1024, place)
        length = int.from_bytes(page[:4], "little")
        if length > len(page) - 4:
            page = os.pread(self._file.fileno(), length + 4, place)
        seen: Observation | UnreadLead = self._decode(page[4 : 4 + length])
        return seen

    def close(self) -> None:
        """Delete everything."""
        self._file.close()
        if self._quarantined is not None:
            self._quarantined.close()

    def _slot(self, number: int) -> int:
        mask = self._slots - 1
        slot = (number * 0x9E3779B97F4A7C15 >> 20) & mask
        while self._places[slot] and self._keys[slot] != number:
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        keys, places = self._keys, self._places
        self._slots *= 2
        self._keys = array("Q", bytes(8 * self._slots))
        self._places = array("Q", bytes(8 * self._slots))
        for number, place in zip(keys, places, strict=True):
            if place:
                slot = self._slot(number)
                self._keys[slot], self._places[slot] = number, place
