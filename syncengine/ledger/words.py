"""The service's messages, kept verbatim but for declared values: those are replaced by their field's name."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SHORT = 4
"""Values shorter than this are replaced only where they stand as a word: "7" must not eat the digits of an id."""


def without_values(message: str, values: Mapping[str, str]) -> str:
    """`message` with each of `values` (text to field name) replaced by the field's name in brackets, in any case."""
    if not message:
        return message
    folded = message.casefold()
    present = [value for value in values if value and value.casefold() in folded]
    # The longest first, so that a part of one value never breaks the whole.
    for value in sorted(present, key=len, reverse=True):
        pattern = re.escape(value)
        if len(value) < _SHORT:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        message = re.sub(pattern, lambda _, name=values[value]: f"[{name}]", message, flags=re.IGNORECASE)
    return message
