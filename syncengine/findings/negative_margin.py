"""Leads that would cost more than they earn, and plans that lose much of their margin."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.finding import SHOWN
from syncengine.core.operations import Financials, Kind
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import format_money, margin_of
from syncengine.documents.disk_spool import DiskSpool
from syncengine.findings.operations import Amounts, Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change
from syncengine.findings.swapped_amounts import are_exceptions, changed_places

FALL_PERCENT = 20
_PARTS = 16


class NegativeMargin(Rule):
    """Operations that set both amounts are judged with their change; those that set one wait for the plan's end.

    They wait on disk, and are joined by lead in parts, so that memory stays bounded.
    """

    about = Description(
        name="negative-margin",
        severity="high, medium",
        threshold="high: an operation takes its lead's margin (revenue minus payout; the undeclared one as another "
        "operation of the plan sets it, else as before) below zero, or further below. Medium: the plan's total known "
        f"margin falls by more than {FALL_PERCENT} % from a positive before",
        example="payout 120.00 with a revenue of 80.00",
    )
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        self._single = DiskSpool(PlannedOperation)
        self._names: set[str] = set()
        self._total = _Sums()
        self._swapped = 0
        self._begin()

    def _begin(self) -> None:
        self._declared = self._inverted = 0
        self._plain = Sample()
        self._above = _Sums()

    def look(self, chunk: Chunk) -> None:
        for amounts in chunk.money:
            payout, revenue = amounts.operation.payout, amounts.operation.revenue
            if payout is None or revenue is None:
                self._names.add("payout" if revenue is None else "revenue")
                self._single.put(amounts.planned)
            else:
                self._declared += 1
                self._judge_both(amounts, revenue - payout)

    def _judge_both(self, amounts: Amounts, after: int) -> None:
        before = margin_of(amounts.payout, amounts.revenue)
        swapped = bool(changed_places(amounts))
        if swapped:
            self._swapped += 1
        else:
            (self._total if after >= 0 else self._above).add(amounts.planned, before, after)
        if after < 0:
            self._inverted += 1
            if not swapped and _falls(before, after):
                self._plain.add(amounts.planned, "margin", _money(before), format_money(after))

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        # Rare ones are slips: swapped-amounts tells them.
        if are_exceptions(self._inverted, self._declared):
            self._swapped += self._above.count
        else:
            self._total.join(self._above)
            if self._plain.count:
                yield self._below_zero(change, self._plain)
        self._begin()

    def finish(self) -> Iterator[Found]:
        yield from self._of_single_amounts()
        before, after = self._total.before, self._total.after
        if before > 0 and (before - after) * 100 > FALL_PERCENT * before:
            message = (
                f"the margin of all leads with known amounts falls from {format_money(before)} to "
                f"{format_money(after)} ({100 * (after - before) / before:.0f} %)"
            )
            if self._swapped:
                message += f", without {counted(self._swapped, 'operation')} whose amounts look swapped"
            yield self.found("medium", message, (None, None), self._total.falling)

    def _of_single_amounts(self) -> Iterator[Found]:
        samples: dict[ChangeKey, Sample] = {}
        parts = range(_PARTS) if len(self._names) > 1 else (None,)
        for part in parts:
            others = self._declared_elsewhere(part)
            for planned in self._single.read():
                if part is None or hash(planned.operation.lead) % _PARTS == part:
                    self._judge_single(planned, others, samples)
        self._single.close()
        for change, sample in samples.items():
            if sample.count:
                yield self._below_zero(change, sample)

    def _declared_elsewhere(self, part: int | None) -> dict[tuple[str, str], int]:
        """Amounts by lead and name, where the plan holds operations that set the one and the other alone."""
        if part is None:
            return {}
        found: dict[tuple[str, str], int] = {}
        for planned in self._single.read():
            operation = planned.operation
            if isinstance(operation, Financials) and hash(operation.lead) % _PARTS == part:
                name, amount = _only(operation)
                found[operation.lead, name] = amount
        return found

    def _judge_single(
        self, planned: PlannedOperation, others: dict[tuple[str, str], int], samples: dict[ChangeKey, Sample]
    ) -> None:
        operation = planned.operation
        if not isinstance(operation, Financials):
            return
        amounts = Amounts(planned, operation)
        name, amount = _only(operation)
        other = "revenue" if name == "payout" else "payout"
        declared = others.get((operation.lead, other))
        beside = amounts.before(other) if declared is None else declared
        if beside is None:
            return
        before = margin_of(amounts.payout, amounts.revenue)
        after = beside - amount if name == "payout" else amount - beside
        if declared is None or name == "payout":
            self._total.add(planned, before, after)
        if after < 0 and _falls(before, after):
            change = (str(planned.changeset), planned.change)
            samples.setdefault(change, Sample()).add(planned, "margin", _money(before), format_money(after))

    def _below_zero(self, change: ChangeKey, sample: Sample) -> Found:
        verb = "takes its lead's margin" if sample.count == 1 else "take their leads' margin"
        message = f"{counted(sample.count, 'operation')} of {in_change(change)} {verb} below zero"
        return self.found("high", message, change, sample)


class _Sums:
    """Known margins before and after, and the operations that lower them."""

    def __init__(self) -> None:
        self.count = self.before = self.after = 0
        self.falling = Sample()

    def add(self, planned: PlannedOperation, before: int | None, after: int) -> None:
        self.count += 1
        if before is not None:
            if after < before:
                self.falling.add(planned, "margin", _money(before), format_money(after))
            self.before += before
            self.after += after

    def join(self, other: _Sums) -> None:
        self.before += other.before
        self.after += other.after
        self.falling.count += other.falling.count
        self.falling.examples = [*self.falling.examples, *other.falling.examples][:SHOWN]


def _only(operation: Financials) -> tuple[str, int]:
    if operation.payout is not None:
        return "payout", operation.payout
    return "revenue", operation.revenue or 0


def _falls(before: int | None, after: int) -> bool:
    return before is None or after < before


def _money(amount: int | None) -> str | None:
    return None if amount is None else format_money(amount)
