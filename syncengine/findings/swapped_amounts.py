"""Payout and revenue that changed places."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import Kind
from syncengine.core.values import format_money
from syncengine.findings.operations import Amounts, Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

FEWEST = 10
SHARE_PERCENT = 20


def changed_places(amounts: Amounts) -> bool:
    """Whether each of the two becomes what the other one was."""
    payout, revenue = amounts.operation.payout, amounts.operation.revenue
    return (
        payout is not None
        and revenue is not None
        and payout != revenue
        and payout == amounts.revenue
        and revenue == amounts.payout
    )


def are_exceptions(inverted_count: int, declared: int) -> bool:
    """Whether payouts above revenue are so rare in a change that they must be slips."""
    return declared >= FEWEST and 0 < inverted_count * 100 < SHARE_PERCENT * declared


class SwappedAmounts(Rule):
    """Two reasons to believe that payout and revenue were mixed up; the change's own numbers decide on the second."""

    about = Description(
        name="swapped-amounts",
        severity="high",
        threshold="after payout = before revenue and after revenue = before payout, the two different; or payout above "
        f"revenue in under {SHARE_PERCENT} % of a change of {FEWEST} or more amounts. Not told as `negative-margin`",
        example="payout 120.00 and revenue 80.00 where all others have 80.00 and 120.00",
    )
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._declared = self._inverted = 0
        self._places = Sample()
        self._either = Sample()

    def look(self, chunk: Chunk) -> None:
        for amounts in chunk.money:
            payout, revenue = amounts.operation.payout, amounts.operation.revenue
            if payout is None or revenue is None:
                continue
            self._declared += 1
            places, above = changed_places(amounts), payout > revenue
            self._inverted += above
            if not (places or above):
                continue
            example = (amounts.planned, "payout", _money(amounts.payout), format_money(payout))
            if places:
                self._places.add(*example)
            self._either.add(*example)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        exceptions = are_exceptions(self._inverted, self._declared)
        sample = self._either if exceptions else self._places
        if sample.count:
            why = "payout and revenue look swapped"
            yield self.found(
                "high", f"{why} in {counted(sample.count, 'operation')} of {in_change(change)}", change, sample
            )
        self._begin()


def _money(amount: int | None) -> str | None:
    return None if amount is None else format_money(amount)
