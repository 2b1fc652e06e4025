"""Leads whose buyer changes in a change that otherwise keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import Kind
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, in_change

SHARE_PERCENT = 20


class BuyerChanged(Rule):
    """Compares declared buyers with those before, where they are known."""

    about = Description(
        name="buyer-changed",
        severity="medium",
        threshold=f"the buyer differs from the one before in under {SHARE_PERCENT} % of a change whose others keep "
        "theirs",
        example="two leads of 100 move from buyer 33 to buyer 34",
    )
    kinds = frozenset({Kind.FINANCIALS})

    def __init__(self) -> None:
        self._known = 0
        self._changed = Sample()

    def look(self, chunk: Chunk) -> None:
        for amounts in chunk.money:
            buyer, before = amounts.operation.buyer, amounts.planned.value_before("buyer")
            if buyer is None or before is None:
                continue
            self._known += 1
            if buyer != before:
                self._changed.add(amounts.planned, "buyer", before, buyer)

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        changed = self._changed
        if changed.count and changed.count * 100 < SHARE_PERCENT * self._known:
            leads = "1 lead" if changed.count == 1 else f"{changed.count:,} leads"
            others = self._known - changed.count
            message = f"the buyer of {leads} changes in {in_change(change)}, whose other {others:,} keep theirs"
            yield self.found("medium", message, change, changed)
        self._known, self._changed = 0, Sample()
