"""Characters that a reader does not see and the service would get."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from syncengine.findings.operations import Column
from syncengine.findings.rule import Description
from syncengine.findings.values import Mistake, ValueRule

_NO_BREAK_SPACES = frozenset("\u00a0\u202f\u2007")
_ZERO_WIDTH = frozenset("\u200b\u2060\u180e\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")
_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PRINTABLE_YET_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_BREAKS = frozenset("\n\r\u2028\u2029\u0085\x0b\x0c")
_UNSEEN: dict[str, Mistake] = {
    **dict.fromkeys(_JOINERS | _ZERO_WIDTH, ("zero-width characters", "medium")),
    **dict.fromkeys(_BIDIRECTIONAL, ("bidirectional marks", "medium")),
    **dict.fromkeys(_NO_BREAK_SPACES, ("no-break spaces", "medium")),
    **dict.fromkeys(_BREAKS, ("line breaks", "info")),
    "\ufeff": ("a byte order mark", "medium"),
    "\u00ad": ("soft hyphens", "medium"),
}
_QUOTES = ('""', "''", "“”", "‘’", "«»", "„“")
_JOINING_SCRIPTS = (
    "ARABIC", "SYRIAC", "MONGOLIAN", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU",
    "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "NKO", "THAANA",
)  # fmt: skip


class InvisibleCharacters(ValueRule):
    """Line breaks, and joiners in scripts that are written with them, are often meant."""

    about = Description(
        name="invisible-characters",
        severity="medium, info",
        threshold="NBSP, zero-width, BOM, bidirectional marks, soft hyphens, control characters, white space at "
        "the ends, quotes around a whole value; line breaks, and joiners in scripts that use them: info",
        example="a no-break space at the end of a postcode",
    )

    def may_hold(self, column: Column) -> bool:
        joined = column.joined
        if " \n" in joined or "\n " in joined or column.has_breaks or not joined.replace("\n", "").isprintable():
            return True
        if any(f"\n{pair[0]}" in joined and f"{pair[1]}\n" in joined for pair in _QUOTES):
            return True
        return not column.ascii and not _PRINTABLE_YET_UNSEEN.isdisjoint(joined)

    def mistakes(self, value: str) -> Iterable[Mistake]:
        if value.isascii() and value.isprintable():
            return _at_the_ends(value)
        return (*_at_the_ends(value), *dict.fromkeys(_unseen(value)))


def _at_the_ends(value: str) -> list[Mistake]:
    found: list[Mistake] = []
    if value and (_is_space(value[0]) or _is_space(value[-1])):
        found.append(("white space at the ends", "medium"))
    text = value.strip()
    if len(text) > 2 and text[0] + text[-1] in _QUOTES and text[-1] not in text[1:-1]:
        found.append(("quotes around the whole value", "medium"))
    return found


def _is_space(character: str) -> bool:
    return character.isspace() and character not in _BREAKS


def _unseen(value: str) -> Iterable[Mistake]:
    for index, character in enumerate(value):
        mistake = _UNSEEN.get(character)
        if character in _JOINERS and _joins(value, index):
            mistake = ("joiners", "info")
        elif mistake is None and unicodedata.category(character) in ("Cc", "Cf"):
            mistake = ("control characters", "medium")
        if mistake is not None:
            yield mistake


def _joins(value: str, index: int) -> bool:
    """Whether a joiner is beside a letter of a script, or an emoji, that is written with joiners."""
    around = value[max(index - 2, 0) : index] + value[index + 1 : index + 2]
    for character in around:
        name = unicodedata.name(character, "")
        if name.startswith(_JOINING_SCRIPTS) or unicodedata.category(character) in ("So", "Sk"):
            return True
    return False
