"""What the template of the HTML view is given: the plan's view in words and places, ready to be escaped."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncengine.core.finding import Evidence
from syncengine.core.operations import IRREVERSIBLE, Kind
from syncengine.core.plan import Counts
from syncengine.core.redaction import Masker, visible
from syncengine.reports.blocking import BlockingRule
from syncengine.reports.charts import MoneyCharts
from syncengine.reports.facts import with_name
from syncengine.reports.findings import shown_value, verdict_of
from syncengine.reports.groups import Group, StrikeFold
from syncengine.reports.model import FindingView, PlanView
from syncengine.reports.places import LinkedPlace, Places
from syncengine.reports.vocabulary import kind_word, number, plural, returns_words, strikes_words


class EvidenceLine(msgspec.Struct, frozen=True):
    """One piece of evidence as it is shown."""

    lead: str
    field: str
    before: str
    after: str
    place: LinkedPlace


class Told(msgspec.Struct, frozen=True):
    """One finding as it is shown."""

    rule: str
    severity: str
    message: str
    count: int
    lead: str
    place: LinkedPlace
    evidence: tuple[EvidenceLine, ...]


class Blocking(msgspec.Struct, frozen=True):
    """One rule that blocks the plan."""

    reason: str
    example: str


class ChangesetLines(msgspec.Struct, frozen=True):
    """One changeset and its changes."""

    id: str
    title: str
    description: str
    groups: list[Group]


def page_context(view: PlanView, charts: MoneyCharts) -> dict[str, object]:
    """Everything but the rows."""
    return {
        "notes": view.notes,
        "header": view.header,
        "provenance": view.provenance,
        "summary": view.summary,
        "counts": view.counts,
        "masker": view.masker,
        "verdict": verdict_of(view.summary),
        "headline": view.headline,
        "progress": view.progress,
        "partial": view.partial,
        "facts": list(_facts(view)),
        "findings": [_told(finding, view.masker, view.places) for finding in view.findings],
        "blocking": [_blocking(rule) for rule in view.rules],
        "remarks": view.remarks,
        "strikes": view.irreversible,
        "money": view.base,
        "returns": returns_words(returns) if (returns := view.counts.of(Kind.RETURN)) else "",
        "changesets": [
            ChangesetLines(name, view.titles.get(name, ""), view.descriptions.get(name, ""), groups)
            for name, groups in view.by_changeset
        ],
        "strike_words": _strike_words,
        "buyer_words": lambda buyer: with_name("buyer", buyer, view.names),
        "rows_words": lambda group: view.rows_taken(group).removeprefix(", "),
        "place_of": lambda group: _place_of(group, view.places),
        "bars": charts.histogram(),
        "bars_left_out": charts.left_out_words(),
        "largest": charts.largest(),
        "listed_in_all": view.listed,
    }


def _facts(view: PlanView) -> Iterator[str]:
    yield _counts_words(view.counts)
    if view.approvals:
        yield f"approvals: {view.approvals}"
    if view.made_from:
        yield view.made_from


def _counts_words(counts: Counts) -> str:
    told = f"{plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')} to send"
    kinds = [
        f"{number(counts.of(kind))} {kind_word(kind, counts.of(kind))}"
        for kind in Kind
        if counts.of(kind) and kind not in IRREVERSIBLE
    ]
    return f"{told}: {', '.join([*kinds, *filter(None, [strikes_words(counts)])])}" if counts.to_send else told


def _strike_words(strike: StrikeFold) -> str:
    return f"{strike.kind.value} {visible(strike.what)}".rstrip()


def _place_of(group: Group, places: Places) -> LinkedPlace:
    return places.of_change(group.origin) if group.origin is not None else LinkedPlace(group.source)


def _blocking(rule: BlockingRule) -> Blocking:
    example = " ".join(filter(None, (rule.kind, f"lead {rule.lead}" if rule.lead else "")))
    if rule.count > 1:
        example = f"{number(rule.count)} times, first: {example}" if example else f"{number(rule.count)} times"
    return Blocking(f"{rule.rule}: {rule.reason}" if rule.rule else rule.reason, example)


def _told(view: FindingView, masker: Masker, places: Places) -> Told:
    finding = view.finding
    return Told(
        rule=finding.rule,
        severity=finding.severity,
        message=view.message,
        count=finding.count,
        lead=view.lead,
        place=view.place,
        evidence=tuple(_piece(evidence, masker, places) for evidence in finding.evidence),
    )


def _piece(evidence: Evidence, masker: Masker, places: Places) -> EvidenceLine:
    shown = [shown_value(evidence.field, value, masker) for value in (evidence.before, evidence.after)]
    before, after = (visible(value) if value is not None else "" for value in shown)
    place = places.of_evidence(evidence)
    return EvidenceLine(visible(evidence.lead or ""), visible(evidence.field or ""), before, after, place)
