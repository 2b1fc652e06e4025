"""The service's words as they go on record: verbatim, but without the personal values that were just sent."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from syncengine.core.operations import Update
from syncengine.core.outcomes import Parcel, Ruling

_SHORT = 4
"""Values shorter than this are replaced only where they stand alone, or every letter of a message would go."""


def mentions(texts: Iterable[str], parcels: Iterable[Parcel]) -> bool:
    """Whether a value sent for any of these parcels stands in any of these texts: seldom, so it is asked first."""
    everything = "\n".join(texts)
    operations = [part.operation for parcel in parcels for part in parcel.parts]
    return any(
        [value in everything for operation in operations if isinstance(operation, Update)  # noqa: C419 - half the time
         for value in operation.fields.values() if value]
    )  # fmt: skip


def without_values(text: str, parcel: Parcel) -> str:
    """`text` with each value sent for the parcel's lead replaced by its field's name in brackets."""
    if not text:
        return text
    for part in parcel.parts:
        if not isinstance(part.operation, Update):
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
