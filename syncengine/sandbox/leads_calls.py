"""PUT /leads: update, reprocess and trigger. Each lead is validated on its own under one envelope."""

from __future__ import annotations

import re

from syncengine.sandbox.entities import (
    ID_PATTERN,
    QUARANTINE_PREFIX,
    Effect,
    Json,
    Lead,
    NumberText,
    Reply,
    failure,
    id_text,
)
from syncengine.sandbox.keys import Key, Permission, missing_permission
from syncengine.sandbox.state import SandboxState

_ID = re.compile(ID_PATTERN)


class ElementRefused(Exception):
    """This element cannot be executed; the text is its error message."""


def put_leads(state: SandboxState, key: Key, document: Json, now: float) -> Reply:
    """Validate every element. An invalid element has no effect; a valid element takes full effect."""
    elements = document.get("leads")
    if not isinstance(elements, list) or not elements:
        return failure(400, 'The body needs a list "leads" with at least one lead')
    if not all(isinstance(element, dict) for element in elements):
        return failure(400, 'Every item of "leads" must be an object')
    refusal = missing_permission(key, _needed(elements))
    if refusal is not None:
        return refusal
    answers: list[dict[str, Json]] = []
    effects: list[Effect] = []
    for element in elements:
        answer, done = _judge(state, element, now)
        answers.append(answer)
        effects.extend(done)
    return Reply(200, {"status": "Success", "message": "OK", "leads": answers}, effects)


def _needed(elements: list[dict[str, Json]]) -> list[Permission]:
    needed = []
    if any("action" not in element or "update" in element for element in elements):
        needed.append(Permission.UPDATE)
    if any("action" in element for element in elements):
        needed.append(Permission.REPROCESS)
    return needed


def _judge(state: SandboxState, element: dict[str, Json], now: float) -> tuple[dict[str, Json], list[Effect]]:
    name = "quarantineId" if "quarantineId" in element else "id"
    try:
        if name == "id":
            lead = _lead(state, _number(element.get("id"), "id"), now)
            effects = _effects(state, lead, element)
            message = _message(element)
        else:
            lead = _quarantined(state, element, now)
            effects = [Effect(effect="update", lead=lead.reference, fields=_fields(element))]
            message = "Quarantine lead updated"
    except ElementRefused as refused:
        return _answer(name, element.get(name), success=False, message="Lead not updated", errors=[str(refused)]), []
    return _answer(
        name, lead.number, success=True, message=message, warnings=_unknown_fields(state, lead, effects)
    ), effects


def _answer(
    name: str,
    number: Json,
    *,
    success: bool,
    message: str,
    warnings: list[str] | None = None,
    errors: list[str] | None = None,
) -> dict[str, Json]:
    text = id_text(number)
    return {
        name: number if text is None else text,
        "success": success,
        "message": message,
        "warnings": warnings or [],
        "errors": errors or [],
    }


def _number(value: Json, name: str) -> str:
    text = id_text(value)
    if text is None or not _ID.fullmatch(text):
        raise ElementRefused(f'"{name}" must be a number without a leading zero')
    return text


def _lead(state: SandboxState, number: str, now: float) -> Lead:
    lead = state.lead(number, now)
    if lead is None:
        if state.quarantined(number, now) is not None:
            raise ElementRefused(f"Lead {number} is quarantined: address it by quarantineId")
        raise ElementRefused(f"Lead {number} not found")
    if not lead.state.updatable:
        raise ElementRefused(f"Lead {number} is {lead.state.value}: only valid leads can be updated")
    return lead


def _quarantined(state: SandboxState, element: dict[str, Json], now: float) -> Lead:
    number = _number(element["quarantineId"], "quarantineId")
    if "id" in element:
        raise ElementRefused('A lead has either an "id" or a "quarantineId", not both')
    if element.keys() & {"action", "triggerDeliveryId", "triggerDeliveryIds"}:
        raise ElementRefused(f"Lead {number} is quarantined: it can be updated, but not reprocessed or triggered")
    lead = state.quarantined(number, now)
    if lead is None:
        raise ElementRefused(f"Quarantine lead {number} not found")
    return lead


def _effects(state: SandboxState, lead: Lead, element: dict[str, Json]) -> list[Effect]:
    deliveries = _deliveries(element)
    action = element.get("action", "reprocess")
    if action != "reprocess":
        raise ElementRefused(f'Unknown action {action!r}: only "reprocess" is known')
    if "action" in element and deliveries:
        raise ElementRefused("A lead cannot be reprocessed and triggered in one request")
    effects = []
    if "update" in element:
        effects.append(Effect(effect="update", lead=lead.reference, fields=_fields(element)))
    if "action" in element:
        effects.append(Effect(effect="reprocess", lead=lead.reference))
    for number in deliveries:
        _check_delivery(state, number)
        effects.append(Effect(effect="trigger", lead=lead.reference, delivery=number))
    if not effects:
        raise ElementRefused('Nothing to do: give "update", "action" or "triggerDeliveryId"')
    return effects


def _deliveries(element: dict[str, Json]) -> list[str]:
    several = element.get("triggerDeliveryIds", [])
    if not isinstance(several, list) or ("triggerDeliveryIds" in element and not several):
        raise ElementRefused('"triggerDeliveryIds" must be a list with at least one delivery')
    single = [element["triggerDeliveryId"]] if "triggerDeliveryId" in element else []
    return [_number(value, "triggerDeliveryId") for value in (*single, *several)]


def _check_delivery(state: SandboxState, number: str) -> None:
    delivery = state.deliveries.get(number)
    if delivery is None:
        raise ElementRefused(f"Delivery {number} not found")
    if not delivery.manual:
        raise ElementRefused(f"Delivery {number} is not set to be triggered manually over the REST API")


def _fields(element: dict[str, Json]) -> dict[str, str]:
    update = element.get("update")
    if not isinstance(update, dict) or not update:
        raise ElementRefused('"update" must be an object with at least one field')
    if all(type(value) is str for value in update.values()):
        return update
    return {name: _field_text(name, value) for name, value in update.items()}


def _field_text(name: str, value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | NumberText | int):
        return str(value)
    raise ElementRefused(f"Field {name} must be text")


def _unknown_fields(state: SandboxState, lead: Lead, effects: list[Effect]) -> list[str]:
    """Warnings on fields that the campaign does not know. The service stores them all the same."""
    campaign = state.campaigns.get(lead.campaign) if lead.campaign is not None else None
    fields = effects[0].fields
    if campaign is None or not fields:
        return []
    known = campaign.field_names
    return [f"Field {name} is not a field of campaign {campaign.number}" for name in fields if name not in known]


def _message(element: dict[str, Json]) -> str:
    if "update" in element:
        return "Lead updated"
    return "Lead queued for reprocessing" if "action" in element else "Delivery triggered"


def reference(element: dict[str, Json]) -> str:
    """The lead that an element of a request or answer names, in the notation of effects; empty where it names none."""
    quarantine = id_text(element.get("quarantineId"))
    return QUARANTINE_PREFIX + quarantine if quarantine is not None else id_text(element.get("id")) or ""
