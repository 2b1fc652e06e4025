"""POST /quarantine/process: release or reject quarantined leads. The answer says "queued"; the change follows."""

from __future__ import annotations

from typing import Literal

from syncengine.sandbox.entities import Effect, Json, Reply, failure, id_text
from syncengine.sandbox.keys import Key, Permission, missing_permission
from syncengine.sandbox.state import SandboxState

QUEUED = "Queued for processing"
_ACTIONS: dict[str, Literal["release", "reject"]] = {"process": "release", "reject": "reject"}


def process_quarantine(state: SandboxState, key: Key, document: Json, now: float, *, delay: float) -> Reply:
    """Queue each lead. A second call that arrives before the first was processed is queued as well, as in a real
    queue."""
    refusal = missing_permission(key, [Permission.QUARANTINE])
    if refusal is not None:
        return refusal
    action = document.get("action")
    kind = _ACTIONS.get(action) if isinstance(action, str) else None
    if kind is None:
        return failure(400, '"action" must be "process" or "reject"')
    several = document.get("quarantineIds", document.get("quarantineId"))
    items = several if isinstance(several, list) else [several]
    numbers = [text for text in (id_text(item) for item in items) if text]
    if not numbers or len(numbers) != len(items):
        return failure(400, 'Give "quarantineId", or a list "quarantineIds"')
    details: dict[str, str] = {}
    effects: list[Effect] = []
    for number in numbers:
        lead = state.quarantined(number, now)
        details[number] = QUEUED if lead is not None else "Quarantine lead not found"
        if lead is not None:
            effects.append(Effect(effect=kind, lead=lead.reference, due=now + delay))
    status = "Success" if len(effects) == len(numbers) else "Warning" if effects else "Error"
    message = "OK" if status == "Success" else "Some quarantine leads were not found"
    return Reply(200, {"status": status, "message": message, "details": details}, effects)
