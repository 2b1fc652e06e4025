"""Leads that are returned and also sold, run again or restated by the same plan."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.operations import Kind, kind_of
from syncengine.documents.disk_spool import DiskSpool
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Example, Found, Rule, Sample, counted, in_change

_OTHERS = frozenset({Kind.TRIGGER, Kind.REPROCESS, Kind.FINANCIALS})
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
    kinds = _OTHERS | {Kind.RETURN}

    def __init__(self) -> None:
        self._others = array("Q")
        self._returns: DiskSpool[_Returned] = DiskSpool(_Returned)
        self._returned = 0

    def look(self, chunk: Chunk) -> None:
        last = self._others[-1] if self._others else 0
        for planned in chunk.operations:
            operation = planned.operation
            kind = kind_of(operation)
            if kind is Kind.RETURN:
                self._returned += 1
                key = (str(planned.changeset), planned.change)
                self._returns.put(_Returned(*key, planned.id, operation.lead, planned.origin))
            elif kind in _OTHERS and int(operation.lead) != last and int(operation.lead) < 1 << 64:
                last = int(operation.lead)
                self._others.append(last)

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
