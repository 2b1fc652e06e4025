"""Which operations a finding is about, so that a page can show these alone.

A finding names its first ten. Where it is about more, the operations that its rule would accuse are found from each
line; where one line cannot tell, the page shows the examples and says how many there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from syncengine.core.finding import Evidence, Finding
from syncengine.core.operations import Financials, Kind, Update, kind_of, target_of, values_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import margin_of
from syncengine.findings.amount_outlier import is_far
from syncengine.findings.invisible_characters import InvisibleCharacters
from syncengine.findings.medians import median_of
from syncengine.findings.mojibake import Mojibake
from syncengine.findings.operations import OPEN, Amounts, shape_of
from syncengine.findings.placeholder import Placeholder
from syncengine.findings.shapes import Family, family_of, way_written
from syncengine.findings.spreadsheet_debris import SpreadsheetDebris
from syncengine.findings.swapped_amounts import changed_places
from syncengine.findings.values import ValueRule

Test = Callable[[PlannedOperation], bool]

_VALUE_RULES: dict[str, type[ValueRule]] = {
    "spreadsheet-debris": SpreadsheetDebris,
    "invisible-characters": InvisibleCharacters,
    "mojibake": Mojibake,
    "placeholder": Placeholder,
}


class Members:
    """Takes the listed operations in order, then tells for each finding which they are."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._found: list[list[int]] = [[] for _ in findings]
        self._named: dict[str, list[int]] = {}
        self._tests: dict[tuple[str | None, str | None], list[tuple[int, Test]]] = {}
        self._waiting: dict[tuple[str | None, str | None], list[_Waiting]] = {}
        self._swapped = [at for at, finding in enumerate(findings) if finding.rule == "swapped-amounts"]
        self._negative = [at for at, finding in enumerate(findings) if finding.rule == "negative-margin"]
        for position, finding in enumerate(findings):
            self._prepare(position, finding)

    def _prepare(self, position: int, finding: Finding) -> None:
        for evidence in finding.evidence:
            if evidence.operation is not None:
                self._named.setdefault(evidence.operation, []).append(position)
        scope = (finding.changeset, finding.change)
        if finding.rule == "rows-taken":
            self._tests.setdefault(scope, []).append((position, lambda _: True))
        if finding.count <= len(finding.evidence) or not finding.evidence:
            return
        waiting = _WAITING.get(finding.rule)
        if waiting is not None:
            self._waiting.setdefault(scope, []).append(waiting(position, finding))
            return
        test = _test_of(finding)
        if test is not None:
            self._tests.setdefault(scope, []).append((position, test))

    def see(self, index: int, planned: PlannedOperation) -> None:
        """The operation that the page lists as number `index`."""
        named = self._named.get(planned.id, ())
        for position in named:
            self._found[position].append(index)
        if planned.state not in OPEN or not (self._tests or self._waiting):
            return
        changeset, change = str(planned.changeset), planned.change
        for scope in ((changeset, change), (changeset, None), (None, None)):
            for waiting in self._waiting.get(scope, ()):
                waiting.see(index, planned)
            for position, test in self._tests.get(scope, ()):
                if position not in named and test(planned):
                    self._found[position].append(index)

    def finish(self) -> list[list[int]]:
        """For each finding the numbers of its operations as runs: the first of a run, its length, and so on."""
        for waiting in chain.from_iterable(self._waiting.values()):
            self._found[waiting.position] = sorted({*self._found[waiting.position], *waiting.finish()})
        # What is reported as swapped is not reported as negative.
        swapped = set(chain.from_iterable(self._found[position] for position in self._swapped))
        for position in self._negative:
            self._found[position] = [index for index in self._found[position] if index not in swapped]
        return [_runs(found) for found in self._found]


def _runs(found: Iterable[int]) -> list[int]:
    runs: list[int] = []
    for index in found:
        if runs and index == runs[-2] + runs[-1]:
            runs[-1] += 1
        else:
            runs += (index, 1)
    return runs


def _test_of(finding: Finding) -> Test | None:
    """Whether one operation is such a case, as far as one can be judged alone."""
    first = finding.evidence[0]
    rule = _VALUE_RULES.get(finding.rule)
    if rule is not None:
        return _value_test(rule(), first)
    if finding.rule == "negative-margin":
        return _loses if finding.severity == "high" else _falls
    test = _TESTS.get(finding.rule)
    return None if test is None else test(first)


def _value_of(planned: PlannedOperation, name: str | None) -> str | None:
    operation = planned.operation
    if isinstance(operation, Update) and name is not None and planned.sends(name):
        return operation.fields.get(name)
    return None


def _value_test(rule: ValueRule, first: Evidence) -> Test | None:
    mistakes = frozenset(rule.mistakes(first.after or ""))
    if not mistakes:
        return None

    def test(planned: PlannedOperation) -> bool:
        value = _value_of(planned, first.field)
        return value is not None and not mistakes.isdisjoint(rule.mistakes(value))

    return test


def _amounts(planned: PlannedOperation) -> Amounts | None:
    operation = planned.operation
    return Amounts(planned, operation) if isinstance(operation, Financials) else None


def _margins(planned: PlannedOperation) -> tuple[int | None, int | None]:
    """Revenue less payout before and after; what is not declared stays as it was."""
    amounts = _amounts(planned)
    if amounts is None:
        return None, None
    before = margin_of(amounts.payout, amounts.revenue)
    payout = amounts.payout if amounts.operation.payout is None else amounts.operation.payout
    revenue = amounts.revenue if amounts.operation.revenue is None else amounts.operation.revenue
    return before, None if payout is None or revenue is None else revenue - payout


def _loses(planned: PlannedOperation) -> bool:
    before, after = _margins(planned)
    return after is not None and after < 0 and (before is None or after < before)


def _falls(planned: PlannedOperation) -> bool:
    before, after = _margins(planned)
    return before is not None and after is not None and after < before


def _sets_amount(first: Evidence) -> Test:
    def test(planned: PlannedOperation) -> bool:
        amounts = _amounts(planned)
        return amounts is not None and bool(amounts.sent(first.field or ""))

    return test


def _has_swapped_amounts(_: Evidence) -> Test:
    def test(planned: PlannedOperation) -> bool:
        amounts = _amounts(planned)
        if amounts is None:
            return False
        payout, revenue = amounts.operation.payout, amounts.operation.revenue
        if payout is None or revenue is None:
            return False
        return payout > revenue or changed_places(amounts)

    return test


def _is_target(first: Evidence) -> Test:
    def test(planned: PlannedOperation) -> bool:
        operation = planned.operation
        if first.field == "buyer":
            return isinstance(operation, Financials) and operation.buyer == first.after
        return target_of(operation) == first.after

    return test


def _changes_buyer(_: Evidence) -> Test:
    def test(planned: PlannedOperation) -> bool:
        operation = planned.operation
        before = planned.value_before("buyer")
        return isinstance(operation, Financials) and None not in (operation.buyer, before) and operation.buyer != before

    return test


def _has_value(first: Evidence) -> Test:
    return lambda planned: _value_of(planned, first.field) == first.after


def _has_field(first: Evidence) -> Test:
    return lambda planned: _value_of(planned, first.field) is not None


def _takes_other_value(first: Evidence) -> Test:
    def test(planned: PlannedOperation) -> bool:
        value = _value_of(planned, first.field)
        return value is not None and any(
            planned.value_before(name) == value for name in planned.before if name != first.field
        )

    return test


def _has_shape(first: Evidence) -> Test:
    shape = _shape(first.after or "")

    def test(planned: PlannedOperation) -> bool:
        value = _value_of(planned, first.field)
        return value is not None and _shape(value) == shape

    return test


def _shape(value: str) -> tuple[Family, str]:
    shape = shape_of(value)
    family = family_of(shape)
    return family, way_written(family, shape, value)


_TESTS: dict[str, Callable[[Evidence], Test]] = {
    "amount-scale": _sets_amount,
    "swapped-amounts": _has_swapped_amounts,
    "swapped-values": _takes_other_value,
    "unknown-target": _is_target,
    "rare-target": _is_target,
    "buyer-changed": _changes_buyer,
    "lead-range": lambda first: lambda planned: len(planned.operation.lead) == len(first.lead or ""),
    "return-with-other": lambda _: lambda planned: kind_of(planned.operation) is Kind.RETURN,
    "beside-doubt": lambda _: lambda planned: planned.beside_doubt,
    "done-before": lambda _: lambda planned: bool(planned.done),
    "field-unknown": _has_field,
    "repeated-value": _has_value,
    "mixed-formats": _has_shape,
}


class _Waiting:
    """A finding whose operations are known when all of its change have been seen."""

    def __init__(self, position: int, finding: Finding) -> None:
        self.position = position
        self._first = finding.evidence[0]

    def see(self, index: int, planned: PlannedOperation) -> None:
        raise NotImplementedError

    def finish(self) -> Iterable[int]:
        raise NotImplementedError


class _Outliers(_Waiting):
    def __init__(self, position: int, finding: Finding) -> None:
        super().__init__(position, finding)
        self._amounts: list[tuple[int, int]] = []

    def see(self, index: int, planned: PlannedOperation) -> None:
        amounts = _amounts(planned)
        amount = None if amounts is None else amounts.sent(self._first.field or "")
        if amount:
            self._amounts.append((amount, index))

    def finish(self) -> Iterable[int]:
        twice = median_of([amount for amount, _ in self._amounts]) if self._amounts else 0
        return [index for amount, index in self._amounts if is_far(amount, twice)]


class _Shifted(_Waiting):
    def __init__(self, position: int, finding: Finding) -> None:
        super().__init__(position, finding)
        self._rows: list[tuple[int, str, str]] = []

    def see(self, index: int, planned: PlannedOperation) -> None:
        name = self._first.field or ""
        before, after = planned.value_before(name), values_of(planned.operation).get(name)
        if before is not None and after is not None:
            self._rows.append((index, before, after))

    def finish(self) -> Iterable[int]:
        befores = Counter(before for _, before, _ in self._rows)
        pairs = list(zip(self._rows, self._rows[1:], strict=False))
        above = [two[0] for one, two in pairs if two[2] == one[1] != two[1] and befores[two[2]] == 1]
        below = [one[0] for one, two in pairs if one[2] == two[1] != one[1] and befores[one[2]] == 1]
        return max(above, below, key=len)


class _Shared(_Waiting):
    def __init__(self, position: int, finding: Finding) -> None:
        super().__init__(position, finding)
        self._leads: dict[str, dict[tuple[str, str], list[int]]] = {}
        self._all = finding.severity == "info"

    def see(self, index: int, planned: PlannedOperation) -> None:
        changes = self._leads.setdefault(planned.operation.lead, {})
        changes.setdefault((planned.changeset, planned.change), []).append(index)

    def finish(self) -> Iterable[int]:
        pair = self._leads.get(self._first.lead or "", {}).keys()
        for changes in self._leads.values():
            if len(changes) > 1 and (self._all or pair <= changes.keys()):
                for indexes in changes.values():
                    yield from indexes


_WAITING: dict[str, type[_Waiting]] = {
    "amount-outlier": _Outliers,
    "shifted-rows": _Shifted,
    "shared-lead": _Shared,
}
