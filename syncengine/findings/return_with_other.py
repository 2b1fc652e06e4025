"""Leads that are returned and also sold, run again or restated by the same plan."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.operations import Kind
from syncengine.core.values import is_quarantined
from syncengine.findings.disk_spool import DiskSpool
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Example, Found, Rule, Sample, counted, in_change

RETURN = "return"
_OTHERS = frozenset({"trigger", "reprocess", "financials"})
_PARTS_OF = 100_000


class _Returned(msgspec.Struct, array_like=True):
    changeset: str
    change: str
    operation: str
    lead: str
    origin: Origin


class ReturnWithOther(Rule):
    """Keeps the numbers of leads that are sold or restated, and the returns on disk; compared at the end, in parts."""

    about = Description(
        name="return-with-other",
        severity="high",
        threshold="a lead with a return that the plan also triggers, reprocesses or restates",
        example="lead 2932683 is returned to northwind and its payout is set",
    )
    kinds = frozenset(kind for kind in Kind if kind.value in _OTHERS | {RETURN})

    def __init__(self) -> None:
        self._others = array("Q")
        self._returns: DiskSpool[_Returned] = DiskSpool(_Returned)
        self._returned = 0

    def look(self, chunk: Chunk) -> None:
        if {kind.value for kind in chunk.kinds} & _OTHERS:
            last = self._others[-1] if self._others else 0
            for planned in chunk.operations:
                lead = planned.operation.lead
                if planned.operation.__class__.__name__ != "Update" and not is_quarantined(lead):
                    number = int(lead)
                    if number != last and number < 1 << 64:
                        self._others.append(number)
                        last = number
        else:
            for planned in chunk.operations:
                self._returned += 1
                self._returns.put(
                    _Returned(
                        str(planned.changeset), planned.change, planned.id, planned.operation.lead, planned.origin
                    )
                )

    def finish(self) -> Iterator[Found]:
        samples: dict[ChangeKey, Sample] = {}
        if self._returned and self._others:
            parts = 1 + self._returned // _PARTS_OF
            for part in range(parts):
                self._compare(part, parts, samples)
        self._returns.close()
        for change, sample in samples.items():
            leads = counted(sample.count, "lead")
            message = (
                f"{leads} of {in_change(change)} with a return that the plan also triggers, reprocesses or restates"
            )
            yield self.found("high", message, change, sample)

    def _compare(self, part: int, parts: int, samples: dict[ChangeKey, Sample]) -> None:
        here = [returned for returned in self._returns.read() if int(returned.lead) % parts == part]
        leads = {int(returned.lead) for returned in here}
        both = {number for number in self._others if number in leads}
        for returned in here:
            if int(returned.lead) in both:
                sample = samples.setdefault((returned.changeset, returned.change), Sample())
                key = (returned.changeset, returned.change)
                sample.keep(Example(returned.operation, returned.lead, returned.origin, *key))
