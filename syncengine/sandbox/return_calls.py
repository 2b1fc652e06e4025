"""POST /leads/return: ask for a lead to be returned from its buyer. The answer says only "queued"."""

from __future__ import annotations

import re

from syncengine.sandbox.entities import Effect, Json, LeadState, NumberText, Reply, failure, id_text
from syncengine.sandbox.keys import Key, Permission, missing_permission
from syncengine.sandbox.state import SandboxState

RETURN_PATH = re.compile(r"/restapi/v[0-9]+(?:\.[0-9]+)*/leads/return/?", re.ASCII)
"""v1.2 is the documented revision; callers use others as well."""

QUEUED = "Return Queued"


def return_lead(state: SandboxState, key: Key, document: Json, now: float) -> Reply:
    """Queue the return of one lead. A second call is queued as well: the service does not prevent it."""
    refusal = missing_permission(key, [Permission.RETURN])
    if refusal is not None:
        return refusal
    number, buyer = id_text(document.get("leadId")), document.get("BID")
    reason = document.get("reason")
    if not number:
        return failure(400, 'Give "leadId", the number of one lead')
    if not _is_text(buyer) or not _is_text(reason):
        return failure(400, 'Give "BID" and "reason", both as text')
    lead = state.lead(number, now)
    if lead is None:
        return failure(404, f"Lead {number} not found")
    if lead.state is not LeadState.APPROVED:
        return failure(400, f"Lead {number} is {lead.state.value}: only a lead that was sold can be returned")
    effect = Effect(effect="return", lead=lead.reference, buyer=buyer, reason=reason)
    return Reply(200, {"status": "Success", "message": "", "details": {number: QUEUED}}, [effect])


def _is_text(value: Json) -> bool:
    return isinstance(value, str) and not isinstance(value, NumberText) and bool(value.strip())
