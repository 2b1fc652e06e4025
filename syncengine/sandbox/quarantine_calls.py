"""POST /quarantine/process: release or reject quarantined leads. The answer says "queued"; the change follows."""

from __future__ import annotations

from typing import Literal

from syncengine.sandbox.entities import Effect, Json, Lead, Reply, failure, id_text
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
    numbers = [id_text(item) or "" for item in (several if isinstance(several, list) else [several])]
    if not numbers or "" in numbers:
        return failure(400, 'Give "quarantineId", or a list "quarantineIds"')
    return _queued(kind, [(number, state.quarantined(number, now)) for number in numbers], due=now + delay)


def _queued(kind: Literal["release", "reject"], leads: list[tuple[str, Lead | None]], *, due: float) -> Reply:
    details = {number: "Quarantine lead not found" if lead is None else QUEUED for number, lead in leads}
    effects = [Effect(effect=kind, lead=lead.reference, due=due) for _, lead in leads if lead is not None]
    if len(effects) == len(leads):
        status, message = "Success", "OK"
    else:
        status, message = "Warning" if effects else "Error", "Some quarantine leads were not found"
    return Reply(200, {"status": status, "message": message, "details": details}, effects)
