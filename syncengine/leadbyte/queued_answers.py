"""Answers to calls that take one lead and queue it.

Release or rejection: {"status": "Success", "details": {"123": "Queued for processing"}}; return: {"84145": "Return
Queued"}. Only the documented text counts as done; any other text under a success is an unknown outcome.
"""

from __future__ import annotations

from collections.abc import Callable

from syncengine.core.operations import Call
from syncengine.core.outcomes import Element, Elements, LeadEntry, Lost, Refused, Verdict
from syncengine.core.values import number_of
from syncengine.leadbyte.payload import Json, NumberAsWritten, items, render

_QUEUED: dict[Call, str] = {Call.QUARANTINE: "queued", Call.RETURNS: "return queued"}
"""First words of the lead's result where it was queued, in lower case."""


def read_queued(document: dict[str, Json], entry: LeadEntry, *, message: str, say: Callable[[str], str]) -> Verdict:
    """The verdict on the call for the entry's lead. `message` is the envelope's; `say` cleans a text."""
    number = number_of(entry.lead)
    status = document.get("status")
    word = status.strip().lower() if isinstance(status, str) else ""
    if word not in ("success", "warning", "error", ""):
        return Lost(say(f"the answer has a status that is not known: {word}"))
    details = document.get("details")
    told = details.get(number) if isinstance(details, dict) else None
    if told is None:
        if word == "error":
            return Refused(message)
        if not word and not isinstance(details, dict):
            return Lost("the answer names neither the lead nor a known status")
        return Elements({}, message)
    queued = _is_text(told) and render(told).strip().lower().startswith(_QUEUED[entry.call])
    contradicted = bool(items(document.get("errors")))
    return Elements({0: _element(say(render(told)), word, queued=queued, contradicted=contradicted, say=say)}, message)


def _is_text(told: Json) -> bool:
    return isinstance(told, str) and not isinstance(told, NumberAsWritten)


def _element(text: str, word: str, *, queued: bool, contradicted: bool, say: Callable[[str], str]) -> Element:
    if queued and word != "error" and not contradicted:
        return Element(True, text, ("the service answered with a warning",) if word == "warning" else ())
    if queued:
        return Element(None, say(f"the answer contradicts itself, an error and: {text}"))
    if word in ("warning", "error"):
        return Element(False, text)
    return Element(None, say(f"the answer does not say that the lead was queued: {text}"))
