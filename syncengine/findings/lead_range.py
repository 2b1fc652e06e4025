"""Lead ids that are longer or shorter than the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from syncengine.core.values import is_quarantined
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, in_change

SHARE_PERCENT = 5
FEWEST = 20


class LeadRange(Rule):
    """Counts digits."""

    about = Description(
        name="lead-range",
        severity="medium",
        threshold=f"lead ids with a number of digits that under {SHARE_PERCENT} % of a change of {FEWEST} or more have",
        example="lead 293268 among 500 leads of seven digits",
    )

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._counts: Counter[int] = Counter()
        self._last = ""
        self._samples: dict[int, Sample] = {}

    def look(self, chunk: Chunk) -> None:
        leads = [planned.operation.lead for planned in chunk.operations]
        if is_quarantined(leads[0]):
            return
        counts = Counter(map(len, leads))
        if len(chunk.kinds) == 1:
            self._counts.update(counts)
        else:
            before = (self._last, *leads)
            self._counts.update(len(lead) for lead, last in zip(leads, before, strict=False) if lead != last)
        self._last = leads[-1]
        for length, count in counts.items():
            self._keep(length, count, chunk)

    def _keep(self, length: int, count: int, chunk: Chunk) -> None:
        sample = self._samples.setdefault(length, Sample())
        if sample.full:
            sample.count += count
            return
        for planned in chunk.operations:
            if len(planned.operation.lead) == length:
                sample.add(planned)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        total = self._counts.total()
        if total >= FEWEST and len(self._counts) > 1:
            usual = self._counts.most_common(1)[0][0]
            for length, count in sorted(self._counts.items()):
                if count * 100 < SHARE_PERCENT * total:
                    ids = "lead id has" if count == 1 else "lead ids have"
                    message = f"{count:,} {ids} {length} digits in {in_change(change)}, most have {usual}"
                    yield self.found("medium", message, change, self._samples[length])
        self._begin()
