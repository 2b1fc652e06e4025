"""A plan on a terminal, 60 to 200 columns wide. Colour only repeats what symbols and words already say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from syncengine.core.operations import Kind
from syncengine.core.plan import PlanHeader, PlannedOperation, PlanSummary, Provenance, State
from syncengine.core.redaction import visible
from syncengine.reports.facts import with_name
from syncengine.reports.findings import flagged
from syncengine.reports.groups import OTHER, Group
from syncengine.reports.layout import Page, Piece, Style
from syncengine.reports.model import Fold, PlanView, ViewOptions
from syncengine.reports.phrases import amount_words, field_words
from syncengine.reports.rows import Diff, Row
from syncengine.reports.text_summary import summary_lines, verdict_style
from syncengine.reports.vocabulary import STRIKES, clip, number, plural, short, signed, state_word, strikes_words

NOTE_LINES = 20
GROUP_LINES = 60
SAMPLES = 6
"""Operations shown in full where a plan is too large to show them all."""

_SYMBOLS = {Kind.UPDATE: " ~", Kind.FINANCIALS: " $", **dict.fromkeys(STRIKES, "!!")}

_STATE_STYLE: dict[State, Style] = {
    State.TO_SEND: "good",
    State.ALREADY_APPLIED: "dim",
    State.UNCHANGED: "dim",
    State.HELD: "warn",
    State.BLOCKED: "alarm",
    State.IN_DOUBT: "alarm",
}


def plan_text(
    header: PlanHeader,
    provenance: Provenance,
    operations: Iterable[PlannedOperation],
    summary: PlanSummary,
    options: ViewOptions,
) -> Iterator[str]:
    """The plan, line by line without line ends. All operations are read before the first line comes."""
    folding = text_fold(options, summary)
    for planned in operations:
        folding.add(planned)
    yield from folded_text(folding, header, provenance, summary, options)


def text_fold(options: ViewOptions, summary: PlanSummary | None = None) -> Fold:
    """Takes every operation, then goes to `folded_text`; `summary` where its findings are known beforehand."""
    most = max(options.detail, SAMPLES)
    return Fold(options, keep=most, flagged=() if summary is None else flagged(summary.findings, most))


def folded_text(
    folding: Fold,
    header: PlanHeader,
    provenance: Provenance,
    summary: PlanSummary,
    options: ViewOptions,
    *,
    more: Sequence[PlannedOperation] = (),
) -> Iterator[str]:
    """The same from operations that were folded as they were planned; `more` are those that findings name."""
    listed = summary.counts.total if options.part is None else options.part.count
    keep = options.detail if listed <= options.detail else SAMPLES
    view = folding.view(header, provenance, summary, keep=keep, options=options, more=more)
    page = Page(options.columns, colour=options.colour)
    yield from summary_lines(page, view)
    yield from _notes(page, view)
    yield from _numbers(page, view)
    yield from _groups(page, view)
    yield from _operations(page, view)
    yield from _ending(page, view)


def _notes(page: Page, view: PlanView) -> Iterator[str]:
    if not view.remarks:
        return
    yield from page.heading("Notes")
    for line in view.remarks[:NOTE_LINES]:
        yield from page.line("- ", clip(line, 400), indent=2, hang=2)
    yield from _more(page, len(view.remarks) - NOTE_LINES, "note")


def _more(page: Page, left: int, one: str) -> Iterator[str]:
    if left > 0:
        text = f"… and {plural(left, f'more {one}')} not shown here; --format html or json has them"
        yield from page.line(Piece(text, "dim"), indent=2, hang=2)


def _numbers(page: Page, view: PlanView) -> Iterator[str]:
    counts = view.counts
    yield from page.heading("To be sent", f"{plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')}")
    if counts.irreversible:
        yield from page.line(Piece("!! ", "alarm"), strikes_words(counts), indent=2, hang=3)
    if counts.update:
        yield from page.line(Piece(" ~ ", "key"), plural(counts.update, "update"), indent=2)
    if counts.financials:
        yield from page.line(Piece(" $ ", "key"), f"{number(counts.financials)} financials", indent=2)
    if counts.skipped_fields:
        yield from page.line(f"   {plural(counts.skipped_fields, 'empty field')} left out (skip_empty)", indent=2)
    yield from _unsent(page, view)


def _unsent(page: Page, view: PlanView) -> Iterator[str]:
    counts = view.counts
    unsent = counts.total - counts.to_send
    if not unsent:
        return
    yield from page.heading("Not sent", plural(unsent, "operation"))
    for state in State:
        total = 0 if state is State.TO_SEND else int(getattr(counts, state.value))
        if total:
            yield from page.line(Piece(f"{number(total)} {state_word(state)}", _STATE_STYLE[state]), indent=2)
            yield from _reasons(page, view, state)


def _reasons(page: Page, view: PlanView, state: State) -> Iterator[str]:
    ordered = view.unsent.most_common()
    told = [(reason, n) for (of, reason), n in ordered if of is state and reason not in ("", OTHER)]
    for reason, n in told[:3]:
        text = clip(visible(reason), 200)
        yield from page.line(f"{text} ({number(n)})" if n > 1 else text, indent=4, hang=2)
    if len(told) > 3:
        yield from page.line(Piece(f"… and {plural(len(told) - 3, 'more reason')}", "dim"), indent=4, hang=2)


def _groups(page: Page, view: PlanView) -> Iterator[str]:
    if not view.shown_groups:
        return
    yield from page.heading("Changes", plural(sum(group.changes for group in view.shown_groups), "change"))
    left = GROUP_LINES
    for changeset, groups in view.by_changeset:
        if left <= 0:
            break
        title = clip(view.titles.get(changeset, ""), 200)
        yield from page.line(Piece(visible(changeset), "bold"), Piece(f"  {title}", "dim"), indent=2, hang=2)
        if changeset in view.descriptions:
            yield from page.line(Piece(clip(view.descriptions[changeset], 400), "dim"), indent=4)
        for group in groups[:left]:
            yield from _group(page, group, view)
        left -= len(groups)
    yield from _more(page, len(view.shown_groups) - GROUP_LINES, "change")


def _group(page: Page, group: Group, view: PlanView) -> Iterator[str]:
    name = visible(group.change) if group.changes == 1 else plural(group.changes, "further change")
    states = ", ".join(f"{number(group.states[state])} {state_word(state)}" for state in State if group.states[state])
    yield from page.line(
        Piece("!! ", "alarm") if group.irreversible else Piece(" · ", "key"),
        Piece(name, "bold"),
        f"  {states}",
        f"{view.rows_taken(group)}",
        Piece(f"  {group.source}", "dim"),
        indent=2,
        hang=5,
    )
    for line in _group_details(group, view):
        yield from page.line(*line, indent=7, hang=2)


def _group_details(group: Group, view: PlanView) -> Iterator[tuple[Piece | str, ...]]:
    for strike in group.strikes.values():
        what = f"{strike.kind.value} {strike.what}".strip()
        yield Piece(what, "alarm"), f": {plural(strike.count, 'lead')}"
    for field, diffs in group.fields.items():
        yield (f"{visible(field)}: {field_words(field, diffs, view.masker)}",)
    for label, amounts in group.money.named():
        yield (f"{label}: {plural(amounts.count, 'lead')}, {amount_words(amounts)}",)
    if group.buyers:
        told = ", ".join(
            f"{with_name('buyer', buyer, view.names)} ({number(n)})" for buyer, n in group.buyers.most_common(5)
        )
        yield (f"buyer: {told}",)


def _operations(page: Page, view: PlanView) -> Iterator[str]:
    if not view.rows:
        return
    left = view.listed - len(view.rows)
    note = f"{len(view.rows)} of {number(view.listed)}, those with findings first" if left else ""
    yield from page.heading("Operations", note)
    for row in view.rows:
        yield from operation_lines(page, row)
    yield from _more(page, left, "operation")


def operation_lines(page: Page, row: Row) -> Iterator[str]:
    """One operation in full: what, where declared, before and after with their origin, and why it is not sent."""
    yield from page.line(
        Piece(f"{_SYMBOLS[row.kind]} ", "alarm" if row.irreversible else "key"),
        Piece(row.kind.value, "bold"),
        f" lead {row.lead} {row.what}".rstrip(),
        Piece(" IRREVERSIBLE" if row.irreversible else "", "alarm"),
        *([] if row.state is State.TO_SEND else [Piece(f"  [{state_word(row.state)}]", _STATE_STYLE[row.state])]),
        Piece(f"  {row.place.text or row.source}  {short(row.id)}", "dim"),
        indent=2,
        hang=3,
    )
    for diff in row.diffs:
        yield from page.line(*diff_pieces(diff), indent=7, hang=2)
    if row.reason:
        yield from page.line(Piece(clip(row.reason, 400), _STATE_STYLE[row.state]), indent=7, hang=2)
    if row.done:
        yield from page.line(Piece(f"done before, by {', '.join(row.done[:5])}", "alarm"), indent=7, hang=2)


def diff_pieces(diff: Diff) -> list[Piece]:
    """ "postcode T•••••QD → T•••••XX (+10.00)  ledger: changeset"."""
    before = Piece("unknown", "dim") if diff.before is None else Piece(f"{diff.before} {diff.before_name}".rstrip())
    moved = f" ({signed(diff.change)})" if diff.change is not None else ""
    origin = diff.origin.removeprefix("unknown").removeprefix(": ")
    quiet = f"  {origin}" if origin else ""
    kept = "" if diff.sent else "  (already so, not sent)"
    return [
        Piece(f"{diff.name} ", "key"),
        before,
        Piece(" → "),
        Piece(f"{diff.after} {diff.after_name}".rstrip(), "bold"),
        Piece(moved),
        Piece(quiet + kept, "dim"),
    ]


def _ending(page: Page, view: PlanView) -> Iterator[str]:
    yield ""
    counts = view.counts
    if view.blocked or counts.blocked:
        yield from page.line(Piece("This plan is blocked: apply refuses it.", "alarm"))
    elif counts.to_send:
        tail = f", {number(counts.irreversible)} of them irreversible" if counts.irreversible else ""
        told = f"Apply would send {plural(counts.to_send, 'operation')} to {plural(counts.leads, 'lead')}{tail}."
        yield from page.line(Piece(told, "bold"))
    yield from page.line(Piece(view.headline, verdict_style(view)))
