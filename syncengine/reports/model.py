"""The one view model: everything that the text, Markdown, HTML and JSON views of a plan say, folded in one pass."""

from __future__ import annotations

from collections import Counter

import msgspec

from syncengine.core.operations import is_irreversible
from syncengine.core.plan import Blocker, Counts, PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import Masker, visible
from syncengine.reports.findings import finding_line, remarks
from syncengine.reports.groups import Group, Groups, MoneyFold, StrikeFold
from syncengine.reports.rows import Row, row_of

MIN_WIDTH, MAX_WIDTH = 60, 200
_APART, _APART_IN_STREAMS = 500_000, 20_000
"""Different values of masked fields that a view tells apart where their masks are the same."""


class ViewOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a view is made. `detail` is the largest plan that text shows operation by operation.

    `lines` tells whether JSON lists the operations; `rows` is the most that HTML and Markdown may list.
    """

    width: int = 80
    colour: bool = False
    show_values: bool = False
    public_fields: frozenset[str] = frozenset()
    detail: int = 25
    lines: bool = True
    rows: int = 250_000

    def masker(self, *, exact: bool = False) -> Masker:
        """A fresh masker: equal values look equal within one view. `exact` is for programs, which stream: theirs tells
        fewer values apart that look alike, so that its memory does not grow with the plan."""
        limit = _APART_IN_STREAMS if exact else _APART
        return Masker(self.public_fields, show_values=self.show_values, exact=exact, limit=limit)

    @property
    def columns(self) -> int:
        """The width, within what the text view is made for."""
        return max(MIN_WIDTH, min(self.width, MAX_WIDTH))


class Strike(msgspec.Struct, frozen=True):
    """One line of what cannot be taken back, and the change that asks for it."""

    group: Group
    fold: StrikeFold


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, ready to be laid out. `rows` holds the first operations, irreversible ones first; `total` counts all."""

    header: PlanHeader
    provenance: Provenance
    summary: PlanSummary
    notes: tuple[str, ...]
    """Why the ledger counted as empty or cannot be compared: every view opens with them."""
    attention: tuple[str, ...]
    groups: tuple[Group, ...]
    money: MoneyFold
    rows: tuple[Row, ...]
    titles: dict[str, str]
    masker: Masker

    @property
    def counts(self) -> Counts:
        """The plan's own counts."""
        return self.summary.counts

    @property
    def blocked(self) -> tuple[Blocker, ...]:
        """Findings that stop the plan."""
        return self.summary.blocked

    @property
    def strikes(self) -> list[Strike]:
        """Irreversible operations by change, the most numerous first."""
        found = [Strike(group, fold) for group in self.groups for fold in group.strikes.values()]
        return sorted(found, key=lambda strike: -strike.fold.count)

    @property
    def by_changeset(self) -> list[tuple[str, list[Group]]]:
        """Changes by changeset: those with irreversible operations first, those with nothing to send last."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(group.changeset, []).append(group)
        ordered = [(name, sorted(groups, key=_weight)) for name, groups in found.items()]
        return sorted(ordered, key=lambda item: _weight(item[1][0]))

    @property
    def unsent(self) -> Counter[tuple[State, str]]:
        """Why operations are not sent, counted over all changes."""
        reasons: Counter[tuple[State, str]] = Counter()
        for group in self.groups:
            reasons.update(group.reasons)
        return reasons


def _weight(group: Group) -> int:
    return 0 if group.irreversible else 1 if group.states[State.TO_SEND] else 2


class Fold:
    """A view in the making: feed it every operation once, then take the view."""

    def __init__(self, options: ViewOptions, *, keep: int) -> None:
        self.masker = options.masker()
        self._groups = Groups()
        self._keep = keep
        self._first: list[PlannedOperation] = []
        self._first_irreversible: list[PlannedOperation] = []

    def add(self, planned: PlannedOperation) -> None:
        """One more operation, in plan order."""
        self._groups.add(planned)
        kept = self._first_irreversible if is_irreversible(planned.operation) else self._first
        if len(kept) < self._keep:
            kept.append(planned)

    def view(
        self, header: PlanHeader, provenance: Provenance, summary: PlanSummary, *, keep: int | None = None
    ) -> PlanView:
        """The finished view; `keep` makes do with fewer operations than were kept."""
        most = self._keep if keep is None else keep
        first, irreversible = self._first[:most], self._first_irreversible[:most]
        groups = tuple(self._groups.all())
        money = MoneyFold()
        for group in groups:
            money.include(group.money)
        notes, attention = opening(provenance, summary)
        # Irreversible ones first, but where not everything fits, never without an example of the others.
        others = min(len(first), max(most // 2, most - len(irreversible)))
        kept = (*irreversible[: most - others], *first[:others])
        return PlanView(
            header=header,
            provenance=provenance,
            summary=summary,
            notes=notes,
            attention=attention,
            groups=groups,
            money=money,
            rows=tuple(row_of(planned, self.masker) for planned in kept),
            titles={changeset.id: visible(changeset.title) for changeset in summary.changesets},
            masker=self.masker,
        )


def opening(provenance: Provenance, summary: PlanSummary) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Notes that every view opens with, and the lines that follow: a line for each finding, then other remarks."""
    note = provenance.ledger_note
    notes = (visible(note),) if note else ()
    return notes, (*map(finding_line, summary.findings), *map(visible, remarks(provenance, summary)))
