"""The reads: one lead, a search for leads, one campaign with its fields."""

from __future__ import annotations

from syncengine.sandbox.entities import Campaign, Json, Lead, Reply, failure, id_text
from syncengine.sandbox.keys import Key, Permission, missing_permission
from syncengine.sandbox.state import SandboxState

_MAX_SEARCHES = 100


def get_lead(state: SandboxState, key: Key, number: str, now: float) -> Reply:
    refusal = missing_permission(key, [Permission.SEARCH])
    if refusal is not None:
        return refusal
    lead = state.lead(number, now)
    if lead is None:
        return failure(404, f"Lead {number} not found")
    return Reply(200, {"status": "Success", "message": "OK", **_shown(state, lead)})


def get_campaign(state: SandboxState, key: Key, number: str) -> Reply:
    refusal = missing_permission(key, [Permission.SEARCH])
    if refusal is not None:
        return refusal
    campaign = state.campaigns.get(number)
    if campaign is None:
        return failure(404, f"Campaign {number} not found")
    fields = [
        {
            "name": item.name,
            "label": item.label,
            "dataType": item.data_type,
            "required": item.required,
            "selection": list(item.selection),
        }
        for item in campaign.fields
    ]
    return Reply(
        200, {"status": "Success", "message": "OK", "id": campaign.number, "name": campaign.name, "fields": fields}
    )


def search_leads(state: SandboxState, key: Key, document: Json, now: float) -> Reply:
    """Search by e-mail address or phone, within a campaign where one is named."""
    refusal = missing_permission(key, [Permission.SEARCH])
    if refusal is not None:
        return refusal
    searches = document.get("searches")
    if not _are_objects(searches):
        return failure(400, 'The body needs a list "searches" of objects')
    if len(searches) > _MAX_SEARCHES:
        return failure(400, f"At most {_MAX_SEARCHES} searches a request")
    answered = []
    for search in searches:
        results = _matches(state, search, now)
        answered.append({**search, "results": results, "matches": len(results)})
    total = sum(item["matches"] for item in answered)
    document = {"status": "Success", "message": "", "warnings": [], "totalMatches": total, "searches": answered}
    return Reply(200, document)


def _are_objects(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _matches(state: SandboxState, search: dict[str, Json], now: float) -> list[dict[str, Json]]:
    if not search.get("email") and not search.get("phone"):
        return []
    return [_found(lead) for lead in state.all_leads(now) if not lead.in_quarantine and _is_sought(lead, search)]


def _is_sought(lead: Lead, search: dict[str, Json]) -> bool:
    campaign = id_text(search.get("campaignId"))
    if campaign is not None and lead.campaign != campaign:
        return False
    email, phone = search.get("email"), search.get("phone")
    if email and lead.fields.get("email", "").lower() != str(email).lower():
        return False
    return not phone or phone in [lead.fields.get(name) for name in _PHONES]


_PHONES = ("phone1", "phone2", "phone3")
_SHOWN = ("email", *_PHONES, "title", "firstname", "lastname", "c1", "c2", "c3")


def _found(lead: Lead) -> dict[str, Json]:
    """A lead as a search shows it: a field that it lacks is an empty text."""
    return {
        "leadId": int(lead.number),
        "campaignId": int(lead.campaign) if lead.campaign is not None and lead.campaign.isdecimal() else lead.campaign,
        "received": lead.received,
        **{name: lead.fields.get(name, "") for name in _SHOWN},
        "sub_supplier_id": "0",
        "queue_ref": None,
    }


def _shown(state: SandboxState, lead: Lead) -> dict[str, Json]:
    """A lead as `GET leads/{id}` shows it. Amounts are text, since a float cannot hold them exactly."""
    campaign: Campaign | None = state.campaigns.get(lead.campaign) if lead.campaign is not None else None
    return {
        "id": lead.number,
        "received": lead.received,
        "campaign": {"id": campaign.number, "name": campaign.name} if campaign is not None else None,
        "supplier": {"id": "12", "name": "Sandbox Supplier"},
        "buyer": lead.buyer,
        "state": lead.state.value,
        "payout": lead.payout,
        "revenue": lead.revenue,
        "fields": dict(lead.fields),
        "history": [{"at": at, "event": event} for at, event in lead.history],
    }
