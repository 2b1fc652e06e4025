"""The words that every view shares, so that no two views call one thing by two names."""

from __future__ import annotations

from typing import assert_never

from syncengine.core.operations import SPECS, Kind
from syncengine.core.plan import Counts, State
from syncengine.core.values import format_money


def number(count: int) -> str:
    """A count as people read it: 12,345."""
    return f"{count:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """ "1 lead", "2 leads", "12,345 leads"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def money(amount: int) -> str:
    """Hundredths as people read them: 1,234.50."""
    text = format_money(abs(amount))
    whole, _, cents = text.partition(".")
    return f"{'-' if amount < 0 else ''}{int(whole):,}.{cents}"


def signed(amount: int) -> str:
    """A difference: +10.00, -3.50, or 0.00."""
    return f"+{money(amount)}" if amount > 0 else money(amount)


def returns_words(count: int) -> str:
    """That returns move money which is in no sum."""
    return f"{plural(count, 'return')} change{'s' if count == 1 else ''} money by amounts unknown here"


def kind_word(kind: Kind, count: int) -> str:
    """The plural or singular noun for operations of a kind."""
    return SPECS[kind].noun if count == 1 else SPECS[kind].nouns


STRIKES = tuple(kind for kind, spec in SPECS.items() if spec.irreversible)
"""Irreversible kinds, in the order in which views name them."""


def strikes_words(counts: Counts) -> str:
    """Irreversible operations to be sent, by kind: "2 triggers, 1 reprocess"."""
    told = [(kind, counts.of(kind)) for kind in STRIKES]
    return ", ".join(f"{number(count)} {kind_word(kind, count)}" for kind, count in told if count)


def state_word(state: State) -> str:
    """A state in words."""
    match state:
        case State.TO_SEND:
            return "to send"
        case State.ALREADY_APPLIED:
            return "already applied"
        case State.UNCHANGED:
            return "unchanged"
        case State.HELD:
            return "held"
        case State.BLOCKED:
            return "blocked"
        case State.IN_DOUBT:
            return "in doubt"
        case _:
            assert_never(state)


def short(digest: str, length: int = 12) -> str:
    """The beginning of an id, long enough to be typed back."""
    return digest[:length]


def clip(text: str, limit: int) -> str:
    """`text`, cut to `limit` characters with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
