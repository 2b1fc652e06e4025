"""The one view model: everything that the text, Markdown, HTML and JSON views of a plan say, folded in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from syncengine.core.finding import Finding, Severity
from syncengine.core.operations import SPECS, Kind, is_irreversible
from syncengine.core.plan import (
    Blocker,
    Counts,
    PlanHeader,
    PlannedOperation,
    PlanProgress,
    PlanSummary,
    Provenance,
    State,
)
from syncengine.core.redaction import Masker, visible
from syncengine.reports.blocking import BlockingRule, blocking_rules
from syncengine.reports.facts import (
    ApprovalsSoFar,
    ShownPart,
    TargetNames,
    approval_words,
    headline,
    origin_words,
    partial_words,
    progress_words,
    target_words,
)
from syncengine.reports.findings import message_words, remarks
from syncengine.reports.forge import Forge
from syncengine.reports.groups import Group, Groups, MoneyFold, PlanTotals
from syncengine.reports.money import MoneyTable
from syncengine.reports.places import NOWHERE, LinkedPlace, Places
from syncengine.reports.rows import Row, row_of
from syncengine.reports.vocabulary import number, plural

MIN_WIDTH, MAX_WIDTH = 60, 200
_APART, _APART_IN_STREAMS = 500_000, 20_000
"""Different values of masked fields that a view tells apart where their masks are the same."""


class ViewOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a view is made. `detail` is the largest plan that text shows operation by operation.

    `lines` tells whether JSON lists the operations; `rows` is the most that HTML and Markdown may list. `names` is
    what the account calls deliveries and buyers, `approvals` None where no configuration says who must approve,
    `forge` where files are linked to, `artifact` the address of the HTML view in CI, `part` what the view is
    restricted to, and `progress` how much of the plan is settled, where that is known.
    """

    width: int = 80
    colour: bool = False
    show_values: bool = False
    public_fields: frozenset[str] = frozenset()
    detail: int = 25
    lines: bool = True
    rows: int = 250_000
    names: dict[tuple[str, str], str] = {}
    approvals: ApprovalsSoFar | None = None
    forge: Forge | None = None
    artifact: str = ""
    part: ShownPart | None = None
    progress: PlanProgress | None = None

    def shows(self, planned: PlannedOperation) -> bool:
        """Whether the view lists this operation."""
        return self.part is None or self.part.holds(planned)

    def masker(self, *, exact: bool = False) -> Masker:
        """A fresh masker: equal values look equal within one view. `exact` is for programs, which stream: theirs tells
        fewer values apart that look alike, so that its memory does not grow with the plan."""
        limit = _APART_IN_STREAMS if exact else _APART
        return Masker(self.public_fields, show_values=self.show_values, exact=exact, limit=limit)

    @property
    def columns(self) -> int:
        """The width, within what the text view is made for."""
        return max(MIN_WIDTH, min(self.width, MAX_WIDTH))


class FindingView(msgspec.Struct, frozen=True, kw_only=True):
    """A finding as people read it: `message` with names beside ids, `lead` and `place` those of its first evidence."""

    finding: Finding
    message: str
    lead: str
    place: LinkedPlace

    @property
    def short_message(self) -> str:
        """The message with its change named alone."""
        change, changeset = (visible(name or "") for name in (self.finding.change, self.finding.changeset))
        return self.message.replace(f"change {change} of {changeset}", change) if change else self.message

    @property
    def severity(self) -> Severity:
        """As the finding says."""
        return self.finding.severity

    @property
    def example(self) -> str:
        """ "lead 2932689, data/uplift.csv:14"; "" where there is no evidence."""
        return ", ".join(filter(None, (f"lead {self.lead}" if self.lead else "", self.place.text)))


class Irreversible(msgspec.Struct, frozen=True, kw_only=True):
    """How many operations of one kind and target are to be sent that cannot be taken back. `what`: "delivery 1053
    northwind", "" for a kind without target."""

    kind: Kind
    what: str
    count: int


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, ready to be laid out. `rows` holds the first operations: those with findings first, those that are not
    sent last. `listed` counts the operations that the view is about: all, or those of the part that it shows."""

    header: PlanHeader
    provenance: Provenance
    summary: PlanSummary
    headline: str
    """The verdict in words."""
    progress: str
    """How much of a plan that was applied before is settled; "" of a new one. Every view opens with it."""
    partial: str
    """That the plan is one of a part of its changesets; "" where it is not. Every view opens with it."""
    notes: tuple[str, ...]
    """Why the ledger counted as empty or cannot be compared: every view opens with them."""
    approvals: str
    made_from: str
    rules: tuple[BlockingRule, ...]
    """What blocks the plan."""
    findings: tuple[FindingView, ...]
    remarks: tuple[str, ...]
    """What is no finding and yet worth a line."""
    groups: tuple[Group, ...]
    shown_groups: tuple[Group, ...]
    """The changes that the view lists: all, or those of the part that it shows."""
    irreversible: tuple[Irreversible, ...]
    money: MoneyFold
    base: MoneyTable
    """Payout, revenue and margin on one base."""
    rows: tuple[Row, ...]
    listed: int
    titles: dict[str, str]
    descriptions: dict[str, str]
    names: dict[tuple[str, str], str]
    places: Places
    masker: Masker

    @property
    def counts(self) -> Counts:
        """The plan's own counts."""
        return self.summary.counts

    @property
    def blocked(self) -> tuple[Blocker, ...]:
        """Findings that stop the plan."""
        return self.summary.blocked

    def rows_taken(self, group: Group) -> str:
        """ ", took 150 of 153 rows"; "" where there is no file of rows or it is not about one change."""
        facts = self.places.facts(group.changeset, group.change) if group.changes == 1 else None
        return "" if facts is None else f", took {number(facts.taken)} of {plural(facts.rows, 'row')}"

    @property
    def by_changeset(self) -> list[tuple[str, list[Group]]]:
        """Changes by changeset: those with irreversible operations first, those with nothing to send last."""
        found: dict[str, list[Group]] = {}
        for group in self.shown_groups:
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
    """A view in the making: feed it every operation once, then take the view.

    `flagged` are ids of operations that the view lists first, as far as they are known beforehand.
    """

    def __init__(self, options: ViewOptions, *, keep: int, flagged: Sequence[str] = ()) -> None:
        self.masker = options.masker()
        self._options = options
        self._groups = Groups(names=options.names)
        self._keep = keep
        self._flagged_ids = {operation: rank for rank, operation in enumerate(flagged)}
        self._shown: set[tuple[str, str]] = set()
        self._flagged: list[PlannedOperation] = []
        self._first: list[PlannedOperation] = []
        self._first_irreversible: list[PlannedOperation] = []
        self._unsent: list[PlannedOperation] = []

    def add(self, planned: PlannedOperation) -> None:
        """One more operation, in plan order."""
        self._groups.add(planned)
        if self._options.part is not None and not self._options.part.holds(planned):
            return
        if self._options.part is not None:
            self._shown.add((planned.changeset, planned.change))
        if planned.id in self._flagged_ids:
            kept = self._flagged
        elif planned.state is not State.TO_SEND:
            kept = self._unsent
        else:
            kept = self._first_irreversible if is_irreversible(planned.operation) else self._first
        if len(kept) < self._keep:
            kept.append(planned)

    def view(
        self,
        header: PlanHeader,
        provenance: Provenance,
        summary: PlanSummary,
        *,
        keep: int | None = None,
        options: ViewOptions | None = None,
        more: Sequence[PlannedOperation] = (),
    ) -> PlanView:
        """The finished view; `keep` makes do with fewer operations than were kept.

        `options` are those that became known meanwhile, `more` flagged operations that were not known beforehand.
        """
        options = options or self._options
        groups = tuple(self._groups.all())
        names = self._groups.totals.names
        money = MoneyFold()
        for group in groups:
            money.include(group.money)
        rules = blocking_rules(summary)
        places = Places(summary, provenance.made_from, options.forge)
        part = options.part
        return PlanView(
            header=header,
            provenance=provenance,
            summary=summary,
            headline=headline(summary, len(rules), part),
            progress=progress_words(options.progress),
            partial=partial_words(provenance, partial=header.partial),
            notes=opening_notes(provenance),
            approvals=approval_words(options.approvals),
            made_from=origin_words(provenance.made_from),
            rules=rules,
            findings=tuple(_finding_view(finding, names, places) for finding in summary.findings),
            remarks=tuple(map(visible, remarks(provenance, summary))),
            groups=groups,
            shown_groups=groups if part is None else tuple(group for group in groups if group.key in self._shown),
            irreversible=_irreversible(self._groups.totals),
            money=money,
            base=self._groups.totals.money.table(),
            rows=tuple(
                row_of(planned, self.masker, names, places)
                for planned in self._kept(self._keep if keep is None else keep, more)
            ),
            listed=summary.counts.total if part is None else part.count,
            titles={changeset.id: visible(changeset.title) for changeset in summary.changesets},
            descriptions={
                changeset.id: visible(changeset.description)
                for changeset in summary.changesets
                if changeset.description
            },
            names=names,
            places=places,
            masker=self.masker,
        )

    def _kept(self, most: int, more: Sequence[PlannedOperation]) -> Iterator[PlannedOperation]:
        """Flagged ones, irreversible ones, others, unsent ones; where not everything fits, never without an example
        of repeatable ones that are sent."""
        rank = self._flagged_ids
        told = [*more, *sorted(self._flagged, key=lambda planned: rank[planned.id])][:most]
        known = {planned.id for planned in told}
        irreversible, first, unsent = (
            [planned for planned in kept if planned.id not in known]
            for kept in (self._first_irreversible, self._first, self._unsent)
        )
        left = most - len(told)
        others = min(len(first), max(left // 2, left - len(irreversible)))
        sent = (*irreversible[: left - others], *first[:others])
        yield from (*told, *sent, *unsent[: left - len(sent)])


def _finding_view(finding: Finding, names: TargetNames, places: Places) -> FindingView:
    first = finding.evidence[0] if finding.evidence else None
    return FindingView(
        finding=finding,
        message=message_words(finding, names),
        lead=visible(first.lead or "") if first is not None else "",
        place=NOWHERE if first is None else places.of_evidence(first),
    )


def _irreversible(totals: PlanTotals) -> tuple[Irreversible, ...]:
    """The most numerous first."""
    return tuple(
        Irreversible(
            kind=kind,
            what=target_words(SPECS[kind].target or "", target, totals.names) if target else "",
            count=count,
        )
        for (kind, target), count in totals.strikes.most_common()
    )


def opening_notes(provenance: Provenance) -> tuple[str, ...]:
    """Notes that every view opens with."""
    note = provenance.ledger_note
    return (visible(note),) if note else ()
