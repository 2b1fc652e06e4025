"""Money on one base: payout, revenue and margin before and after, over the leads where all four amounts are known."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncengine.core.operations import Financials
from syncengine.core.plan import PlannedOperation
from syncengine.documents.disk_spool import DiskSpool
from syncengine.reports.vocabulary import number, plural

_PARTS = 16
"""Amounts declared alone are joined by lead in parts, so that memory stays bounded."""


class MoneyRow(msgspec.Struct, frozen=True):
    """Sums in hundredths."""

    name: str
    before: int
    after: int

    @property
    def difference(self) -> int:
        """After less before."""
        return self.after - self.before

    @property
    def percent(self) -> str:
        """The difference in percent of what was before: "+11.1 %"; "" where that is zero."""
        return f"{self.difference / abs(self.before) * 100:+,.1f} %" if self.before else ""


class MoneyTable(msgspec.Struct, frozen=True, kw_only=True):
    """Payout, revenue and margin of the `leads` whose amounts are all known; of `unknown` leads some are not."""

    leads: int = 0
    unknown: int = 0
    rows: tuple[MoneyRow, ...] = ()

    @property
    def base_words(self) -> str:
        """Which leads the sums are of."""
        if not self.leads:
            return f"unknown: of no lead of {number(self.unknown)} are payout and revenue before known"
        told = f"over {plural(self.leads, 'lead')} with all amounts known"
        return f"{told}; {number(self.unknown)} more with unknown ones" if self.unknown else told

    def __bool__(self) -> bool:
        return bool(self.leads or self.unknown)


class _Alone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One amount declared without the other one, whose value before may be known."""

    lead: str
    is_payout: bool
    before: int | None
    after: int
    other: int | None


class MoneyBase:
    """Takes the operations that set amounts, then gives the table once."""

    def __init__(self) -> None:
        self._leads = self._unknown = 0
        self._before = [0, 0]
        self._after = [0, 0]
        self._alone: tuple[DiskSpool[_Alone], ...] = ()

    def add(self, planned: PlannedOperation, operation: Financials) -> None:
        """One operation that is to be sent."""
        payout, revenue = planned.amount_before("payout"), planned.amount_before("revenue")
        if operation.payout is not None and operation.revenue is not None:
            self._count(payout, revenue, operation.payout, operation.revenue)
        elif operation.payout is not None:
            self._keep(_Alone(operation.lead, True, payout, operation.payout, revenue))
        elif operation.revenue is not None:
            self._keep(_Alone(operation.lead, False, revenue, operation.revenue, payout))

    def _count(self, payout: int | None, revenue: int | None, new_payout: int | None, new_revenue: int | None) -> None:
        if payout is None or revenue is None or new_payout is None or new_revenue is None:
            self._unknown += 1
            return
        self._leads += 1
        self._before[0] += payout
        self._before[1] += revenue
        self._after[0] += new_payout
        self._after[1] += new_revenue

    def _keep(self, alone: _Alone) -> None:
        if not self._alone:
            self._alone = tuple(DiskSpool(_Alone) for _ in range(_PARTS))
        self._alone[hash(alone.lead) % _PARTS].put(alone)

    def _join(self, spool: DiskSpool[_Alone]) -> None:
        """Amounts of one lead that two operations set are one lead's."""
        by_lead: dict[str, dict[bool, _Alone]] = {}
        for alone in spool.read():
            by_lead.setdefault(alone.lead, {})[alone.is_payout] = alone
        for found in by_lead.values():
            old_payout, payout = _set_or_known(found, is_payout=True)
            old_revenue, revenue = _set_or_known(found, is_payout=False)
            self._count(old_payout, old_revenue, payout, revenue)

    def table(self) -> MoneyTable:
        """The sums; nothing can be added afterwards."""
        for spool in self._alone:
            self._join(spool)
            spool.close()
        self._alone = ()
        rows = [
            MoneyRow(name, self._before[index], self._after[index]) for index, name in enumerate(("payout", "revenue"))
        ]
        rows.append(MoneyRow("margin", self._before[1] - self._before[0], self._after[1] - self._after[0]))
        return MoneyTable(leads=self._leads, unknown=self._unknown, rows=tuple(rows) if self._leads else ())


def _set_or_known(found: Mapping[bool, _Alone], *, is_payout: bool) -> tuple[int | None, int | None]:
    """Before and after of one amount: as its own operation sets it, or as the operation of the other one knows it."""
    own, other = found.get(is_payout), found.get(not is_payout)
    if own is not None:
        return own.before, own.after
    known = None if other is None else other.other
    return known, known
