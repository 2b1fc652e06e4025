"""Leads that the observed export does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from syncengine.core.plan import PlannedOperation
from syncengine.core.values import LeadId
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

KNOWN_PERCENT = 95
_CHANGES = 1_000


class LeadUnknown(Rule):
    """Told of each lead once, by `meet`. What it finds is recorded in the plan and covered by its digest."""

    about = Description(
        name="lead-unknown",
        severity="high",
        threshold=f"a lead that is not in the observed export, where {KNOWN_PERCENT} % of the plan's leads are",
        example="lead 2932638 is not in the export: two digits changed places",
    )

    def __init__(self, is_known: Callable[[LeadId], bool]) -> None:
        self._is_known = is_known
        self._leads = 0
        self._unknown: dict[ChangeKey, Sample] = {}

    def meet(self, planned: PlannedOperation) -> None:
        """The first operation of a lead."""
        self._leads += 1
        if not self._is_known(planned.operation.lead):
            change = (str(planned.changeset), planned.change)
            if change not in self._unknown and len(self._unknown) >= _CHANGES:
                change = (str(planned.changeset), "")
            self._unknown.setdefault(change, Sample()).add(planned)

    def finish(self) -> Iterator[Found]:
        unknown = sum(sample.count for sample in self._unknown.values())
        if not unknown or (self._leads - unknown) * 100 < KNOWN_PERCENT * self._leads:
            return
        for change, sample in self._unknown.items():
            are = "is" if sample.count == 1 else "are"
            message = f"{counted(sample.count, 'lead')} of {in_change(change)} {are} not in the observed export"
            yield self.found("high", message, change, sample)
