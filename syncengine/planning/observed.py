"""Values that were seen, in a dated export or by asking the service, against what the ledger knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol, Self

from syncengine.core.finding import Finding
from syncengine.core.history import LeadHistory, Standing
from syncengine.core.observations import MONEY, Observation, UnreadLead
from syncengine.core.operations import Kind
from syncengine.core.plan import Before
from syncengine.core.values import LeadId
from syncengine.planning.export import ObservedExport
from syncengine.planning.leadstore import LeadStore

_REASONS = 50
"""Different reasons that are counted apart."""
_NEVER = "9999"
"""Later than any time."""


class LeadReading(Protocol):
    """Asks the service about one lead."""

    def read(self, lead: LeadId) -> Observation | UnreadLead:
        """What it holds now, or why that is not known."""
        ...


class Sightings:
    """The `observed` hook of a plan: what was seen of a field or amount, where nothing was sent for it since.

    `reader` comes before `export`: it is younger. Close it to give the temporary files back.
    """

    def __init__(self, *, export: ObservedExport | None = None, reader: LeadReading | None = None) -> None:
        self._export = export
        self._reader = reader
        self._read = LeadStore() if reader is not None else None
        self._outdated = 0
        self._unread: Counter[str] = Counter()

    def __call__(self, lead: LeadId, kind: Kind, name: str, history: LeadHistory) -> Before | None:
        """The value seen; origin "unknown" with the reason where the service could not be asked."""
        if kind is Kind.UPDATE and name in MONEY:
            return None
        last = _last_attempt(history, kind, name)
        missing = None
        if self._reader is not None:
            found = self._asked(lead)
            if isinstance(found, UnreadLead):
                missing = Before(origin="unknown", note=found.reason)
            elif name in found.values and found.at > last:
                return Before(origin="observed", value=found.values[name], by=found.by)
        if self._export is not None:
            exported = self._export.get(lead)
            if exported is not None and name in exported.values:
                if exported.at > last:
                    return Before(origin="observed", value=exported.values[name], by=exported.by)
                self._outdated += 1
        return missing

    def knows(self, lead: LeadId) -> bool:
        """Whether the export holds the lead."""
        return self._export is not None and self._export.get(lead) is not None

    def findings(self) -> Iterator[Finding]:
        """What was seen and does not count."""
        if self._outdated and self._export is not None:
            values = "value is" if self._outdated == 1 else "values are"
            yield Finding(
                rule="stale-observation",
                severity="medium",
                message=f"{self._export.label}: {self._outdated:,} observed {values} not younger than what was sent "
                "for the same field, and ignored; make a newer export",
                count=self._outdated,
            )

    def notes(self) -> tuple[str, ...]:
        """What could not be seen."""
        return tuple(
            f"{count} {'lead' if count == 1 else 'leads'} could not be read from the service: {reason}"
            for reason, count in self._unread.most_common(5)
        )

    def close(self) -> None:
        """Drop what was read; the export is its owner's to close."""
        if self._read is not None:
            self._read.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(self, lead: LeadId) -> Observation | UnreadLead:
        assert self._reader is not None
        assert self._read is not None
        known = self._read.get(lead)
        if known is None:
            known = self._reader.read(lead)
            self._read.add(lead, known)
            if isinstance(known, UnreadLead):
                self._unread[known.reason if len(self._unread) < _REASONS else "other reasons"] += 1
        return known


def _last_attempt(history: LeadHistory, kind: Kind, name: str) -> str:
    """When something last happened to this field: the answer counts, since the value may have landed up to then."""
    last = ""
    for attempt in history.attempts:
        if attempt.kind is kind and name in attempt.values:
            if attempt.standing is Standing.IN_FLIGHT:
                return _NEVER
            last = max(last, attempt.at, attempt.answer.at if attempt.answer is not None else "")
    return last
