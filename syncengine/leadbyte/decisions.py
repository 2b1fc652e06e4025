"""The answer to a release or rejection: {"status": "Success", "details": {"123": "Queued for processing"}}.

Only "queued" is documented, and only that is taken as done; any other word under a success leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable

from syncengine.core.outcomes import Element, Elements, Lost, Refused, Verdict
from syncengine.leadbyte.payload import Json, Number, items, render

_QUEUED = "queued"


def read_decision(document: dict[str, Json], number: str, *, message: str, say: Callable[[str], str]) -> Verdict:
    """The verdict on the call for the quarantine id `number`. `message` is what the envelope says, `say` cleans."""
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
            return Lost("the answer names neither the quarantined lead nor a known status")
        return Elements({}, message)
    return Elements({0: _element(told, word, contradicted=bool(items(document.get("errors"))), say=say)}, message)


def _element(told: Json, word: str, *, contradicted: bool, say: Callable[[str], str]) -> Element:
    text = say(render(told))
    queued = isinstance(told, str) and not isinstance(told, Number) and told.strip().lower().startswith(_QUEUED)
    if queued and word != "error" and not contradicted:
        return Element(True, text, ("the service answered with a warning",) if word == "warning" else ())
    if queued:
        return Element(None, say(f"the answer contradicts itself, an error and: {text}"))
    if word in ("warning", "error"):
        return Element(False, text)
    return Element(None, say(f"the answer does not say that the lead was queued: {text}"))
