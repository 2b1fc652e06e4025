"""What rules look at: the open operations of one change, some thousand at a time, by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from syncengine.core.operations import Financials, Kind, Update, kind_of
from syncengine.core.plan import PlannedOperation, State

OPEN = frozenset({State.TO_SEND, State.HELD, State.BLOCKED})
"""States of operations that are still meant to be sent."""

_SHAPES = str.maketrans({**dict.fromkeys("0123456789", "9"), **{chr(65 + i): "A" for i in range(26)},
                         **{chr(97 + i): "a" for i in range(26)}})  # fmt: skip


class Column:
    """The new values of one field, in the order of `operations`."""

    def __init__(self, field: str, operations: Sequence[PlannedOperation], values: Sequence[str]) -> None:
        self.field = field
        self.operations = operations
        self.values = values

    @cached_property
    def joined(self) -> str:
        """All values with a line feed before, between and after them: one search looks at all of them."""
        return "\n" + "\n".join(self.values) + "\n"

    @cached_property
    def lowered(self) -> str:
        """`joined` in lower case."""
        return self.joined.lower()

    @cached_property
    def ascii(self) -> bool:
        """Whether every character of every value is ASCII."""
        return self.joined.isascii()

    @cached_property
    def shapes(self) -> list[str]:
        """Each value with its digits as 9 and its Latin letters as A or a; values with line breaks count as empty."""
        if self.has_breaks:
            return ["" if "\n" in value else shape_of(value) for value in self.values]
        return self.joined.translate(_SHAPES).split("\n")[1:-1]

    @cached_property
    def shape_counts(self) -> Counter[str]:
        """How often each shape occurs."""
        return Counter(self.shapes)

    @property
    def has_breaks(self) -> bool:
        """Whether a value holds a line feed."""
        return self.joined.count("\n") != len(self.values) + 1

    def before(self, index: int) -> str | None:
        """What is known of a value before."""
        return self.operations[index].value_before(self.field)


class Amounts:
    """One financials operation in hundredths. What is declared but already so is no new amount, see `sent`."""

    __slots__ = ("operation", "payout", "planned", "revenue")

    def __init__(self, planned: PlannedOperation, operation: Financials) -> None:
        self.planned = planned
        self.operation = operation
        self.payout = planned.amount_before("payout")
        self.revenue = planned.amount_before("revenue")

    def before(self, name: str) -> int | None:
        """The amount before, None where it is unknown."""
        return self.payout if name == "payout" else self.revenue

    def after(self, name: str) -> int | None:
        """The amount declared."""
        return self.operation.payout if name == "payout" else self.operation.revenue

    def sent(self, name: str) -> int | None:
        """The amount declared, where it would be sent."""
        return self.after(name) if self.planned.sends(name) else None


class Chunk:
    """Some consecutive operations of one change: `rows` are all of them, `operations` those that are open."""

    def __init__(self, rows: Sequence[PlannedOperation]) -> None:
        self.rows = rows
        operations = rows
        if not {planned.state for planned in rows} <= OPEN:
            operations = [planned for planned in rows if planned.state in OPEN]
        self.operations = operations
        first = rows[0]
        self.change = (str(first.changeset), first.change)
        self.kinds = frozenset({kind_of(planned.operation) for planned in operations})

    @cached_property
    def updates(self) -> list[PlannedOperation]:
        """Updates alone."""
        if self.kinds == {Kind.UPDATE}:
            return list(self.operations)
        return [planned for planned in self.operations if planned.operation.__class__ is Update]

    @cached_property
    def money(self) -> list[Amounts]:
        """Financials alone."""
        return [
            Amounts(planned, planned.operation)
            for planned in self.operations
            if isinstance(planned.operation, Financials)
        ]

    @cached_property
    def columns(self) -> list[Column]:
        """What the updates would set, by field."""
        fields = [planned.operation.fields for planned in self.updates if isinstance(planned.operation, Update)]
        names = {tuple(values) for values in fields}
        sends = {planned.send for planned in self.updates}
        # Most changes set the same fields for every lead: then rows become columns without a look at each name.
        if len(names) == 1 and sends <= (names | {()}):
            columns = zip(*[values.values() for values in fields], strict=True)
            return [Column(name, self.updates, values) for name, values in zip(names.pop(), columns, strict=True)]
        return self._gathered(fields)

    def _gathered(self, fields: Sequence[Mapping[str, str]]) -> list[Column]:
        """Columns of updates that do not all send the same fields."""
        gathered: dict[str, tuple[list[PlannedOperation], list[str]]] = {}
        for planned, values in zip(self.updates, fields, strict=True):
            for name, value in values.items():
                if planned.sends(name):
                    operations, texts = gathered.setdefault(name, ([], []))
                    operations.append(planned)
                    texts.append(value)
        return [Column(name, *pair) for name, pair in gathered.items()]


def shape_of(value: str) -> str:
    """A value with its digits as 9 and its Latin letters as A or a."""
    return value.translate(_SHAPES)
