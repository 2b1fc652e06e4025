"""Deliveries and buyers that neither the account nor the ledger knows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from syncengine.core.operations import Financials, Kind, Return, Trigger
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

_TARGETS = 2_000


class UnknownTarget(Rule):
    """`named` are the ids that the account gives names to; `seen` asks the ledger for those on record."""

    about = Description(
        name="unknown-target",
        severity="high",
        threshold="a delivery or buyer that the account does not name and the ledger has never seen; silent where the "
        "ledger counts as empty",
        example="delivery 1503, where the account names 1053",
    )
    kinds = frozenset({Kind.TRIGGER, Kind.FINANCIALS, Kind.RETURN})

    def __init__(
        self, named: Mapping[str, Collection[str]], seen: Callable[[str, Collection[str]], Collection[str]]
    ) -> None:
        self._named = {what: frozenset(ids) for what, ids in named.items()}
        self._seen = seen
        self._targets: dict[tuple[str, str, ChangeKey], Sample] = {}

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.operations:
            operation = planned.operation
            match operation:
                case Trigger(delivery=target):
                    what = "delivery"
                case Financials(buyer=target) | Return(buyer=target) if target is not None:
                    what = "buyer"
                case _:
                    continue
            if target in self._named[what]:
                continue
            key = (what, str(target), chunk.change)
            sample = self._targets.get(key)
            if sample is None:
                if len(self._targets) >= _TARGETS:
                    continue
                sample = self._targets[key] = Sample()
            if sample.full:
                sample.count += 1
            else:
                sample.add(planned, what, None, target)

    def finish(self) -> Iterator[Found]:
        if not self._targets:
            return
        seen = {what: self._seen_of(what) for what in self._named}
        for (what, target, change), sample in self._targets.items():
            if target not in seen[what]:
                message = (
                    f"{what} {target} is not named by the account and was never used before "
                    f"({counted(sample.count, 'operation')} of {in_change(change)})"
                )
                yield self.found("high", message, change, sample)

    def _seen_of(self, what: str) -> Collection[str]:
        asked = {target for of, target, _ in self._targets if of == what}
        return frozenset(self._seen(what, asked)) if asked else frozenset()
