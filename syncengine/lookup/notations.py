"""What is searched for a cell: the text as it is written, and other notations of it where that finds nothing."""

from __future__ import annotations

from typing import NamedTuple

from syncengine.documents.contacts import is_address
from syncengine.documents.phone import is_phone_like, other_notations
from syncengine.documents.trimming import trimmed
from syncengine.leadbyte.search import By


class Notation(NamedTuple):
    """A text to search for, and what it is called in messages."""

    text: str
    name: str


def as_written(by: By, cell: object) -> str:
    """The text of a cell without blanks at its ends; "" where it is no address or no number, so nothing is searched."""
    if not isinstance(cell, str):
        return ""
    text = trimmed(cell)
    fits = is_address(text) if by == "email" else is_phone_like(text)
    return text if fits else ""


def notations(by: By, text: str) -> list[Notation]:
    """Everything to search for a text that `as_written` gave, in order."""
    first = Notation(text, "as it is written")
    if by == "email":
        lower = text.lower()
        return [first] if lower == text else [first, Notation(lower, "in lower case")]
    return [
        first,
        *(
            Notation(other, "in E.164 form" if other.startswith("+") else "in national form")
            for other in other_notations(text)
        ),
    ]
