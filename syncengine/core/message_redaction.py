"""Redaction of the service's messages: each value that was sent is replaced by the name of its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain

from syncengine.core.operations import Update
from syncengine.core.outcomes import LeadEntry

_FEW = 40
"""Maximum length of a text whose substrings are all listed. Nearly all answers say only "OK" or "Lead updated"."""

_SEPARATOR = "\0"

_SHORT = 4
"""Shorter values are replaced only as whole words: replacing "7" everywhere would damage the digits of an id."""


def declared_in(texts: str, entries: Iterable[LeadEntry]) -> dict[str, str]:
    """Declared values that occur in `texts`, in any case, mapped to the names of their fields. Amounts are not secret
    here."""
    updates = list(_updates_in(entries))
    folded = texts.casefold()
    if len(folded) <= _FEW and _pieces(folded).isdisjoint(_folded(updates)):
        return {}
    values = [(value, name) for update in updates for name, value in update.fields.items()]
    return {value: name for value, name in values if value and value.casefold() in folded}


def _updates_in(entries: Iterable[LeadEntry]) -> Iterator[Update]:
    for entry in entries:
        for part in entry.parts:
            if isinstance(part.operation, Update):
                yield part.operation


@lru_cache(maxsize=64)
def _pieces(text: str) -> frozenset[str]:
    """All substrings of a short text."""
    ends = range(1, len(text) + 1)
    return frozenset(text[start:end] for end in ends for start in range(end))


def _folded(updates: Iterable[Update]) -> list[str]:
    """The case-folded values of these updates. All are joined and folded in one call, which takes a fifth of the time.
    A value that contains the separator is split there; its pieces are still found in a message that holds the whole
    value."""
    return (
        _SEPARATOR.join(chain.from_iterable(update.fields.values() for update in updates)).casefold().split(_SEPARATOR)
    )


def without_values(message: str, values: Mapping[str, str]) -> str:
    """`message` with each of `values` (text to field name) replaced by the field's name in brackets, in any case."""
    if not message:
        return message
    folded = message.casefold()
    present = [value for value in values if value and value.casefold() in folded]
    # Longest first: replacing a short value must not split a longer one that contains it.
    for value in sorted(present, key=len, reverse=True):
        pattern = re.escape(value)
        if len(value) < _SHORT:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        # A backslash would be read as a reference to a group.
        name = values[value].replace("\\", r"\\")
        message = re.sub(pattern, f"[{name}]", message, flags=re.IGNORECASE)
    return message
