"""Irreversible operations that the lead had already."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import IRREVERSIBLE, SPECS, Kind, generation_of, kind_of, target_of
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, in_change

_TOLD_APART = 500


class DoneBefore(Rule):
    """The plan says of each line which runs did the same before."""

    about = Description(
        name="done-before",
        severity="high, medium",
        threshold="a delivery, reprocess, release, rejection or return that this lead had already (its `rerun`, where "
        "there is one, is named: then medium)",
        example="delivery 1053 was done before for 3 leads",
    )
    kinds = frozenset(kind for kind in Kind if kind in IRREVERSIBLE)

    def __init__(self) -> None:
        self._samples: dict[tuple[str, int], Sample] = {}
        self._last: dict[tuple[str, int], str] = {}

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.operations:
            if not planned.done:
                continue
            kind, target = kind_of(planned.operation), target_of(planned.operation)
            what = SPECS[kind].touch.format(target=target) if target else SPECS[kind].the
            key = (what, generation_of(planned.operation))
            if key not in self._samples and len(self._samples) >= _TOLD_APART:
                key = ("something irreversible", key[1])
            self._samples.setdefault(key, Sample()).add(planned)
            self._last.setdefault(key, planned.done[-1])

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for key, sample in self._samples.items():
            what, generation = key
            leads = "1 lead" if sample.count == 1 else f"{sample.count:,} leads"
            again = f" (rerun {generation})" if generation > 1 else ""
            message = f"{what} was done before for {leads} of {in_change(change)}{again}, last by run {self._last[key]}"
            yield self.found("medium" if generation > 1 else "high", message, change, sample)
        self._samples, self._last = {}, {}
