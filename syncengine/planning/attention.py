"""What a reviewer must look at: folded as operations stream by, in bounded memory, told with places and numbers.

Nothing here stops a plan; policy does. See docs/attention.md for every rule and its thresholds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, KeysView

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.history import touch_of
from syncengine.core.operations import IRREVERSIBLE, Kind, Update, kind_of, target_of
from syncengine.core.plan import PlannedOperation, State
from syncengine.planning.build import Watcher
from syncengine.planning.spelling import near
from syncengine.planning.unusual import UnusualAmounts, UnusualTargets
from syncengine.planning.watching import BESIDE_DOUBT, OPEN, change_words, limited, of_leads, place

_PAIRS = 500
"""Pairs of changes whose common leads are counted apart."""
_NAMES = 1_000
"""Field names that are compared with each other."""


def attention(known_fields: Collection[str] | None = None) -> tuple[Watcher, ...]:
    """Every rule that depends on nothing but the operations. `known_fields` are those of the account's lead schema."""
    return (BesideDoubt(), DoneBefore(), UnusualTargets(), UnusualAmounts(), FieldNames(known_fields))


class BesideDoubt:
    """Updates that go on although the lead has an irreversible operation in doubt, which holds everything else."""

    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[int, str]] = {}

    def see(self, planned: PlannedOperation) -> None:
        """One operation, in order."""
        if not planned.reason or planned.state is not State.TO_SEND or not planned.reason.endswith(BESIDE_DOUBT):
            return
        change = (planned.changeset, planned.change)
        if change not in self._found and len(self._found) >= _PAIRS:
            change = (planned.changeset, "")
        count, example = self._found.get(change, (0, f"lead {planned.operation.lead}; {place(planned.origin)}"))
        self._found[change] = (count + 1, example)

    def warnings(self) -> tuple[str, ...]:
        """One line for each change."""
        return limited(
            f"{of_leads(count)} of {change_words(*change)} {'has' if count == 1 else 'have'} an irreversible operation "
            f"in doubt, and would be updated all the same: {example}"
            for change, (count, example) in self._found.items()
        )


class DoneBefore:
    """Irreversible operations that were done for the same lead before, by other operations."""

    kinds = IRREVERSIBLE

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], tuple[int, str]] = {}

    def see(self, planned: PlannedOperation) -> None:
        """One operation, in order."""
        if not planned.done or planned.state not in OPEN:
            return
        operation = planned.operation
        touch = touch_of(kind_of(operation), target_of(operation))
        what = {"quarantine": "the release or rejection", "reprocess": "the reprocess"}.get(touch, touch)
        key = (what, planned.changeset, planned.change, planned.state.value)
        if key not in self._found and len(self._found) >= _PAIRS:
            key = ("something irreversible", planned.changeset, "", planned.state.value)
        known = self._found.get(key)
        if known is None:
            times = f", {len(planned.done)} times, last" if len(planned.done) > 1 else ""
            self._found[key] = (
                1,
                f"lead {operation.lead}{times} by run {planned.done[-1]}; {place(planned.origin)}",
            )
        else:
            self._found[key] = (known[0] + 1, known[1])

    def warnings(self) -> tuple[str, ...]:
        """One line for each thing and change."""
        return limited(
            f"{what} was done before for {of_leads(count)} of {change_words(changeset, change)}, {_state(state)}: "
            f"{example}"
            for (what, changeset, change, state), (count, example) in self._found.items()
        )


def _state(state: str) -> str:
    return "and would be done again" if state == State.TO_SEND.value else f"now {state}"


class _Name(msgspec.Struct):
    change: tuple[str, str]
    changes: int
    operations: int
    open: bool
    origin: Origin
    lead: str


class FieldNames:
    """Fields that no other change uses and whose name looks like a slip, and fields that the schema does not know."""

    kinds = frozenset({Kind.UPDATE})

    def __init__(self, known: Collection[str] | None) -> None:
        self._known = None if known is None else frozenset(known)
        self._names: dict[str, _Name] = {}
        self._last: PlannedOperation | None = None
        self._fields: KeysView[str] = {}.keys()
        self._alike = 0

    def see(self, planned: PlannedOperation) -> None:
        """One operation, in order."""
        operation, last = planned.operation, self._last
        if not isinstance(operation, Update):
            return
        # Most operations set the same fields as the one before: those are counted, and told apart no further.
        if (
            last is not None
            and operation.fields.keys() == self._fields
            and planned.state is last.state
            and planned.change == last.change
            and planned.changeset == last.changeset
        ):
            self._alike += 1
            return
        self._count()
        self._last, self._fields, self._alike = planned, operation.fields.keys(), 1
        change = (planned.changeset, planned.change)
        for field in operation.fields:
            name = self._names.get(field)
            if name is None:
                if len(self._names) < _NAMES:
                    self._names[field] = _Name(change, 1, 0, planned.state in OPEN, planned.origin, operation.lead)
                continue
            name.open = name.open or planned.state in OPEN
            if name.change != change:
                name.changes += 1
                name.change = change

    def _count(self) -> None:
        for field in self._fields:
            name = self._names.get(field)
            if name is not None:
                name.operations += self._alike
        self._alike = 0

    def warnings(self) -> tuple[str, ...]:
        """One line for each field."""
        self._count()
        return limited(self._lines())

    def _lines(self) -> Iterator[str]:
        for field, name in self._names.items():
            if not name.open:
                continue
            where = f"{change_words(*name.change)} ({of_leads(name.operations)}), {place(name.origin)}"
            like = self._like(field, name) if name.changes == 1 else ""
            if like:
                yield f"field '{field}' is used in one change only and looks like '{like}': {where}"
            elif self._known is not None and field not in self._known:
                yield f"field '{field}' is unknown to the account's lead schema: {where}"

    def _like(self, field: str, name: _Name) -> str:
        for other, its in self._names.items():
            if other == field or not near(field, other):
                continue
            # Of two that are both used once, the rarer is the slip; with equal numbers the later one.
            if its.changes > 1 or its.operations >= name.operations:
                if its.changes == 1 and its.operations == name.operations and self._is_later(other, field):
                    continue
                return other
        if self._known is not None and field not in self._known:
            return next((other for other in sorted(self._known) if near(field, other)), "")
        return ""

    def _is_later(self, field: str, other: str) -> bool:
        order = list(self._names)
        return order.index(field) > order.index(other)
