"""A plan as a comment on a pull request: GitHub-flavoured Markdown, never over 60,000 characters.

Everything that is not our own wording is in code spans: there Markdown, HTML, links, mentions and issue references
are dead text in every renderer. Our own sentences are text. Where something does not fit, detail goes first, and the
cut is said.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence

from syncengine.core.operations import Kind
from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import visible
from syncengine.reports.blocking import BlockingRule
from syncengine.reports.facts import with_name
from syncengine.reports.findings import OPEN_FIELDS, flagged, verdict_of
from syncengine.reports.groups import Group
from syncengine.reports.markdown_parts import Links, Sheet, code, prose, units
from syncengine.reports.model import FindingView, Fold, PlanView, ViewOptions
from syncengine.reports.phrases import amount_words, field_words
from syncengine.reports.rows import Diff, Row
from syncengine.reports.vocabulary import (
    STRIKES,
    clip,
    kind_word,
    money,
    number,
    plural,
    returns_words,
    short,
    signed,
    state_word,
)

LIMIT = 60_000
"""In UTF-16 units, the strictest way in which a service may count characters."""

FIRST_SCREEN = 3_900
"""Characters in which verdict, findings, irreversible operations and money fit for up to twelve findings."""

OPERATIONS = 20
FIRST = 12
"""Findings before money, if there are more."""
RULES = 6
TARGETS = 6
MOST = 200
"""Findings and notes that are looked at to fill the room that there is."""


def plan_markdown(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
) -> str:
    """The plan as one comment. All operations are read."""
    folding = markdown_fold(options, summary)
    for planned in operations:
        folding.add(planned)
    return folded_markdown(folding, header, provenance, summary, options)


def markdown_fold(options: ViewOptions, summary: PlanSummary | None = None) -> Fold:
    """Takes every operation, then goes to `folded_markdown`; `summary` where its findings are known beforehand."""
    return Fold(options, keep=OPERATIONS, flagged=() if summary is None else flagged(summary.findings, OPERATIONS))


def folded_markdown(
    folding: Fold,
    header: PlanHeader,
    provenance: Provenance,
    summary: PlanSummary,
    options: ViewOptions,
    *,
    more: Sequence[PlannedOperation] = (),
) -> str:
    """The same from operations that were folded as they were planned; `more` are those that findings name."""
    view = folding.view(header, provenance, summary, options=options, more=more[:OPERATIONS])
    links = Links(provenance.selection.each)
    sheet = Sheet(LIMIT - 500)
    opening, below = _opening(view, options), [*_irreversible(view), *_money(view)]
    sheet.add(*opening)
    _findings(sheet, view, links, FIRST_SCREEN - sum(units(line) + 1 for line in (*opening, *below)))
    sheet.add(*below)
    _more_findings(sheet, view, links)
    _numbers(sheet, view)
    _groups(sheet, view, links)
    _operations(sheet, view, links)
    _ending(sheet, view)
    sheet.close(links.definitions())
    return sheet.text()


def _summary(told: str, text: str) -> str:
    # Inside <summary> nothing is Markdown: escaped HTML, in <code> so that mentions and references stay dead.
    quoted = f" <code>{html.escape(clip(visible(text), 200))}</code>" if text else ""
    return f"<details><summary>{told}{quoted}</summary>"


def _opening(view: PlanView, options: ViewOptions) -> list[str]:
    lines: list[str] = []
    if view.progress:
        lines += [f"**{prose(view.progress)}**", ""]
    for note in view.notes:
        lines += ["> [!WARNING]", f"> **Ledger:** {prose(clip(note, 600))}", ""]
    if view.partial:
        lines += ["> [!WARNING]", f"> **Partial:** {prose(view.partial)}", ""]
    counts = view.counts
    does = f" · {plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')} to send"
    mark = {"blocked": "⛔ ", "attention": "⚠️ "}.get(verdict_of(view.summary), "")
    lines += [f"## {mark}{view.headline}{does if counts.to_send else ''}", ""]
    facts = [f"Plan `{short(view.summary.digest)}` for {code(view.header.account, 80)}"]
    if view.made_from:
        made = view.provenance.made_from
        facts.append(f"from {prose(clip(view.made_from, 300), (made.branch, *made.differ))}")
    if view.approvals:
        facts.append(f"approvals: {prose(clip(view.approvals, 300))}")
    if options.artifact:
        facts.append(f"[all operations, with search and charts]({options.artifact})")
    return [*lines, " · ".join(facts), ""]


def _findings(sheet: Sheet, view: PlanView, links: Links, room: int) -> None:
    """Rules that block, then findings: each gets its share of the room, so that twelve of them fit."""
    told = len(view.rules[:RULES]) + len(view.findings[:FIRST])
    if not told:
        return
    share = max(120, min(600, room // told - 30))
    sheet.add(*(_rule(rule, share) for rule in view.rules[:RULES]))
    if len(view.rules) > RULES:
        sheet.add(f"- *… and {plural(len(view.rules) - RULES, 'more rule')}: the HTML and JSON views have them.*")
    sheet.add(*(_finding(each, view, links, share) for each in view.findings[:FIRST]))
    if len(view.findings) > FIRST:
        sheet.add(f"- *… and {plural(len(view.findings) - FIRST, 'more finding')}, listed below*")
    sheet.add("")


def _rule(rule: BlockingRule, share: int) -> str:
    about = " ".join(filter(None, (rule.kind and code(rule.kind, 40), rule.lead and f"lead {code(rule.lead, 40)}")))
    more = f", and {number(rule.count - 1)} more" if rule.count > 1 else ""
    name = f" {code(rule.rule, 60)}" if rule.rule else ""
    said = prose(clip(rule.reason, max(60, share - 60)))
    return f"- **blocked**{name} {said}{more}{f' · {about}' if about else ''}"


def _finding(each: FindingView, view: PlanView, links: Links, share: int) -> str:
    foreign = _foreign_words(each, view)
    example = [f"lead {code(each.lead, 40)}"] if each.lead else []
    if each.place.text:
        example.append(links.place(each.place, 80))
    tail = f" · {', '.join(example)}" if example else ""
    message = each.message
    while True:
        line = f"- **{each.severity}** {prose(message, foreign)}{tail}"
        if units(line) <= share or len(message) <= 40:
            return line
        message = clip(message, max(40, len(message) - max(8, units(line) - share)))


def _foreign_words(each: FindingView, view: PlanView) -> list[str | None]:
    """The names and values in a finding's message, which must be code."""
    finding = each.finding
    targets = [called for (_, target), name in view.names.items() if (called := f"{target} {name}") in each.message]
    if not finding.evidence:
        return [finding.change, finding.changeset, *targets]
    first = finding.evidence[0]
    field = None if first.field is None or first.field in OPEN_FIELDS else first.field
    return [finding.change, finding.changeset, field, first.before, first.after, first.lead, *targets]


def _irreversible(view: PlanView) -> list[str]:
    if not view.counts.irreversible:
        return []
    lines = [f"**‼ {number(view.counts.irreversible)} irreversible**: cannot be taken back, never sent twice", ""]
    for each in view.irreversible[:TARGETS]:
        what = f" {code(each.what, 80)}" if each.what else ""
        lines.append(f"- {number(each.count)} × {each.kind.value}{what}")
    left = view.irreversible[TARGETS:]
    if left:
        total = sum(each.count for each in left)
        lines.append(f"- {number(total)} to {plural(len(left), 'other target')}")
    return [*lines, ""]


def _money(view: PlanView) -> list[str]:
    lines: list[str] = []
    if view.base.rows:
        lines += ["| money | before | after | difference | |", "| --- | ---: | ---: | ---: | ---: |"]
        lines += [
            f"| {row.name} | {_marked(row.before)} | {_marked(row.after)} | {_marked(row.difference, signed)} "
            f"| {row.percent} |"
            for row in view.base.rows
        ]
        lines.append("")
    if view.base:
        lines += [f"Money {view.base.base_words}.", ""]
    returns = view.counts.of(Kind.RETURN)
    return [*lines, f"{returns_words(returns)}.", ""] if returns else lines


def _marked(amount: int, words: Callable[[int], str] = money) -> str:
    """Negative ones are marked."""
    return f"🔻 **{words(amount)}**" if amount < 0 else words(amount)


def _more_findings(sheet: Sheet, view: PlanView, links: Links) -> None:
    later = view.findings[FIRST:]
    if later:
        sheet.add(f"<details><summary>{plural(len(later), 'more finding')}</summary>", "")
        left = sheet.some([_finding(each, view, links, 400) for each in later[:MOST]], 0.25)
        _cut(sheet, left, len(later), "finding")
        sheet.add("</details>", "")
    if view.remarks:
        sheet.add("<details><summary>Notes</summary>", "")
        left = sheet.some([f"- {prose(clip(line, 400))}" for line in view.remarks[:MOST]], 0.15)
        _cut(sheet, left, len(view.remarks), "note")
        sheet.add("</details>", "")


def _cut(sheet: Sheet, left: int, total: int, one: str) -> None:
    if total > MOST:
        left = max(left, left + total - MOST)
    if left:
        sheet.add(f"- *… and {plural(left, f'more {one}')} not shown here: the HTML and JSON views have them.*")
    sheet.add("")


def _numbers(sheet: Sheet, view: PlanView) -> None:
    counts = view.counts
    sheet.add("| to be sent | operations |", "| --- | ---: |")
    if counts.irreversible:
        sheet.add(f"| **‼ irreversible** | **{number(counts.irreversible)}** |")
    for kind in (*STRIKES, Kind.UPDATE, Kind.FINANCIALS):
        count = counts.of(kind)
        if count:
            sheet.add(f"| {kind_word(kind, 2)} | {number(count)} |")
    for state in State:
        count = int(getattr(counts, state.value))
        if count and state is not State.TO_SEND:
            sheet.add(f"| *not sent: {state_word(state)}* | {number(count)} |")
    sheet.add(f"| total in the plan | {number(counts.total)} |", "")


def _groups(sheet: Sheet, view: PlanView, links: Links) -> None:
    if not view.shown_groups:
        return
    sheet.add("### Changes", "")
    missing = 0
    for changeset, groups in view.by_changeset:
        opening = _summary(f"<b>{html.escape(visible(changeset))}</b>", view.titles.get(changeset, ""))
        description = view.descriptions.get(changeset, "")
        lines = [code(clip(description, 600), 600), ""] if description else []
        lines += [line for group in groups for line in _group(group, view, links)]
        # Each changeset may take half of what is left, so that the last ones still show.
        missing += bool(sheet.some(["\n".join([opening, "", *_fitting(lines, 8_000), "", "</details>", ""])], 0.5))
    if missing:
        sheet.add(f"*… and {plural(missing, 'more changeset')} not shown here: the HTML and JSON views have them.*", "")


def _fitting(lines: Sequence[str], limit: int) -> list[str]:
    kept: list[str] = []
    for position, line in enumerate(lines):
        limit -= units(line) + 1
        if limit < 0:
            return [*kept, "", f"*… and {plural(len(lines) - position, 'more line')} not shown here.*"]
        kept.append(line)
    return kept


def _group(group: Group, view: PlanView, links: Links) -> list[str]:
    states = ", ".join(f"{number(group.states[state])} {state_word(state)}" for state in State if group.states[state])
    name = code(group.change, 80) if group.changes == 1 else plural(group.changes, "further change")
    place = f" · {links.place(view.places.of_change(group.origin))}" if group.origin is not None else ""
    return [f"- **{name}** {states}{view.rows_taken(group)}{place}", *_group_details(group, view)]


def _group_details(group: Group, view: PlanView) -> Iterator[str]:
    for strike in group.strikes.values():
        what = f" {code(strike.what)}" if strike.what else ""
        yield f"  - ‼ {strike.kind.value}{what}: {plural(strike.count, 'lead')}"
    for field, diffs in group.fields.items():
        yield f"  - {code(field, 80)}: {code(field_words(field, diffs, view.masker), 400)}"
    for label, amounts in group.money.named():
        yield f"  - {label}: {amount_words(amounts)}"
    buyers = ", ".join(
        f"{code(with_name('buyer', buyer, view.names), 80)} ({number(n)})" for buyer, n in group.buyers.most_common(5)
    )
    if buyers:
        yield f"  - buyer: {buyers}"


def _operations(sheet: Sheet, view: PlanView, links: Links) -> None:
    lines = [_operation(row, links) for row in view.rows]
    if not lines:
        return
    sheet.add("<details><summary>Operations one by one, those with findings first</summary>", "")
    left = sheet.some(lines, 0.9) + view.listed - len(lines)
    if left > 0:
        sheet.add(f"- *… and {plural(left, 'more operation')} not shown here: the HTML and JSON views have them.*")
    sheet.add("", "</details>", "")


def _operation(row: Row, links: Links) -> str:
    strong = "‼ " if row.irreversible else ""
    state = "" if row.state is State.TO_SEND else f" · *{state_word(row.state)}*"
    what = f" {code(row.what)}" if row.what else ""
    head = f"- {strong}**{row.kind.value}** lead {code(row.lead, 40)}{what}{state} · {links.place(row.place)}"
    lines = [head, *map(_diff, row.diffs)]
    if row.reason:
        lines.append(f"  - {code(row.reason, 300)}")
    if row.done:
        lines.append(f"  - **done before**, by {code(', '.join(row.done[:5]), 200)}")
    return "\n".join(lines)


def _diff(diff: Diff) -> str:
    before = "*unknown*" if diff.before is None else code(f"{diff.before} {diff.before_name}".rstrip(), 120)
    after = code(f"{diff.after} {diff.after_name}".rstrip() if diff.after_name else diff.after, 120)
    moved = f" ({_marked(diff.change, signed)})" if diff.change is not None else ""
    known = "" if diff.origin == "unknown" else f" · {code(diff.origin, 120)}"
    kept = "" if diff.sent else " · *already so, not sent*"
    return f"  - {code(diff.name, 80)} {before} → {after}{moved}{known}{kept}"


def _ending(sheet: Sheet, view: PlanView) -> None:
    made = f"made {code(view.provenance.created[:16], 40)} UTC by {code(view.provenance.tool, 40)}"
    sheet.add(f"Digest `{view.summary.digest}`, on {code(view.header.host, 120)}, {made}.")
