"""Rows that slipped: each lead gets the value of its neighbour."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

from syncengine.core.finding import SHOWN
from syncengine.core.operations import Kind, values_of
from syncengine.core.plan import PlannedOperation
from syncengine.findings.operations import OPEN, Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

FEWEST = 3
_KEPT = 20 * SHOWN
_UP, _DOWN = "above", "below"
_Cell = tuple[PlannedOperation, str, str]
_Row = dict[str, _Cell]
"""What is known of one lead's values: by name the operation, the value before and the one after."""


class ShiftedRows(Rule):
    """Compares each value with the values before of the rows above and below.

    Only values that occur once among the change's values before count: their digests are kept, eight bytes each.
    """

    about = Description(
        name="shifted-rows",
        severity="high",
        threshold=f"{FEWEST} leads or more of a change get, all in one direction, the known before-value of the "
        "row above (or below), and those values occur once among the change's before-values",
        example="a column that was pasted one row too low",
    )
    kinds = frozenset({Kind.UPDATE, Kind.FINANCIALS})
    looks_at_rows = True

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._above: _Row = {}
        self._here: _Row = {}
        self._lead = ""
        self._befores: dict[str, array[int]] = {}
        self._hits: dict[tuple[str, str], _Hits] = {}

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.rows:
            # Where nothing is known before, as in most plans, there is nothing to look at.
            if planned.before or self._here or self._above:
                if planned.operation.lead != self._lead:
                    self._lead, self._above, self._here = planned.operation.lead, self._here, {}
                if planned.before:
                    self._compare(planned)

    def _compare(self, planned: PlannedOperation) -> None:
        for name, after in values_of(planned.operation).items():
            before = planned.value_before(name)
            if before is None:
                continue
            if name not in self._befores:
                self._befores[name] = array("q")
            self._befores[name].append(hash(before))
            self._here[name] = (planned, before, after)
            above = self._above.get(name)
            if above is not None and above[1] != before and before:
                self._compare_neighbours(name, above, self._here[name])

    def _compare_neighbours(self, name: str, above: _Cell, here: _Cell) -> None:
        # Neighbours that stay as they are have values before too, but get none.
        if here[2] == above[1] and here[0].state in OPEN:
            self._hit(name, _UP, *here)
        if above[2] == here[1] and above[0].state in OPEN:
            self._hit(name, _DOWN, *above)

    def _hit(self, name: str, direction: str, planned: PlannedOperation, before: str, after: str) -> None:
        if after:
            self._hits.setdefault((name, direction), _Hits()).add(planned, before, after)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for name in self._befores:
            found = {way: self._unique(name, hits) for way in (_UP, _DOWN) if (hits := self._hits.get((name, way)))}
            told = [(way, sample) for way, sample in found.items() if sample.count]
            if len(told) == 1 and told[0][1].count >= FEWEST:
                way, sample = told[0]
                message = (
                    f"{name} of {counted(sample.count, 'lead')} becomes what the row {way} had in {in_change(change)}: "
                    "rows shifted by one?"
                )
                yield self.found("high", message, change, sample)
        self._begin()

    def _unique(self, name: str, hits: _Hits) -> Sample:
        """Those hits whose value occurs once among the values before."""
        sample = Sample()
        if len(hits.digests) < FEWEST:
            return sample
        wanted = set(hits.digests)
        counts = Counter(digest for digest in self._befores[name] if digest in wanted)
        for planned, before, after in hits.first:
            if counts[hash(after)] == 1:
                sample.add(planned, name, before, after)
        sample.count = sum(1 for digest in hits.digests if counts[digest] == 1)
        return sample


class _Hits:
    def __init__(self) -> None:
        self.digests = array("q")
        self.first: list[tuple[PlannedOperation, str, str]] = []

    def add(self, planned: PlannedOperation, before: str, after: str) -> None:
        self.digests.append(hash(after))
        if len(self.first) < _KEPT:
            self.first.append((planned, before, after))
