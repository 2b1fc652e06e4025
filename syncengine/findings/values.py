"""What rules about single values share: one sample for each field and mistake of the present change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncengine.core.finding import Severity
from syncengine.core.operations import Kind
from syncengine.findings.operations import Chunk, Column
from syncengine.findings.rule import ChangeKey, Found, Rule, Sample, counted, in_change

_TOLD_APART = 1_000

Mistake = tuple[str, Severity]
"""What is wrong with a value, in words, and how severe that is."""


class ValueRule(Rule):
    """Looks at columns: `may_hold` tells cheaply whether one can hold a mistake, `mistakes` looks at one value."""

    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._samples: dict[tuple[str, Mistake], Sample] = {}
        self._totals: dict[str, int] = {}

    def may_hold(self, column: Column) -> bool:
        """False where no value of the column can be a mistake."""
        raise NotImplementedError

    def mistakes(self, value: str) -> Iterable[Mistake]:
        """What is wrong with a value."""
        raise NotImplementedError

    def look(self, chunk: Chunk) -> None:
        for column in chunk.columns:
            self._totals[column.field] = self._totals.get(column.field, 0) + len(column.values)
            if self.may_hold(column):
                for index, value in enumerate(column.values):
                    for mistake in self.mistakes(value):
                        self.add(mistake, column, index)

    def add(self, mistake: Mistake, column: Column, index: int) -> None:
        """One value with a mistake."""
        key = (column.field, mistake)
        if key not in self._samples and len(self._samples) >= _TOLD_APART:
            key = ("other fields", mistake)
        sample = self._samples.setdefault(key, Sample())
        sample.add(column.operations[index], column.field, column.before(index), column.values[index])

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for (field, (words, severity)), sample in self._samples.items():
            values = counted(sample.count, "value")
            verb = "has" if sample.count == 1 else "have"
            message = f"{values} of {field} in {in_change(change)} {verb} {words}"
            yield self.found(severity, message, change, sample)
        self._samples, self._totals = {}, {}
