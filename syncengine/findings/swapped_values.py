"""Fields whose values changed places: columns that were mixed up."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import Kind, Update
from syncengine.core.plan import PlannedOperation
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

FEWEST = 3
_PAIRS = 200
"""Pairs of fields of one change that are distinguished."""


class SwappedValues(Rule):
    """Compares new values with those before of the lead's other declared fields."""

    about = Description(
        name="swapped-values",
        severity="high, medium",
        threshold=f"two declared fields of a lead change places (high); {FEWEST} leads or more, under half of the "
        "change, get the known before-value of another declared field (medium)",
        example="firstname and lastname change places",
    )
    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._total = 0
        self._swapped: dict[tuple[str, str], Sample] = {}
        self._taken: dict[tuple[str, str], Sample] = {}

    def look(self, chunk: Chunk) -> None:
        self._total += len(chunk.updates)
        for planned in chunk.updates:
            if planned.before and isinstance(planned.operation, Update) and len(planned.operation.fields) > 1:
                self._compare(planned, planned.operation.fields)

    def _compare(self, planned: PlannedOperation, after: dict[str, str]) -> None:
        known = {name: value for name in after if (value := planned.value_before(name))}
        # The fields that had each value before: most new values are found here under no field.
        by_value: dict[str, list[str]] = {}
        for name, value in known.items():
            by_value.setdefault(value, []).append(name)
        for name, value in after.items():
            if value in by_value and known.get(name) not in (None, value):
                self._taken_from(name, by_value[value], planned, known, after)

    def _taken_from(
        self, name: str, holders: list[str], planned: PlannedOperation, known: dict[str, str], after: dict[str, str]
    ) -> None:
        """A field becomes what one of `holders` was: swapped where that one becomes what this field was."""
        mine = known[name]
        other = next((holder for holder in holders if after[holder] == mine), holders[0])
        if after[other] != mine:
            self._sample(self._taken, (name, other)).add(planned, name, mine, after[name])
        elif name < other:
            self._sample(self._swapped, (name, other)).add(planned, name, mine, after[name])

    def _sample(self, samples: dict[tuple[str, str], Sample], pair: tuple[str, str]) -> Sample:
        if pair not in samples and len(samples) >= _PAIRS:
            pair = ("other fields", "each other")
        return samples.setdefault(pair, Sample())

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for (one, other), sample in self._swapped.items():
            message = f"{one} and {other} change places for {counted(sample.count, 'lead')} of {in_change(change)}"
            yield self.found("high", message, change, sample)
        for (name, other), sample in self._taken.items():
            if sample.count >= FEWEST and sample.count * 2 < self._total:
                message = f"{name} becomes what {other} was for {counted(sample.count, 'lead')} of {in_change(change)}"
                yield self.found("medium", message, change, sample)
        self._begin()
