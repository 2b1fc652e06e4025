"""Observed values, from a dated export or from the service, and whether they are still valid.

One rule serves plans and `drift`: an observation counts where it is newer than the ledger's last attempt on that field
or amount. See docs/decisions/0010-one-rule-for-observed-values.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Self

import msgspec

from syncengine.core.finding import Finding
from syncengine.core.history import LeadHistory
from syncengine.core.observations import MONEY, LeadExport, LeadReading, Observation, UnreadLead
from syncengine.core.operations import Kind
from syncengine.core.plan import Before
from syncengine.core.values import LeadId
from syncengine.planning.leadstore import LeadStore

_REASONS = 50
"""Distinct reasons that are counted separately."""


class Unseen(msgspec.Struct, frozen=True):
    """No observation counts: the first reason, and the service's where it could not be asked."""

    reason: str = ""
    unread: str = ""


_NO_COLUMN = Unseen("observations have no place for a field of this name: there it means the lead's money")


class ObservedValues:
    """Observations of fields and amounts without later attempts. Each lead is requested once.

    `reader` takes precedence over `export`, since it is newer. Closing removes the temporary files.
    """

    def __init__(self, *, export: LeadExport | None = None, reader: LeadReading | None = None) -> None:
        self._export = export
        self._reader = reader
        self._read = LeadStore() if reader is not None else None
        self._outdated = 0
        self._unread: Counter[str] = Counter()

    def of(self, lead: LeadId, kind: Kind, name: str, history: LeadHistory) -> Observation | Unseen:
        """An observation of the lead that shows this field or amount and counts, or the reason why there is none."""
        if kind is Kind.UPDATE and name in MONEY:
            return _NO_COLUMN
        since = history.last_attempt_at(kind, name)
        unread = ""
        found: Observation | str = ""
        if self._reader is not None:
            asked = self._asked(lead)
            if isinstance(asked, UnreadLead):
                found = unread = asked.reason
            else:
                found = _why_not(asked, name, since, "what the service says") or asked
        # An export is older than a read, so it is asked only where the read says nothing.
        if isinstance(found, str) and self._export is not None:
            exported = self._exported(self._export, lead, name, since)
            found = exported if isinstance(exported, Observation) else found or exported
        return found if isinstance(found, Observation) else Unseen(found, unread)

    def _exported(self, export: LeadExport, lead: LeadId, name: str, since: str) -> Observation | str:
        """The export's observation, or why it does not count."""
        exported = export.get(lead)
        if exported is None:
            return "the lead is not in the export"
        reason = _why_not(exported, name, since, "the export")
        self._outdated += bool(reason) and name in exported.values
        return reason or exported

    def before(self, lead: LeadId, kind: Kind, name: str, history: LeadHistory) -> Before | None:
        """The value before, as a plan shows it; origin "unknown" with the reason where the service did not return
        it."""
        seen = self.of(lead, kind, name, history)
        if isinstance(seen, Observation):
            return Before(origin="observed", value=seen.values[name], by=seen.by)
        return Before(origin="unknown", note=seen.unread) if seen.unread else None

    def knows(self, lead: LeadId) -> bool:
        """Whether the export contains the lead."""
        return self._export is not None and self._export.get(lead) is not None

    def findings(self) -> Iterator[Finding]:
        """Findings on observations that do not count."""
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
        """Notes on values that could not be observed."""
        return tuple(
            f"{count} {'lead' if count == 1 else 'leads'} could not be read from the service: {reason}"
            for reason, count in self._unread.most_common(5)
        )

    def close(self) -> None:
        """Delete what was read. The owner of the export closes it."""
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


def _why_not(seen: Observation, name: str, since: str, where: str) -> str:
    """Why this observation says nothing about a field or amount last attempted at `since`; "" where it does."""
    if name not in seen.values:
        return f"{where} does not show it"
    if seen.at <= since:
        return f"{where} is not younger than the last write; look again later"
    return ""
