"""The service's messages without personal values: a value that was sent is replaced by its field's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from syncengine.core.operations import Update
from syncengine.core.outcomes import Parcel

_SHORT = 4
"""Values shorter than this are replaced only where they stand as a word: "7" must not eat the digits of an id."""


def declared_in(texts: str, parcels: Iterable[Parcel]) -> dict[str, str]:
    """Declared values that occur in `texts` in any case, with the names of their fields. Amounts are no secret here."""
    folded = texts.casefold()
    return {
        value: name
        for parcel in parcels
        for part in parcel.parts
        if isinstance(part.operation, Update)
        for name, value in part.operation.fields.items()
        if value and value.casefold() in folded
    }


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
        # A backslash would be read as a reference to a group.
        name = values[value].replace("\\", r"\\")
        message = re.sub(pattern, f"[{name}]", message, flags=re.IGNORECASE)
    return message
