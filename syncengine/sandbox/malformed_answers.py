"""Answers that are valid JSON with wrong content: misordered elements, contradictory messages, failing leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from syncengine.sandbox.entities import QUARANTINE_PREFIX, Effect, Json, Reply
from syncengine.sandbox.faults import Distortion, PartialEffect, RejectedLeads
from syncengine.sandbox.financials_calls import envelope
from syncengine.sandbox.leads_calls import reference
from syncengine.sandbox.quarantine_calls import QUEUED

Element = dict[str, Json]
_UNASKED_LEAD = "999999999999"


def rejecting(reply: Reply, reject: RejectedLeads) -> Reply:
    """The same answer with these leads (all, where none is named) rejected; only the effects in `done` are kept for
    them."""
    document = dict(reply.document)
    meant = [effect.lead for effect in reply.effects if _meant(reject, effect.lead)]
    match document:
        case {"leads": list(elements)}:
            document["leads"] = [_rejected(element, reject) for element in elements]
        case {"details": dict(details)}:
            refused = [lead.removeprefix(QUARANTINE_PREFIX) for lead in meant]
            document["details"] = details | dict.fromkeys(refused, reject.message)
            if refused:
                document["status"] = "Warning" if len(refused) < len(details) else "Error"
        case _ if reply.effects:
            told = [f"Lead {lead}: {reject.message}" for lead in meant]
            document |= envelope(told, some_done=len(told) < len(reply.effects))
    return Reply(reply.status, document, _still_done(reply.effects, reject))


def _rejected(element: dict[str, Json], reject: RejectedLeads) -> dict[str, Json]:
    if not _meant(reject, reference(element)):
        return element
    return {**element, "success": False, "message": "Lead not updated", "errors": [reject.message]}


def _meant(reject: RejectedLeads, lead: str) -> bool:
    return reject.leads is None or lead in reject.leads


def _still_done(effects: Sequence[Effect], reject: RejectedLeads) -> list[Effect]:
    kept: list[Effect] = []
    spared: dict[str, int] = {}
    for effect in effects:
        if _meant(reject, effect.lead):
            spared[effect.lead] = spared.get(effect.lead, 0) + 1
            if spared[effect.lead] > reject.done:
                continue
        kept.append(effect)
    return kept


def effects_of_part(effects: Sequence[Effect], part: PartialEffect) -> Sequence[Effect]:
    """The effects on the first leads of the request, in its order."""
    if part.first is None:
        return effects
    order = list(dict.fromkeys(effect.lead for effect in effects))
    chosen = set(order[: part.first])
    return [effect for effect in effects if effect.lead in chosen]


def distorted(document: dict[str, Json], distortions: Sequence[Distortion]) -> dict[str, Json]:
    """The document with each distortion applied, in order. Distortions of elements or details need some."""
    result = dict(document)
    for distortion in distortions:
        if distortion in _OF_ENVELOPE:
            result = _OF_ENVELOPE[distortion](result)
        elif isinstance(result.get("leads"), list):
            result["leads"] = _OF_ELEMENTS[distortion](list(result["leads"]))
        elif isinstance(result.get("details"), dict) and distortion in _OF_DETAILS:
            result = _OF_DETAILS[distortion](result)
    return result


def _named_like(elements: Sequence[Element]) -> str:
    return "quarantineId" if elements and "quarantineId" in elements[0] else "id"


def _extra(elements: list[Element]) -> list[Element]:
    stranger = {_named_like(elements): _UNASKED_LEAD, "success": True, "message": "Lead updated"}
    return [*elements, {**stranger, "warnings": [], "errors": []}]


def _duplicate_differing(elements: list[Element]) -> list[Element]:
    return [*elements, *({**element, "success": not element["success"]} for element in elements[:1])]


def _contradictory(elements: list[Element]) -> list[Element]:
    return [{**element, "success": True, "errors": ["Postcode is not valid"]} for element in elements]


def _ids_as_numbers(elements: list[Element]) -> list[Element]:
    return [
        {
            name: int(value) if name in ("id", "quarantineId") and str(value).isdigit() else value
            for name, value in e.items()
        }
        for e in elements
    ]


def _without_warnings(elements: list[Element]) -> list[Element]:
    return [{name: value for name, value in e.items() if name not in ("warnings", "errors")} for e in elements]


def _errors_as_objects(elements: list[Element]) -> list[Element]:
    return [
        {**e, "errors": [{"code": 100 + i, "message": text} for i, text in enumerate(e.get("errors", []))]}
        for e in elements
    ]


_OF_ELEMENTS: dict[Distortion, Callable[[list[Element]], list[Element]]] = {
    "reverse": lambda elements: elements[::-1],
    "missing_first": lambda elements: elements[1:],
    "missing_last": lambda elements: elements[:-1],
    "missing_all": lambda _elements: [],
    "extra": _extra,
    "duplicate": lambda elements: [*elements, *elements[:1]],
    "duplicate_differing": _duplicate_differing,
    "contradictory": _contradictory,
    "ids_as_numbers": _ids_as_numbers,
    "no_warnings": _without_warnings,
    "errors_as_objects": _errors_as_objects,
}

_OF_DETAILS: dict[Distortion, Callable[[dict[str, Json]], dict[str, Json]]] = {
    "missing_all": lambda document: {**document, "details": {}},
    "extra": lambda document: {**document, "details": {**document["details"], _UNASKED_LEAD: QUEUED}},
    "contradictory": lambda document: {**document, "errors": ["Quarantine lead not found"]},
}

_OF_ENVELOPE: dict[Distortion, Callable[[dict[str, Json]], dict[str, Json]]] = {
    "status_warning": lambda document: {**document, "status": "Warning"},
    "status_lower_case": lambda document: {**document, "status": str(document.get("status", "")).lower()},
    "envelope_error": lambda _document: {"status": "Error", "message": "The request could not be processed"},
}
