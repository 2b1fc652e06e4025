"""Names and amounts that an account has on record; findings compare a plan with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from syncengine.core.values import parse_money
from syncengine.ledger.engine import Engine
from syncengine.ledger.rows import plain_values

_AMOUNTS = 1_000
_UPDATES = 20_000
"""Number of latest updates on record whose fields count as known."""


class AccountUsage:
    """Reads on demand, since most plans need none of it."""

    def __init__(self, engine: Engine, account: str) -> None:
        self._engine = engine
        self._account = account

    def fields(self) -> frozenset[str]:
        """Names of fields in the latest updates on record."""
        rows = self._engine.look("get_last_values", account=self._account, limit=_UPDATES)
        return frozenset(name for (values,) in rows for name in plain_values(values))

    def seen(self, what: str, targets: Collection[str]) -> frozenset[str]:
        """The subset of these deliveries or buyers that is on record."""
        return frozenset(target for target in sorted(targets) if self._is_seen(what, target))

    def _is_seen(self, what: str, target: str) -> bool:
        if what == "delivery":
            name, parameters = "has_delivery", {"delivery": target}
        else:
            stored = msgspec.json.encode({"buyer": f"={target}"}).decode()[1:-1]
            name, parameters = "has_buyer", {"pattern": f"%{_escaped(stored)}%"}
        return bool(self._engine.look(name, account=self._account, **parameters))

    def amounts(self, name: str) -> Sequence[int]:
        """The latest payouts or revenues on record, in hundredths."""
        pattern = f'%"{name}"%'
        rows = self._engine.look("get_last_amounts", account=self._account, pattern=pattern, limit=_AMOUNTS)
        stored = (plain_values(values).get(name, "") for (values,) in rows)
        amounts = (parse_money(form[1:]) for form in stored if form.startswith("="))
        return [amount for amount in amounts if amount is not None]


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
