"""A mixed plan: all kinds of operations, several entries for one lead, leads in quarantine, and leads nobody knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from syncengine.core.operations import IRREVERSIBLE, Kind, Update, kind_of, target_of, values_of
from syncengine.core.values import OperationId
from syncengine.planning import open_plan

CHANGESET = "kill-anywhere"
_FIRST = 7_000_001
_SHAPES = 12
_IN_QUARANTINE = (10, 11)
_UNKNOWN_EVERY = 23
"""Every so many leads one is unknown to the service, so that refusals are among the answers."""


def changes_of(leads: int) -> list[dict[str, Any]]:
    """The changes for so many leads, in turn of every shape."""
    changes: list[dict[str, Any]] = []
    for number in range(leads):
        lead = str(_FIRST + number)
        update = {"postcode": f"TN{number} 6QD", "c1": f"first {number}"}
        shapes: list[list[dict[str, Any]]] = [
            [{"update": update}],
            [{"update": {"c2": "x"}}],
            [{"update": update, "action": "reprocess"}],
            [{"action": "reprocess"}],
            [{"update": update, "trigger": ["1053"]}],
            [{"update": update, "trigger": ["1053", "1054"]}],
            [{"financials": {"payout": f"{number}.50", "revenue": f"{2 * number}.00", "buyer": "33"}}],
            [{"update": update, "trigger": ["1054"], "financials": {"revenue": f"{number}.25"}}],
            [{"update": update, "trigger": ["1053"]}, {"update": {"c3": "later"}, "trigger": ["1054"]}],
            [{"update": update}, {"update": {"c3": "later"}, "action": "reprocess"}, {"financials": {"payout": "7"}}],
            [{"update": update, "action": "release"}],
            [{"action": "reject"}],
        ]
        address = "quarantined" if number % _SHAPES in _IN_QUARANTINE else "lead"
        changes += [{address: lead, **change} for change in shapes[number % _SHAPES]]
    return changes


def write_leads(path: Path, leads: int) -> None:
    """The leads that the service knows. Of a refused lead with two deliveries nobody knows which happened, so those
    shapes are always known: otherwise such a scenario would have no end."""
    known = [
        f"{_FIRST + number},{'quarantined' if number % _SHAPES in _IN_QUARANTINE else 'approved'}"
        for number in range(leads)
        if number % _UNKNOWN_EVERY != 1 or number % _SHAPES == 5  # shape 5: two deliveries in one entry
    ]
    path.write_text("\n".join(["id,state", *known, ""]))


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the plan, and what its effect would look like in the sandbox's log."""

    id: OperationId
    lead: str
    kind: Kind
    delivery: str
    fields: dict[str, str]
    amounts: dict[str, str]

    @property
    def irreversible(self) -> bool:
        """Whether a second one would be a second one."""
        return self.kind in IRREVERSIBLE

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.kind.value} {self.lead} {self.delivery}".strip()

    def effects(self, done: list[dict[str, Any]]) -> int:
        """How often it was done, given the effects on its lead."""
        return sum(self._is(effect) for effect in done)

    def _is(self, effect: dict[str, Any]) -> bool:
        if effect["effect"] != self.kind.value or (effect.get("delivery") or "") != self.delivery:
            return False
        if self.kind is Kind.UPDATE:
            return self.fields.items() <= effect["fields"].items()
        return all(effect.get(name) == value for name, value in self.amounts.items())


def lead_of(effect: dict[str, Any]) -> str:
    """The lead of an effect as the ledger names it: the sandbox writes q123 for the lead with quarantine id 123."""
    return str(effect["lead"]).replace("q", "quarantined:")


def wanted_of(plan: Path) -> list[Wanted]:
    """Every operation of a saved plan. Raises a Refusal where the file is not a whole plan."""
    wanted: list[Wanted] = []
    with open_plan(plan) as saved:
        for planned in saved.operations():
            operation = planned.operation
            wanted.append(
                Wanted(
                    id=planned.id,
                    lead=operation.lead,
                    kind=kind_of(operation),
                    delivery=target_of(operation),
                    fields=dict(operation.fields) if isinstance(operation, Update) else {},
                    amounts={} if isinstance(operation, Update) else values_of(operation),
                )
            )
    return wanted
