"""The service's words as they go on record: verbatim, but without the personal values that were just sent."""

from __future__ import annotations

import re

import msgspec

from syncengine.core.operations import Update
from syncengine.core.outcomes import Parcel, Ruling

_SHORT = 4
"""Values shorter than this are replaced only where they stand alone, or every letter of a message would go."""


def without_values(text: str, parcel: Parcel) -> str:
    """`text` with each value sent for the parcel's lead replaced by its field's name in brackets."""
    if not text:
        return text
    for part in parcel.parts:
        if not isinstance(part.operation, Update):
            continue
        if not any(value in text for value in part.operation.fields.values()):
            continue
        for name, value in sorted(part.operation.fields.items(), key=lambda pair: -len(pair[1])):
            if not value or value not in text:
                continue
            if len(value) >= _SHORT:
                text = text.replace(value, f"[{name}]")
            else:
                text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", f"[{name}]", text)
    return text


def recordable(ruling: Ruling, parcel: Parcel) -> Ruling:
    """A ruling whose words may go into a ledger that keeps no values."""
    message = without_values(ruling.message, parcel)
    warnings = tuple(without_values(warning, parcel) for warning in ruling.warnings)
    if message == ruling.message and warnings == ruling.warnings:
        return ruling
    return msgspec.structs.replace(ruling, message=message, warnings=warnings)
