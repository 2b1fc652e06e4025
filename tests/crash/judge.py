"""The judge: the ledger's claims against the service's own log of effects."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any

import msgspec

from syncengine.core.ports import OperationRecord

from .scenario import Wanted, lead_of


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was found wrong, each as a sentence. All three empty: every promise held."""

    doubled: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    false_claims: tuple[str, ...] = ()

    @property
    def wrong(self) -> tuple[str, ...]:
        """Everything."""
        return (
            *(f"doubled: {each}" for each in self.doubled),
            *(f"lost: {each}" for each in self.lost),
            *(f"false claim: {each}" for each in self.false_claims),
        )


def judge(
    wanted: list[Wanted],
    records: list[OperationRecord],
    effects: list[dict[str, Any]],
    *,
    finished: bool,
    were_in_doubt: Collection[str] = (),
) -> Verdict:
    """Compare. `finished`: a run ended by itself, so that nothing may be left without an account.

    Doubled: one irreversible effect twice. Lost: an operation without an outcome, though nothing of its lead was
    rejected or is in doubt, or was in doubt when the run ended (`were_in_doubt`: leads; a late answer may have settled
    it since). False: applied without an effect, or an effect of what is rejected, not sent, or unknown to the ledger.
    """
    by_lead: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for effect in effects:
        by_lead[lead_of(effect)].append(effect)
    outcomes = {record.operation: record.outcome for record in records}
    stopped = {record.lead for record in records if record.outcome in ("rejected", "in_doubt")}.union(were_in_doubt)
    lost: list[str] = []
    false: list[str] = []
    for each in wanted:
        outcome = outcomes.get(each.id)
        count = each.effects(by_lead[each.lead])
        if outcome == "applied" and not count:
            false.append(f"{each.name} is on record as applied and was never done")
        if outcome in ("rejected", "not_sent", None) and count:
            false.append(f"{each.name} was done and is on record as {outcome or 'never intended'}")
        if finished and outcome in (None, "not_sent") and each.lead not in stopped:
            lost.append(f"{each.name} is {outcome or 'nowhere'}")
    return Verdict(doubled=tuple(_doubled(effects)), lost=tuple(lost), false_claims=tuple(false))


def _doubled(effects: list[dict[str, Any]]) -> list[str]:
    counts = Counter(
        (effect["effect"], effect["lead"], effect.get("delivery") or "")
        for effect in effects
        if effect["effect"] in ("trigger", "reprocess", "release", "reject")
    )
    return [f"{' '.join(thing).strip()} was done {count} times" for thing, count in counts.items() if count > 1]
