"""What a plan does, folded: per change, per field, per kind. Memory is bounded whatever the number of operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from syncengine.core.changes import Origin
from syncengine.core.operations import IRREVERSIBLE, Financials, Kind, Operation, Update, kind_of, target_of
from syncengine.core.plan import Before, PlannedOperation, State
from syncengine.core.values import margin_of
from syncengine.reports.facts import TargetNames, names_in
from syncengine.reports.money import MoneyBase
from syncengine.reports.rows import source_of, what_of

DISTINCT = 24
"""How many different diffs of one field are distinguished before only their number is known to be larger."""

TARGETS = 2_000
"""Different targets and names that are distinguished."""

OTHER = "other"


class FieldFold:
    """Identical diffs of one field, counted. Values are held raw; views mask them."""

    def __init__(self) -> None:
        self.leads = 0
        self.overflow = False
        self.diffs: Counter[tuple[str | None, str]] = Counter()

    def add(self, before: Before | None, after: str) -> None:
        """One more lead whose field becomes `after`."""
        self.leads += 1
        known = None if before is None else before.value
        key = (known, after)
        count = self.diffs.get(key, 0)
        if count or len(self.diffs) < DISTINCT:
            self.diffs[key] = count + 1
        else:
            self.overflow = True


class AmountFold:
    """New amounts, and the old ones where they are known, in hundredths. Money adds up exactly."""

    def __init__(self) -> None:
        self.count = 0
        self.new = 0
        self.known = 0
        self.known_old = 0
        self.known_new = 0

    def add(self, old: int | None, new: int) -> None:
        """One more amount."""
        self.count += 1
        self.new += new
        if old is not None:
            self.known += 1
            self.known_old += old
            self.known_new += new

    def include(self, other: AmountFold) -> None:
        """Add what another fold counted."""
        self.count += other.count
        self.new += other.new
        self.known += other.known
        self.known_old += other.known_old
        self.known_new += other.known_new

    @property
    def difference(self) -> int:
        """New less old, over those whose old amount is known."""
        return self.known_new - self.known_old


class MoneyFold:
    """Payout, revenue and margin (revenue less payout, of leads for which both new amounts are declared)."""

    def __init__(self) -> None:
        self.payout = AmountFold()
        self.revenue = AmountFold()
        self.margin = AmountFold()

    def add(self, planned: PlannedOperation, operation: Financials) -> None:
        """One more lead's amounts."""
        payout, revenue = operation.payout, operation.revenue
        old_payout, old_revenue = planned.amount_before("payout"), planned.amount_before("revenue")
        if payout is not None and planned.sends("payout"):
            self.payout.add(old_payout, payout)
        if revenue is not None and planned.sends("revenue"):
            self.revenue.add(old_revenue, revenue)
        if payout is not None and revenue is not None:
            self.margin.add(margin_of(old_payout, old_revenue), revenue - payout)

    def include(self, other: MoneyFold) -> None:
        """Add what another fold counted."""
        self.payout.include(other.payout)
        self.revenue.include(other.revenue)
        self.margin.include(other.margin)

    def named(self) -> list[tuple[str, AmountFold]]:
        """The amounts that occur, by name."""
        folds = [("payout", self.payout), ("revenue", self.revenue), ("margin", self.margin)]
        return [(name, fold) for name, fold in folds if fold.count]

    def __bool__(self) -> bool:
        return bool(self.payout.count or self.revenue.count)


class StrikeFold:
    """Irreversible operations of one change that do the same thing: what cannot be taken back, in one line."""

    def __init__(self, kind: Kind, what: str) -> None:
        self.kind = kind
        self.what = what
        self.count = 0


class Group:
    """One change of a changeset. Only what is to be sent is folded; everything else is counted by state and reason."""

    def __init__(
        self, changeset: str, change: str, source: str, *, changes: int = 1, totals: PlanTotals | None = None
    ) -> None:
        self.changeset = changeset
        self.change = change
        self.source = source
        self.origin: Origin | None = None
        """Where its first operation was declared."""
        self._totals = PlanTotals() if totals is None else totals
        self.total = 0
        self.changes = changes
        """How many changes it counts: more than one only for the fold of those beyond the limit."""
        self.states: Counter[State] = Counter()
        self.kinds: Counter[Kind] = Counter()
        self.fields: dict[str, FieldFold] = {}
        self.strikes: dict[tuple[Kind, str], StrikeFold] = {}
        self.reasons: Counter[tuple[State, str]] = Counter()
        self.buyers: Counter[str] = Counter()
        self.money = MoneyFold()

    @property
    def key(self) -> tuple[str, str]:
        """Changeset and change."""
        return self.changeset, self.change

    @property
    def irreversible(self) -> int:
        """Operations to be sent that cannot be taken back."""
        return sum(self.kinds[kind] for kind in IRREVERSIBLE)

    def add(self, planned: PlannedOperation) -> None:
        """Count one operation, and fold it where it is to be sent."""
        self.total += 1
        self.states[planned.state] += 1
        if planned.state is not State.TO_SEND:
            self._reason(planned.state, planned.reason)
            return
        kind = kind_of(planned.operation)
        self.kinds[kind] += 1
        self._fold(planned, planned.operation, kind)

    def _fold(self, planned: PlannedOperation, operation: Operation, kind: Kind) -> None:
        if planned.names:
            self._totals.learn(planned)
        match operation:
            case Update(fields=fields):
                for name in planned.send or fields:
                    self._field(name).add(planned.before.get(name), fields.get(name, ""))
            case Financials():
                self.money.add(planned, operation)
                self._totals.money.add(planned, operation)
                if operation.buyer is not None:
                    known = operation.buyer in self.buyers or len(self.buyers) < DISTINCT
                    self.buyers[operation.buyer if known else OTHER] += 1
            case _:
                self._totals.strike(kind, target_of(operation))
                self._strike(kind, what_of(planned, self._totals.names)).count += 1

    def _reason(self, state: State, reason: str) -> None:
        key = (state, reason)
        count = self.reasons.get(key, 0)
        if count or len(self.reasons) < DISTINCT:
            self.reasons[key] = count + 1
        else:
            self.reasons[state, OTHER] += 1

    def _field(self, name: str) -> FieldFold:
        # A template cannot make field names, so their number is that of the changes' own keys.
        fold = self.fields.get(name)
        if fold is None:
            fold = self.fields[name] = FieldFold()
        return fold

    def _strike(self, kind: Kind, what: str) -> StrikeFold:
        key = (kind, what)
        if key not in self.strikes and len(self.strikes) >= DISTINCT:
            key = (kind, OTHER)
        return self.strikes.setdefault(key, StrikeFold(*key))


class PlanTotals:
    """What is added up over all changes: irreversible operations by target, money on one base, names of targets."""

    def __init__(self, names: TargetNames | None = None) -> None:
        self.names: dict[tuple[str, str], str] = dict(names or {})
        self.strikes: Counter[tuple[Kind, str]] = Counter()
        self.money = MoneyBase()

    def learn(self, planned: PlannedOperation) -> None:
        """The names that a line gives to its targets."""
        if len(self.names) < TARGETS:
            for target, name in names_in(planned).items():
                self.names.setdefault(target, name)

    def strike(self, kind: Kind, target: str) -> None:
        """One more irreversible operation to be sent."""
        known = (kind, target) in self.strikes or len(self.strikes) < TARGETS
        self.strikes[kind, target if known else OTHER] += 1


def _place(origin: Origin) -> str:
    return source_of(Origin(origin.file, origin.line))


class Groups:
    """All changes of a plan in their order, the first `limit` on their own and the rest of a changeset as one."""

    def __init__(self, limit: int = 400, *, names: TargetNames | None = None) -> None:
        self._limit = limit
        self.totals = PlanTotals(names)
        self._by_key: dict[tuple[str, str], Group] = {}
        self._rest: dict[str, tuple[Group, str]] = {}
        self._last = ("", "")
        self._add_to_last: Callable[[PlannedOperation], None] | None = None

    def add(self, planned: PlannedOperation) -> None:
        """Count one operation in its change."""
        # Operations of one change come one after the other.
        last = self._last
        if self._add_to_last is not None and planned.change == last[1] and planned.changeset == last[0]:
            self._add_to_last(planned)
            return
        key = (planned.changeset, planned.change)
        group = self._by_key.get(key)
        if group is None:
            group = self._open(key, planned)
        self._last, self._add_to_last = key, group.add
        group.add(planned)

    def _open(self, key: tuple[str, str], planned: PlannedOperation) -> Group:
        if len(self._by_key) < self._limit:
            self._by_key[key] = Group(planned.changeset, planned.change, _place(planned.origin), totals=self.totals)
            self._by_key[key].origin = planned.origin
            return self._by_key[key]
        name = planned.changeset if len(self._rest) < self._limit or planned.changeset in self._rest else ""
        if name not in self._rest:
            self._rest[name] = (Group(name, "", "", changes=0, totals=self.totals), "")
        group, last = self._rest[name]
        # Another name is another change.
        group.changes += planned.change != last
        self._rest[name] = (group, planned.change)
        return group

    def all(self) -> list[Group]:
        """Changes in plan order; folds of the rest come last."""
        return [*self._by_key.values(), *(group for group, _ in self._rest.values())]
