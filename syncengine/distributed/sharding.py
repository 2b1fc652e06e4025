"""Splits a plan into shards. One lead's operations stay together and in order, in one shard of a lane.

A run has phases: one for each of `policy.waves`, then the rest. Shards of a phase have no lead in common, so their
order does not matter. There are at most as many lanes as the account's concurrency, and one process at a time works on
a lane; together this enforces the concurrency limit. A semaphore would have to be released on behalf of dead workers.
Budgets take a single lane: counted in several processes, they would be overspent or need a lock around each request.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

import msgspec

from syncengine.core.plan import PlannedOperation
from syncengine.core.values import OperationId
from syncengine.distributed.content import line_of

SHARD_SIZE = 1_000
"""Approximate number of operations in a shard."""

_SMALL = 100
"""A small plan is spread over all lanes, in shards of at least this many operations."""

_PIECE = 32_768


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One shard. `concurrency` connections work on it. `waits`: operations that must not leave before a moment (ISO
    8601)."""

    number: int
    phase: int
    lane: str
    concurrency: int
    operations: int
    waits: dict[OperationId, str]


class ShardTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the split. `alone`: use one lane, for budgets that the sending process counts."""

    size: int
    concurrency: int
    waves: tuple[int, ...]
    alone: bool


Keep = Callable[[int, int, bytes], None]
"""Receives a piece of a shard's content: shard, part, lines."""


def cut(
    lines: Iterable[PlannedOperation], to_send: int, terms: ShardTerms, waits: Mapping[OperationId, str], keep: Keep
) -> list[Shard]:
    """The shards of these open lines. Passes their content to `keep` piece by piece."""
    shards: list[Shard] = []
    rest = iter(lines)
    left = to_send
    for wave in (*terms.waves, None):
        taken = _Entries(rest, wave)
        head = next(taken, None)
        if head is None:
            break
        cutter = _Phase(
            phase=shards[-1].phase + 1 if shards else 0,
            offset=shards[-1].number + 1 if shards else 0,
            expected=left if wave is None else min(wave, left),
            terms=terms,
            waits=waits,
            keep=keep,
        )
        for planned in chain((head,), taken):
            cutter.add(planned)
        made = cutter.finish()
        left -= sum(shard.operations for shard in made)
        shards.extend(made)
        rest = taken.rest
    return shards


class _Entries:
    """The lines of the next entries, up to a number of entries (None: all); `rest` yields the remaining lines."""

    def __init__(self, lines: Iterator[PlannedOperation], count: int | None) -> None:
        self._lines = lines
        self._left = count
        self._entry: tuple[int, str] | None = None
        self.rest = lines

    def __iter__(self) -> Iterator[PlannedOperation]:
        return self

    def __next__(self) -> PlannedOperation:
        planned = next(self._lines)
        if self._left is None:
            return planned
        entry = (planned.entry, planned.operation.lead)
        if entry != self._entry:
            if not self._left:
                self.rest = chain((planned,), self._lines)
                raise StopIteration
            self._left -= 1
            self._entry = entry
        return planned


class _Phase:
    """Shards of one phase while they are filled."""

    def __init__(
        self,
        *,
        phase: int,
        offset: int,
        expected: int,
        terms: ShardTerms,
        waits: Mapping[OperationId, str],
        keep: Keep,
    ) -> None:
        spread = 1 if terms.alone else min(terms.concurrency, -(-expected // _SMALL))
        self._phase = phase
        self._offset = offset
        self._waits = waits
        self._keep = keep
        self._count = max(-(-expected // terms.size), spread, 1)
        self._lanes = 1 if terms.alone else min(terms.concurrency, self._count)
        self._concurrency = max(terms.concurrency // self._lanes, 1)
        self._buffers: list[bytearray] = [bytearray() for _ in range(self._count)]
        self._parts: Counter[int] = Counter()
        self._operations: Counter[int] = Counter()
        self._waiting: dict[int, dict[OperationId, str]] = {}

    def add(self, planned: PlannedOperation) -> None:
        """Add one line."""
        index = zlib.crc32(planned.operation.lead.encode()) % self._count
        self._operations[index] += 1
        if planned.id in self._waits:
            self._waiting.setdefault(index, {})[planned.id] = self._waits[planned.id]
        buffer = self._buffers[index]
        buffer += line_of(planned)
        if len(buffer) >= _PIECE:
            self._flush(index)

    def finish(self) -> list[Shard]:
        """The shards that are not empty."""
        for index, buffer in enumerate(self._buffers):
            if buffer:
                self._flush(index)
        return [
            Shard(
                number=self._offset + index,
                phase=self._phase,
                lane=str(index % self._lanes),
                concurrency=self._concurrency,
                operations=self._operations[index],
                waits=self._waiting.get(index, {}),
            )
            for index in range(self._count)
            if self._operations[index]
        ]

    def _flush(self, index: int) -> None:
        self._keep(self._offset + index, self._parts[index], bytes(self._buffers[index]))
        self._parts[index] += 1
        self._buffers[index].clear()
