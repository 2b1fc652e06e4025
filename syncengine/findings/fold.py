"""Folds a plan's operations through every rule, in one pass and bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from syncengine.core.changes import ChangeFacts
from syncengine.core.finding import SHOWN, Basis, Finding
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.documents.claims import ClaimStore
from syncengine.findings.amount_outlier import AmountOutlier
from syncengine.findings.amount_scale import AmountScale
from syncengine.findings.beside_doubt import BesideDoubt
from syncengine.findings.buyer_changed import BuyerChanged
from syncengine.findings.done_before import DoneBefore
from syncengine.findings.invisible_characters import InvisibleCharacters
from syncengine.findings.lead_range import LeadRange
from syncengine.findings.mixed_formats import MixedFormats
from syncengine.findings.mojibake import Mojibake
from syncengine.findings.negative_margin import NegativeMargin
from syncengine.findings.operations import Chunk
from syncengine.findings.placeholder import Placeholder
from syncengine.findings.rare_target import RareTarget
from syncengine.findings.repeated_value import RepeatedValue
from syncengine.findings.return_with_other import ReturnWithOther
from syncengine.findings.rule import ChangeKey, Example, Found, Rule, evidence_of, first_leads
from syncengine.findings.shared_lead import SharedLead
from syncengine.findings.shifted_rows import ShiftedRows
from syncengine.findings.spreadsheet_debris import SpreadsheetDebris
from syncengine.findings.swapped_amounts import SwappedAmounts
from syncengine.findings.swapped_values import SwappedValues

_AT_ONCE = 1_000
"""Operations that rules look at together: enough that a search of a whole column is cheap, few enough for the cache."""
_TOLD = 100
"""Findings of one rule; what is found beyond is counted in one more."""

FROM_LINES: tuple[type[Rule], ...] = (
    NegativeMargin, AmountScale, AmountOutlier, SwappedAmounts, SwappedValues, ShiftedRows, DoneBefore,
    ReturnWithOther,
    RareTarget, BuyerChanged, RepeatedValue, Placeholder, SpreadsheetDebris, InvisibleCharacters, Mojibake,
    MixedFormats, LeadRange, BesideDoubt,
)  # fmt: skip
"""Rules that need nothing but the operations. SharedLead is the one more, which also needs somewhere to remember."""

Facts = Mapping[ChangeKey, ChangeFacts]


def facts_by_change(facts: Iterable[ChangeFacts]) -> dict[ChangeKey, ChangeFacts]:
    """What is known of each change's rows."""
    return {(str(each.changeset), each.change): each for each in facts}


class FindingsFold:
    """Takes every operation in order, then gives the findings.

    `more` are rules that know more than the plan's lines; what they find is recorded, as their basis says. `new_lead`
    is called with the first operation of each lead that something is still meant to be sent to.
    """

    def __init__(
        self,
        *,
        more: Sequence[Rule] = (),
        new_lead: Callable[[PlannedOperation], None] | None = None,
    ) -> None:
        self._claims = ClaimStore()
        self._shared = SharedLead(self._claims)
        self._new_lead = new_lead
        rules: tuple[Rule, ...] = (*(make() for make in FROM_LINES), *more)
        self._rules = rules
        self._of_kind = {kind: tuple(rule for rule in rules if kind in rule.kinds) for kind in Kind}
        self._of_rows = tuple(rule for rule in rules if rule.looks_at_rows)
        self._waiting: list[PlannedOperation] = []
        self._change: ChangeKey = ("", "")
        self._active: dict[Rule, None] = {}
        self._found = _Gathered()

    def see(self, planned: PlannedOperation) -> bool:
        """One operation, in order; whether it is the first to be sent to its lead."""
        is_new = self._shared.is_new(planned)
        if self._shared.newly_seen and self._new_lead is not None:
            self._new_lead(planned)
        if planned.change != self._change[1] or planned.changeset != self._change[0]:
            self._leave()
            self._change = (planned.changeset, planned.change)
        self._waiting.append(planned)
        if len(self._waiting) >= _AT_ONCE:
            self._look()
        return is_new

    def _look(self) -> None:
        if not self._waiting:
            return
        chunk = Chunk(self._waiting)
        looking: dict[Rule, None] = dict.fromkeys(self._of_rows)
        for kind in Kind:
            if kind in chunk.kinds:
                looking.update(dict.fromkeys(self._of_kind[kind]))
        for rule in looking:
            rule.look(chunk)
        self._active.update(looking)
        self._waiting = []

    def _leave(self) -> None:
        self._look()
        for rule in self._active:
            for found in rule.leave(self._change):
                self._found.add(found, rule.basis_of(found))
        self._active = {}

    def finish(self, facts: Facts) -> dict[Basis, tuple[Finding, ...]]:
        """Every finding, by what it rests on. `facts` tell where values came from."""
        self._leave()
        for rule in (*self._rules, self._shared):
            for found in rule.finish():
                self._found.add(found, rule.basis_of(found))
        self._claims.close()
        return self._found.finish(facts)


class _Gathered:
    """The first findings of each rule and basis, and what the others add up to."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Basis], list[Found]] = {}
        self._more: dict[tuple[str, Basis], list[int]] = {}
        self._severity: dict[tuple[str, Basis], Found] = {}

    def add(self, found: Found, basis: Basis) -> None:
        key = (found.rule, basis)
        kept = self._kept.setdefault(key, [])
        if len(kept) < _TOLD:
            kept.append(found)
            return
        sums = self._more.setdefault(key, [0, 0])
        sums[0] += 1
        sums[1] += found.count
        worst = self._severity.setdefault(key, found)
        if _rank(found) < _rank(worst):
            self._severity[key] = found

    def finish(self, facts: Facts) -> dict[Basis, tuple[Finding, ...]]:
        made: dict[Basis, list[Finding]] = {"lines": [], "covered": [], "recorded": []}
        for (_, basis), kept in self._kept.items():
            made[basis] += findings_of(kept, facts)
        for (rule, basis), (number, count) in self._more.items():
            example = next(iter(findings_of([self._severity[rule, basis]], facts)), None)
            if example is not None:
                message = f"{number:,} more findings of {rule}, such as: {example.message}"
                made[basis].append(
                    Finding(
                        rule=rule, severity=example.severity, message=message, count=count, leads=example.leads,
                        evidence=example.evidence,
                    )
                )  # fmt: skip
        return {basis: tuple(found) for basis, found in made.items()}


def _rank(found: Found) -> int:
    return ("high", "medium", "info").index(found.severity)


def findings_of(found: Iterable[Found], facts: Facts) -> Iterator[Finding]:
    """Findings with the places of their evidence; those about what the changeset itself types are left out."""
    for each in found:
        if _is_about_typed(each, facts):
            continue
        changeset, change = each.change
        yield Finding(
            rule=each.rule,
            severity=each.severity,
            message=each.message,
            changeset=changeset,
            change=change or None,
            count=each.count,
            leads=first_leads(example.lead for example in each.examples),
            evidence=tuple(evidence_of(example, _place(example, facts)) for example in each.examples[:SHOWN]),
        )


def _is_about_typed(found: Found, facts: Facts) -> bool:
    changeset, change = found.change
    return found.untyped is not None and _is_typed(facts, (changeset or "", change or ""), found.untyped)


def _is_typed(facts: Facts, change: ChangeKey, name: str) -> bool:
    known = facts.get(change)
    return known is None or not known.source or name in known.typed


def _place(example: Example, facts: Facts) -> tuple[str, int, int | None]:
    origin = example.origin
    known = facts.get((example.changeset, example.change))
    if known is None or not known.file or origin.row is None:
        return origin.file, origin.line, origin.row
    name = example.field or "lead"
    typed = {"payout", "revenue"} <= set(known.typed) if name == "margin" else name in known.typed
    if typed:
        return origin.file, origin.line, origin.row
    return known.file, origin.data or 0, origin.row
