"""Finds operations in a saved plan by the beginning of their ids, without decoding the others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from syncengine.core.digests import PlanHasher
from syncengine.core.plan import PlannedOperation
from syncengine.planning.planfile import (
    ENCODER,
    ID_MARK,
    LINE,
    LONGEST_FIRST,
    Footer,
    PlanFile,
    PlanFirstLine,
    moved,
    opened,
)
from syncengine.planning.planfile_validation import odd_among
from syncengine.planning.sealed_plans import Identities

_BLOCK = 1 << 16
"""Small enough for the processor's cache, in which each block is read, hashed and searched."""


class SearchedPlan(PlanFile):
    """A plan file that was read once, verified by its digest alone, which covers every operation.

    The checksum, and reading the file a second time, would take twice as long: one operation is looked for among a
    million. `found` has the operations whose ids begin with `prefix`, in order.
    """

    def __init__(self, path: Path, source: BinaryIO, identities: Identities, *, prefix: str) -> None:
        self._mark = ID_MARK + prefix.encode()
        self._prefix = prefix
        self._lines_found: list[bytes] = []
        super().__init__(path, source, identities)
        if self._cover is None:
            decoded = [self._decode(line) for line in self._lines_found]
            odd = odd_among(decoded, frozenset(changeset.id for changeset in self.summary.changesets))
            if odd:
                raise self._altered(odd)
            self.found = [moved(each, self._begins.get(each.changeset, 1) - 1) for each in decoded]
        else:
            self.found = [each for each in self.operations() if each.id.startswith(prefix)]

    def _decode(self, line: bytes) -> PlannedOperation:
        try:
            return LINE.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._altered("an operation cannot be read") from error

    def _verify(self) -> tuple[PlanFirstLine, Footer]:
        raw = self._source.readline(LONGEST_FIRST)
        first = self._first(raw)
        if first.sealed is not None:
            return super()._verify()
        self._start = len(raw)
        last = self._last_line()
        if not last.endswith(b'"}\n'):
            raise self._altered("not a whole plan: the footer is missing")
        footer = self._ending(last, Footer)
        digest = PlanHasher(ENCODER.encode(first.header))
        self._source.seek(self._start)
        left = self._end - self._start
        rest = b""
        while left > 0:
            block = self._source.read(min(_BLOCK, left))
            if not block:
                raise self._altered("the file was changed while it was in use")
            left -= len(block)
            digest.add_lines(block)
            lines = rest + block
            end = lines.rfind(b"\n") + 1
            self._search(lines, end)
            rest = lines[end:]
        if digest.finish(ENCODER.encode(footer.covered)) != footer.digest:
            raise self._altered("the digest is wrong: the content is not what was planned")
        return first, footer

    def _last_line(self) -> bytes:
        size = self._source.seek(0, os.SEEK_END)
        length = _BLOCK
        while True:
            self._source.seek(max(0, size - length))
            tail = self._source.read(length)
            cut = tail.rfind(b"\n", 0, -1) + 1
            if cut or length >= size:
                self._end = size - len(tail) + cut
                return tail[cut:]
            length *= 2

    def _search(self, lines: bytes, end: int) -> None:
        """Keep the lines that begin with the mark, up to `end`, where a line ends."""
        place = lines.find(self._mark, 0, end)
        while place >= 0:
            if place == 0 or lines[place - 1] == ord("\n"):
                self._lines_found.append(lines[place : lines.find(b"\n", place)])
            place = lines.find(self._mark, place + 1, end)


def search_plan(path: Path, prefix: str, identities: Identities | None = None) -> SearchedPlan:
    """Open a plan and search it. Raises what open_plan raises."""
    return opened(path, lambda source: SearchedPlan(path, source, identities or Identities(), prefix=prefix))
