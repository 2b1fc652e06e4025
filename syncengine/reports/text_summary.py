"""The first screen of a plan on a terminal: verdict, findings, what cannot be taken back, and money.

It fits 80 columns by 40 lines for up to twelve findings: where there is room findings take the lines that they need,
else their messages are cut and their examples stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from syncengine.core.operations import Kind
from syncengine.core.redaction import visible
from syncengine.reports.blocking import BlockingRule
from syncengine.reports.findings import verdict_of
from syncengine.reports.layout import Page, Piece, Style, cells, cut
from syncengine.reports.model import FindingView, PlanView
from syncengine.reports.money import MoneyRow
from syncengine.reports.vocabulary import clip, money, number, plural, returns_words, short, signed

SCREEN = 39
"""Lines of the first screen, with one to spare for the prompt."""
FIRST = 12
"""Findings on the first screen, if there are more."""
MOST = 100
"""Findings that are listed at all."""
TARGETS = 5
RULES = 6
_HANG = 10
_LONGEST = 400
_LONGEST_EXAMPLE = 60

_MARKS: dict[str, Piece] = {
    "high": Piece("!! high   ", "alarm"),
    "medium": Piece("!  medium ", "warn"),
    "info": Piece("   info   ", "dim"),
}
_STYLES: dict[str, Style] = {"blocked": "alarm", "attention": "warn", "clear": "good", "nothing": "good"}


def verdict_style(view: PlanView) -> Style:
    """How the verdict is coloured."""
    return _STYLES[verdict_of(view.summary)]


def summary_lines(page: Page, view: PlanView) -> Iterator[str]:
    """The first screen, then the findings that are not on it."""
    opening = list(_opening(page, view))
    below = [*_irreversible(page, view), *_money(page, view)]
    told = [_rule_entry(rule) for rule in view.rules[:RULES]] + [_finding_entry(each) for each in view.findings[:FIRST]]
    yield from opening
    if told:
        yield ""
        yield from _fitted(page, told, SCREEN - len(opening) - len(below) - 2)
        yield from _left_out(page, view)
    yield from below
    later = view.findings[FIRST:MOST]
    if later:
        yield from page.heading("More findings", plural(len(view.findings) - FIRST, "finding"))
        for each in later:
            yield from _full(page, _finding_entry(each))
        yield from _more(page, len(view.findings) - MOST, "finding")


def _opening(page: Page, view: PlanView) -> Iterator[str]:
    counts = view.counts
    if view.progress:
        yield from page.line(Piece(view.progress, "bold"), hang=2)
    for note in view.notes:
        yield from page.line(Piece("! LEDGER  ", "alarm"), Piece(note, "warn"), hang=_HANG)
    if view.partial:
        yield from page.line(Piece("! PARTIAL ", "alarm"), Piece(view.partial, "warn"), hang=_HANG)
    does = f" · {plural(counts.to_send, 'operation')} on {plural(counts.leads, 'lead')} to send"
    yield from page.line(Piece(view.headline, verdict_style(view)), does if counts.to_send else "", hang=2)
    yield from page.line(Piece("Plan ", "bold"), Piece(view.summary.digest, "key"), hang=5)
    told = [
        f"account {visible(view.header.account)} on {visible(view.header.host)}",
        plural(len(view.summary.changesets), "changeset"),
        plural(counts.total, "operation"),
    ]
    yield from page.line(Piece(" · ".join(told), "dim"), hang=2)
    made = f"made {visible(view.provenance.created[:16])} UTC" + (f" from {view.made_from}" if view.made_from else "")
    yield from page.line(Piece(made, "dim"), hang=2)
    if view.approvals:
        yield from page.line(Piece("approvals: ", "dim"), view.approvals, hang=2)


class _Entry(NamedTuple):
    """A mark, what is said, an example, and both in few words for where there is little room."""

    mark: Piece
    said: str
    example: str
    short_said: str
    short_example: str


def _rule_entry(rule: BlockingRule) -> _Entry:
    about = " ".join(filter(None, (rule.kind, rule.lead and f"lead {rule.lead}")))
    said = f"{rule.rule}: {rule.reason}" if rule.rule else rule.reason
    if rule.count > 1:
        said += f", and {number(rule.count - 1)} more"
    where = f"{about} ({short(rule.operation)})" if rule.operation else about
    return _Entry(Piece("x BLOCKED ", "alarm"), said, where, said, about)


def _finding_entry(each: FindingView) -> _Entry:
    return _Entry(
        _MARKS[each.severity],
        each.message,
        _tail(each.example),
        each.short_message,
        _tail(each.place.text or each.example),
    )


def _tail(text: str) -> str:
    """The end of a place says the file and line."""
    return text if cells(text) <= _LONGEST_EXAMPLE else "…" + text[-_LONGEST_EXAMPLE + 1 :]


def _fitted(page: Page, entries: Sequence[_Entry], room: int) -> Iterator[str]:
    """Every entry in full where there is room; else the last ones in few words, and then on one line each."""
    forms = [_full(page, entry) for entry in entries]
    for shorter in (_in_few_words, _on_one_line):
        for position in reversed(range(len(entries))):
            if sum(map(len, forms)) > room and len(forms[position]) > 1:
                forms[position] = shorter(page, entries[position])
    for form in forms:
        yield from form


def _full(page: Page, entry: _Entry) -> list[str]:
    return _entry_lines(page, entry.mark, clip(entry.said, _LONGEST), entry.example)


def _in_few_words(page: Page, entry: _Entry) -> list[str]:
    return _entry_lines(page, entry.mark, clip(entry.short_said, _LONGEST), entry.short_example)


def _on_one_line(page: Page, entry: _Entry) -> list[str]:
    room = page.width - _HANG - cells(entry.short_example) - 2
    lines = _entry_lines(page, entry.mark, cut(entry.short_said, max(room, 12)), entry.short_example)
    return lines[:1] if room >= 12 else lines


def _entry_lines(page: Page, mark: Piece, said: str, example: str) -> list[str]:
    return list(page.line(mark, said, Piece(f"  {example}" if example else "", "dim"), hang=_HANG))


def _left_out(page: Page, view: PlanView) -> Iterator[str]:
    yield from _more(page, len(view.rules) - RULES, "rule that blocks", "rules that block")
    more = len(view.findings) - FIRST
    if more > 0:
        yield from page.line(Piece(f"… and {plural(more, 'more finding')}, listed below", "dim"), indent=_HANG)


def _more(page: Page, left: int, one: str, many: str = "") -> Iterator[str]:
    if left > 0:
        text = f"… and {number(left)} more {one if left == 1 else many or one + 's'}; --format json has them"
        yield from page.line(Piece(text, "dim"), indent=2, hang=2)


def _irreversible(page: Page, view: PlanView) -> Iterator[str]:
    counts = view.counts
    if not counts.irreversible:
        return
    yield ""
    yield from page.line(
        Piece(f"!! {number(counts.irreversible)} IRREVERSIBLE", "alarm"), ": cannot be taken back, never sent twice"
    )
    for each in view.irreversible[:TARGETS]:
        what = f"{each.kind.value} {each.what}".strip()
        yield from page.line(f"{number(each.count):>7}  ", Piece(what, "bold"), indent=3, hang=9)
    left = view.irreversible[TARGETS:]
    if left:
        total = sum(each.count for each in left)
        yield from page.line(f"{number(total):>7}  to {plural(len(left), 'other target')}", indent=3)


def _money(page: Page, view: PlanView) -> Iterator[str]:
    returns = view.counts.of(Kind.RETURN)
    if not view.base and not returns:
        return
    yield ""
    if view.base:
        yield from page.line(Piece("Money ", "bold"), Piece(view.base.base_words, "dim"), hang=2)
        yield from _money_table(page, view.base.rows)
    if returns:
        yield from page.line(Piece(returns_words(returns), "warn"), indent=3)


def _money_table(page: Page, amounts: Sequence[MoneyRow]) -> Iterator[str]:
    if not amounts:
        return
    rows: list[tuple[str, ...]] = [("", "before", "after", "difference", "")]
    rows += [(row.name, *map(_marked, (row.before, row.after)), _marked(row.difference, signed), row.percent)
             for row in amounts]  # fmt: skip
    widths = [max(cells(row[column]) for row in rows) for column in range(5)]
    for values, row in zip(rows, (None, *amounts), strict=True):
        text = "  ".join(value.rjust(width) for value, width in zip(values, widths, strict=True))
        yield from page.line(Piece(text, _money_style(row)), indent=3, hang=2)


def _money_style(row: MoneyRow | None) -> Style:
    if row is None:
        return "dim"
    return "alarm" if row.after < 0 or (row.name == "margin" and row.difference < 0) else "plain"


def _marked(amount: int, words: Callable[[int], str] = money) -> str:
    """Negative ones carry a mark that needs no colour."""
    return f"{words(amount)} !" if amount < 0 else f"{words(amount)}  "
