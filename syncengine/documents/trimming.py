"""Removes white space and invisible characters from values, except where a script needs them."""

from __future__ import annotations

import re
import unicodedata

from syncengine.core.text import WHITE_SPACE, is_blank

_SPACE = f"{WHITE_SPACE}\x1c-\x1f"
_REMOVED = (
    "\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a"
)
"""Format characters that are part of no letter: soft hyphen, zero-width characters, direction marks, byte order mark.

Unicode's format characters that are missing here have an effect: visible ones (U+0600 to U+0605 and the like), the
controls of hieroglyphs, variation selectors, and tags, which form flags.
"""
_FILLERS = "\u3164\uffa0"
_TAGS = "\U000e0001\U000e0020-\U000e007f"
_SELECTORS = "\u034f\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FLAG = "\U0001f3f4"

_START = re.compile(f"[{_SPACE}{_REMOVED}{_FILLERS}{_TAGS}{_SELECTORS}]+")
_END = re.compile(f"[{_SPACE}{_REMOVED}{_FILLERS}]+$")
_TAGS_AT_END = re.compile(f"(?<![{_TAGS}{_FLAG}])[{_TAGS}]+$")
_INSIDE = re.compile(f"[{_REMOVED}]+|(?<![{_TAGS}{_FLAG}])[{_TAGS}]+")
_SPACES = re.compile(f"[{_SPACE}]+")
_JOINERS = frozenset("\u200c\u200d")
_UNJOINED = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HANGUL", "CJK", "HIRAGANA", "KATAKANA"})
"""Scripts, by the names of their letters, in which a joiner between two letters has no effect."""


def trimmed(text: str) -> str:
    """`text` without white space and invisible characters at its ends."""
    if text.isascii():
        return text.strip()
    if is_blank(text):
        return ""
    start = _START.match(text)
    text = text if start is None else text[start.end() :]
    while (shorter := _TAGS_AT_END.sub("", _END.sub("", text))) != text:
        text = shorter
    return text


def squeezed(text: str) -> str:
    """`text` without invisible characters, with one space for each run of white space, and none at its ends."""
    if not text.isascii():
        text = _INSIDE.sub(_kept, trimmed(text))
    return _SPACES.sub(" ", text).strip(" ")


def _kept(match: re.Match[str]) -> str:
    """The joiner where it joins or separates letters of a script that needs it, or parts of an emoji; otherwise ""."""
    text, unseen = match.string, match.group()
    if unseen in _JOINERS and _takes_joiner(text[match.start() - 1]) and _takes_joiner(text[match.end()]):
        return unseen
    return ""


def _takes_joiner(character: str) -> bool:
    if character.isascii():
        return False
    category = unicodedata.category(character)
    if category in ("So", "Sk") or "\ufe00" <= character <= "\ufe0f":
        return True
    return category[0] in "LM" and unicodedata.name(character, "").split(" ")[0].split("-")[0] not in _UNJOINED
