"""Updates of leads that have an irreversible operation in doubt."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import Kind
from syncengine.core.plan import State
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change


class BesideDoubt(Rule):
    """The doubt holds everything else of the lead; updates go on."""

    about = Description(
        name="beside-doubt",
        severity="medium",
        threshold="updates that go on although an irreversible operation of their lead is in doubt",
        example="the delivery of lead 2932683 is in doubt, and its postcode would be updated",
    )
    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._sample = Sample()

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.updates:
            if planned.beside_doubt and planned.state is State.TO_SEND:
                self._sample.add(planned)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        count = self._sample.count
        if count:
            have = "has" if count == 1 else "have"
            message = (
                f"{counted(count, 'lead')} of {in_change(change)} {have} an irreversible operation in doubt, and would "
                "be updated all the same"
            )
            yield self.found("medium", message, change, self._sample)
        self._sample = Sample()
