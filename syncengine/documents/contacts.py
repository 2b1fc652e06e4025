"""Recognises texts that people write in place of lead ids: e-mail addresses and phone numbers."""

from __future__ import annotations

import re

from syncengine.core.text import hidden_in
from syncengine.documents.phone import international
from syncengine.documents.rendering import FilterError
from syncengine.documents.trimming import trimmed

LOOKUP_HINT = "`syncengine lookup FILE --campaign ID --{option} COLUMN --out NEW` writes the table with its lead ids"

_LONGEST_ADDRESS = 320
# Wider than RFC 5321, since the service may hold whatever a form once accepted; narrow enough to exclude lists and
# formulas.
_ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\]+")
_PHONE_BEGINS = ("+", "0", "(")
_FEWEST_DIGITS = 9


def is_address(text: str) -> bool:
    """Whether a text without surrounding spaces is one e-mail address."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None and not hidden_in(text)


def contact_in(text: str) -> tuple[str, str] | None:
    """The kind of a text that is not an id, e-mail address or phone number, and the hint for it; None for other
    texts."""
    bare = trimmed(text)
    if is_address(bare):
        return "an e-mail address", LOOKUP_HINT.format(option="email")
    if not bare.startswith(_PHONE_BEGINS) or sum(map(str.isdecimal, bare)) < _FEWEST_DIGITS:
        return None
    try:
        international(bare, "44", "it")
    except FilterError:
        return None
    return "a phone number", LOOKUP_HINT.format(option="phone")
