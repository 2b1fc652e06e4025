"""A plan as a comment on a pull request: GitHub-flavoured Markdown, never over 60,000 characters.

Everything that is not our own wording stands in code spans: there Markdown, HTML, links, mentions and issue references
are dead text in every renderer. Where something does not fit, detail goes first, and the cut is said.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from syncengine.core.operations import Kind
from syncengine.core.plan import Blocker, PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import visible
from syncengine.reports.groups import Group
from syncengine.reports.model import Fold, PlanView, ViewOptions
from syncengine.reports.phrases import amount_words, change_words, field_words, leads_words
from syncengine.reports.rows import Row
from syncengine.reports.vocabulary import STRIKES, clip, kind_word, number, plural, signed, state_word

LIMIT = 60_000
"""In UTF-16 units, the strictest way in which a service may count characters."""

KEEP = 400
"""More operations than fit."""

_BACKTICKS = re.compile(r"`+")


def plan_markdown(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
) -> str:
    """The plan as one comment. All operations are read."""
    folding = markdown_fold(options)
    for planned in operations:
        folding.add(planned)
    return folded_markdown(folding, header, provenance, summary)


def markdown_fold(options: ViewOptions) -> Fold:
    """Takes every operation, then goes to `folded_markdown`."""
    return Fold(options, keep=KEEP)


def folded_markdown(folding: Fold, header: PlanHeader, provenance: Provenance, summary: PlanSummary) -> str:
    """The same from operations that were folded as they were planned."""
    view = folding.view(header, provenance, summary)
    sheet = Sheet(LIMIT - 500)
    _opening(sheet, view)
    _numbers(sheet, view)
    _strikes(sheet, view)
    _groups(sheet, view)
    _operations(sheet, view)
    _ending(sheet, view)
    return sheet.text()


class Sheet:
    """Lines within a budget. `add` is for what must stand there and is short; `some` takes what fits."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Lines that are never cut."""
        for line in lines:
            self._lines.append(line)
            self._left -= units(line) + 1

    def some(self, items: Sequence[str], share: float) -> int:
        """As many items as fit into this share of what is left; returns how many do not."""
        room = int(self._left * share)
        for position, item in enumerate(items):
            cost = units(item) + 1
            if cost > room:
                return len(items) - position
            room -= cost
            self.add(item)
        return 0

    def text(self) -> str:
        """Everything, with a line end after each line."""
        return "\n".join(self._lines) + "\n"


def units(text: str) -> int:
    """Length of `text` in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text) if not text.isascii() else len(text)


def code(text: str, limit: int = 200) -> str:
    """`text` as a code span that no content of it can end, on one line."""
    inner = clip(visible(text), limit) or '""'
    longest = max((len(run) for run in _BACKTICKS.findall(inner)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if inner[0] in "` " or inner[-1] in "` " else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def _summary(told: str, text: str) -> str:
    # Inside <summary> nothing is Markdown: escaped HTML, in <code> so that mentions and references stay dead.
    quoted = f" <code>{html.escape(clip(visible(text), 200))}</code>" if text else ""
    return f"<details><summary>{told}{quoted}</summary>"


def _opening(sheet: Sheet, view: PlanView) -> None:
    counts = view.counts
    does = "nothing to send"
    if counts.to_send:
        does = f"{plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')} to send"
    elif counts.blocked:
        does = f"blocked, {plural(counts.blocked, 'operation')} cannot be sent"
    sheet.add(f"## Plan for {code(view.header.account, 80)}: {does}", "")
    for note in view.notes:
        sheet.add("> [!WARNING]", f"> **Ledger:** {code(note, 600)}", "")
    if view.blocked:
        sheet.add(
            "> [!CAUTION]", f"> **Blocked** by {plural(len(view.blocked), 'finding')}: apply refuses this plan.", ""
        )
        _cut(
            sheet, sheet.some([_finding(finding) for finding in view.blocked[:KEEP]], 0.2), len(view.blocked), "finding"
        )
    if view.attention:
        sheet.add("### ⚠ Attention", "")
        _cut(
            sheet, sheet.some([f"- {code(line, 500)}" for line in view.attention], 0.25), len(view.attention), "warning"
        )


def _finding(finding: Blocker) -> str:
    about = [
        f"{code(finding.kind, 40)} " if finding.kind else "",
        f"lead {code(finding.lead)} " if finding.lead else "",
    ]
    return f"- ✗ {''.join(about)}{code(finding.reason, 500)}"


def _cut(sheet: Sheet, left: int, total: int, one: str) -> None:
    if total > KEEP:
        left = max(left, total - KEEP)
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
    if view.money:
        sheet.add("| money | old → new |", "| --- | --- |")
        sheet.add(*(f"| {name} | {amount_words(amounts)} |" for name, amounts in view.money.named()), "")


def _strikes(sheet: Sheet, view: PlanView) -> None:
    if not view.strikes:
        return
    sheet.add("### ‼ Irreversible: cannot be taken back, never sent twice", "")
    lines = []
    for strike in view.strikes:
        done = f" — **{number(strike.fold.done_before)} done before**" if strike.fold.done_before else ""
        what = f" {code(strike.fold.what)}" if strike.fold.what else ""
        leads = f"{plural(strike.fold.count, 'lead')}: {code(leads_words(strike.fold))}"
        lines.append(f"- **{strike.fold.kind.value}**{what} · {leads} · {code(change_words(strike.group), 300)}{done}")
    _cut(sheet, sheet.some(lines, 0.25), len(lines), "line")


def _groups(sheet: Sheet, view: PlanView) -> None:
    if not view.groups:
        return
    sheet.add("### Changes", "")
    missing = 0
    for changeset, groups in view.by_changeset:
        opening = _summary(f"<b>{html.escape(visible(changeset))}</b>", view.titles.get(changeset, ""))
        lines = [line for group in groups for line in _group(group, view)]
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


def _group(group: Group, view: PlanView) -> list[str]:
    states = ", ".join(f"{number(group.states[state])} {state_word(state)}" for state in State if group.states[state])
    name = code(group.change, 80) if group.changes == 1 else plural(group.changes, "further change")
    place = f" · {code(group.source, 300)}" if group.source else ""
    lines = [f"- **{name}** {states}{place}"]
    lines += [
        f"  - ‼ {strike.kind.value}{' ' + code(strike.what) if strike.what else ''}: {plural(strike.count, 'lead')}"
        for strike in group.strikes.values()
    ]
    lines += [
        f"  - {code(field, 80)}: {code(field_words(field, diffs, view.masker), 400)}"
        for field, diffs in group.fields.items()
    ]
    lines += [f"  - {label}: {amount_words(amounts)}" for label, amounts in group.money.named()]
    buyers = ", ".join(f"{code(buyer, 60)} ({number(n)})" for buyer, n in group.buyers.most_common(5))
    return [*lines, f"  - buyer: {buyers}"] if buyers else lines


def _operations(sheet: Sheet, view: PlanView) -> None:
    lines = [_operation(row) for row in view.rows]
    if not lines:
        return
    sheet.add("<details><summary>Operations one by one, irreversible ones first</summary>", "")
    left = sheet.some(lines, 0.95) + view.counts.total - len(lines)
    if left > 0:
        sheet.add(f"- *… and {plural(left, 'more operation')} not shown here: the HTML and JSON views have them.*")
    sheet.add("", "</details>", "")


def _operation(row: Row) -> str:
    strong = "‼ " if row.irreversible else ""
    state = "" if row.state is State.TO_SEND else f" · *{state_word(row.state)}*"
    what = f" {code(row.what)}" if row.what else ""
    head = f"- {strong}**{row.kind.value}** lead {code(row.lead, 40)}{what}{state} · {code(row.source, 200)}"
    lines = [head]
    for diff in row.diffs:
        before = "*unknown*" if diff.before is None else code(diff.before, 120)
        moved = f" ({signed(diff.change)})" if diff.change is not None else ""
        known = "" if diff.origin == "unknown" else f" · {code(diff.origin, 120)}"
        kept = "" if diff.sent else " · *already so, not sent*"
        lines.append(f"  - {code(diff.name, 80)} {before} → {code(diff.after, 120)}{moved}{known}{kept}")
    if row.reason:
        lines.append(f"  - {code(row.reason, 300)}")
    if row.done:
        lines.append(f"  - **done before**, by {code(', '.join(row.done[:5]), 200)}")
    return "\n".join(lines)


def _ending(sheet: Sheet, view: PlanView) -> None:
    made = f"made {code(view.provenance.created[:16], 40)} UTC by {code(view.provenance.tool, 40)}"
    sheet.add(f"Digest `{view.summary.digest}`, on {code(view.header.host, 120)}, {made}.")
