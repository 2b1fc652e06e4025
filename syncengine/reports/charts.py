"""Bars for the HTML view: what each change does, and the money it moves, in units of the chart's width."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncengine.core.operations import IRREVERSIBLE, Kind
from syncengine.core.plan import Counts, State
from syncengine.core.redaction import visible
from syncengine.reports.groups import AmountFold, Group
from syncengine.reports.phrases import amount_words
from syncengine.reports.vocabulary import STRIKES, kind_word, number

WIDTH = 1000
"""Units from the left edge to the right; the page stretches them to whatever room there is."""

BARS = 12
"""Changes with a bar of their own; the others share one."""

_ORDER = (*STRIKES, Kind.FINANCIALS, Kind.UPDATE)
_USUAL = frozenset({Kind.TRIGGER, Kind.REPROCESS, Kind.FINANCIALS, Kind.UPDATE})


class Segment(msgspec.Struct, frozen=True):
    """A part of a bar. `style` names its colour in the stylesheet."""

    x: int
    width: int
    style: str


class Bar(msgspec.Struct, frozen=True):
    """One labelled bar (or two, one above the other: `upper` is what was before)."""

    label: str
    note: str
    words: str
    segments: tuple[Segment, ...]
    upper: tuple[Segment, ...] = ()


def style_of(kind: Kind) -> str:
    """The classes that give a kind its colour; an irreversible one has an alarming colour without one of its own."""
    return f"strike {kind.value}" if kind in IRREVERSIBLE else kind.value


def legend(counts: Counts) -> list[tuple[str, str]]:
    """Colours and names of the kinds: those that most plans hold, and what else this one does."""
    shown = [kind for kind in _ORDER if kind in _USUAL or counts.of(kind)]
    return [(style_of(kind), kind.value) for kind in shown]


def operation_bars(groups: Sequence[Group]) -> list[Bar]:
    """Operations to be sent by change, irreversible ones at the left, the largest change first."""
    sending = sorted((group for group in groups if group.states[State.TO_SEND]), key=lambda g: -g.states[State.TO_SEND])
    if not sending:
        return []
    rest = sending[BARS:]
    counted = [(_label(group), visible(group.changeset), dict(group.kinds)) for group in sending[:BARS]]
    if rest:
        kinds = {kind: sum(group.kinds[kind] for group in rest) for kind in _ORDER}
        counted.append((f"{number(sum(group.changes for group in rest))} other changes", "", kinds))
    largest = max(sum(kinds.values()) for _, _, kinds in counted)
    return [_operation_bar(label, note, kinds, largest) for label, note, kinds in counted]


def _label(group: Group) -> str:
    return visible(group.change) if group.changes == 1 else f"{number(group.changes)} further changes"


def _operation_bar(label: str, note: str, kinds: dict[Kind, int], largest: int) -> Bar:
    segments: list[Segment] = []
    x = 0
    for kind in _ORDER:
        if kinds.get(kind):
            # At least a sliver: a single trigger beside thousands of updates must still be seen.
            width = max(6 if kind in IRREVERSIBLE else 2, kinds[kind] * WIDTH // largest)
            segments.append(Segment(x, min(width, WIDTH - x), style_of(kind)))
            x = min(x + width, WIDTH)
    words = ", ".join(f"{number(kinds[kind])} {kind_word(kind, kinds[kind])}" for kind in _ORDER if kinds.get(kind))
    return Bar(label, note, words, tuple(segments))


def money_bars(groups: Sequence[Group]) -> list[Bar]:
    """Old money above, new money below, by change; new money whose old amount is unknown is drawn lighter."""
    paying = sorted((group for group in groups if group.money), key=lambda group: -_size(group))[:BARS]
    largest = max((_size(group) for group in paying), default=0) or 1
    bars: list[Bar] = []
    for group in paying:
        for name, amounts in group.money.named():
            if name != "margin":
                bars.append(_money_bar(f"{_label(group)}: {name}", visible(group.changeset), amounts, largest, name))
    return bars


def _size(group: Group) -> int:
    return max(
        abs(amount)
        for fold in (group.money.payout, group.money.revenue)
        for amount in (fold.new, fold.known_old, fold.known_new)
    )


def _money_bar(label: str, note: str, amounts: AmountFold, largest: int, style: str) -> Bar:
    known = _scaled(amounts.known_new, largest)
    whole = max(known, _scaled(amounts.new, largest))
    below = [Segment(0, known, style), Segment(known, whole - known, f"{style} unknown")]
    above = [Segment(0, _scaled(amounts.known_old, largest), f"{style} old")]
    return Bar(
        label,
        note,
        amount_words(amounts),
        tuple(segment for segment in below if segment.width),
        tuple(segment for segment in above if segment.width),
    )


def _scaled(amount: int, largest: int) -> int:
    return max(0, amount) * WIDTH // largest
