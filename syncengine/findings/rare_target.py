"""Buyers and deliveries that hardly any lead of a change has."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.finding import SHOWN
from syncengine.core.operations import Financials, Kind, Return, Trigger
from syncengine.core.plan import PlannedOperation
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

MOST_LEADS = 3
RARE_PERCENT = 2
MOST_TOLD = 3
_TARGETS = 2_000
"""Different targets of one change that are distinguished: where there are more, none is an exception."""


class RareTarget(Rule):
    """Counts the leads of each buyer and each delivery."""

    about = Description(
        name="rare-target",
        severity="medium, info",
        threshold=f"a buyer or delivery with at most {MOST_LEADS} leads and under {RARE_PERCENT} % of a change; "
        "more than "
        f"{MOST_TOLD} such: one info",
        example="buyer 41 for one lead of 500, whose others have buyer 33",
    )
    kinds = frozenset({Kind.FINANCIALS, Kind.TRIGGER, Kind.RETURN})

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._leads = {"buyer": 0, "delivery": 0}
        self._last = {"buyer": "", "delivery": ""}
        self._targets: dict[tuple[str, str], Sample] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._many = False

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.operations:
            operation = planned.operation
            if operation.__class__ is Trigger:
                self._count("delivery", operation.delivery, None, planned)
            elif isinstance(operation, Financials | Return) and operation.buyer is not None:
                self._count("buyer", operation.buyer, planned.value_before("buyer"), planned)

    def _count(self, what: str, target: str, before: str | None, planned: PlannedOperation) -> None:
        lead = planned.operation.lead
        if lead != self._last[what]:
            self._last[what] = lead
            self._leads[what] += 1
        sample = self._targets.get((what, target))
        if sample is None:
            if len(self._targets) >= _TARGETS:
                self._many = True
                return
            sample = self._targets[what, target] = Sample()
            self._names.update(((what, target), use.name) for use in planned.names if use.target == target)
        if sample.count < SHOWN:
            sample.add(planned, what, before, target)
        else:
            sample.count += 1

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        rare = [] if self._many else list(self._rare())
        if len(rare) > MOST_TOLD:
            whole = Sample()
            for _, _, sample in rare:
                whole.count += sample.count
                whole.examples += sample.examples[: SHOWN - len(whole.examples)]
            message = (
                f"{len(rare)} buyers or deliveries have at most {MOST_LEADS} leads and under {RARE_PERCENT} % of "
                f"{in_change(change)} each"
            )
            yield self.found("info", message, change, whole)
        else:
            for what, target, sample in rare:
                name = self._names.get((what, target))
                label = f"{target} ({name})" if name else target
                leads = counted(self._leads[what], "lead")
                message = f"{what} {label} for only {sample.count} of {leads} in {in_change(change)}"
                yield self.found("medium", message, change, sample)
        self._begin()

    def _rare(self) -> Iterator[tuple[str, str, Sample]]:
        for (what, target), sample in self._targets.items():
            if sample.count <= MOST_LEADS and sample.count * 100 < RARE_PERCENT * self._leads[what]:
                yield what, target, sample
