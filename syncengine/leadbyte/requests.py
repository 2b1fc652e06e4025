"""Builds HTTP requests from entries. Pure; the bodies equal the service's documented ones key by key.

    PUT /restapi/v1.3/leads           {"leads": [{"id", "action" or "triggerDeliveryId(s)", "update"}, ...]}
    PUT /restapi/v1.3/leadfinancials  {"key", "leads", "newPayout", "newRevenue", "BID"}
    POST /restapi/v1.3/quarantine/process  {"quarantineId", "action": "process" or "reject"}
    POST /restapi/v1.2/leads/return   {"key", "leadId", "BID", "reason"}

Amounts are written from their text, so that no float is involved between a file and the request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from syncengine import __version__
from syncengine.core.operations import (
    Call,
    Financials,
    Operation,
    Release,
    Reprocess,
    Return,
    Trigger,
    Update,
    spec_of,
)
from syncengine.core.outcomes import LeadEntry
from syncengine.core.redaction import Secret
from syncengine.core.settings import Placement, Wire
from syncengine.core.values import format_money, is_quarantined, number_of

LEADS_PATH = "/restapi/v1.3/leads"
FINANCIALS_PATH = "/restapi/v1.3/leadfinancials"
QUARANTINE_PATH = "/restapi/v1.3/quarantine/process"
RETURN_PATH = "/restapi/{}/leads/return"
KEY_HEADER = "X_KEY"

HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"syncengine/{__version__}",
}

_ENCODER = msgspec.json.Encoder()


class HttpRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request without its key: `body` is a JSON object (UTF-8); `key` says where the key goes."""

    method: str
    path: str
    body: bytes
    key: Placement

    def headers(self, secret: Secret) -> dict[str, str]:
        """All headers to send, with the key where the account's configuration puts it there."""
        return {**HEADERS, KEY_HEADER: secret.reveal()} if self.key in ("header", "both") else dict(HEADERS)

    def content(self, secret: Secret) -> bytes:
        """The body to send, with the key as its first member where the account's configuration puts it there."""
        if self.key == "header":
            return self.body
        return b'{"key":' + _ENCODER.encode(secret.reveal()) + b"," + self.body[1:]


Terms = tuple[str | None, str | None, str | None]


def _terms(entry: LeadEntry) -> Terms:
    """Payout, revenue and buyer as sent; the same for all leads of a request."""
    operation = entry.parts[0].operation
    assert isinstance(operation, Financials)
    amounts = (operation.payout, operation.revenue)
    payout, revenue = (None if amount is None else format_money(amount) for amount in amounts)
    return payout, revenue, operation.buyer


def build_request(entries: tuple[LeadEntry, ...], wire: Wire) -> HttpRequest:
    """The request that carries `entries`, in their order.

    Raises ValueError for entries that cannot share a request: a lead twice, financials beside updates or with unequal
    terms, a reprocess beside a trigger, a quarantined lead beside others, more than one release or rejection.
    """
    leads = [entry.lead for entry in entries]
    if len(set(leads)) != len(leads):
        raise ValueError("a request cannot hold one lead twice")
    calls = {spec_of(part.operation).call for entry in entries for part in entry.parts}
    if len(calls) != 1:
        raise ValueError("a request is one call: financials, decisions and returns hold nothing else")
    return _BUILDERS[calls.pop()](entries, wire)


def _leads_request(entries: tuple[LeadEntry, ...], wire: Wire) -> HttpRequest:
    encode = _quarantined_entry if is_quarantined(entries[0].lead) else _entry
    body = _ENCODER.encode({"leads": [encode(entry) for entry in entries]})
    return HttpRequest(method="PUT", path=LEADS_PATH, body=body, key=wire.leads_key)


def _financials_request(entries: tuple[LeadEntry, ...], wire: Wire) -> HttpRequest:
    terms = {_terms(entry) for entry in entries}
    if len(terms) != 1 or any(len(entry.parts) != 1 or is_quarantined(entry.lead) for entry in entries):
        raise ValueError("a financials request holds one payout, one revenue and one buyer for all its leads")
    body = _financials_body([entry.lead for entry in entries], terms.pop(), wire)
    return HttpRequest(method="PUT", path=FINANCIALS_PATH, body=body, key=wire.financials_key)


def _quarantine_request(entries: tuple[LeadEntry, ...], wire: Wire) -> HttpRequest:
    operation = _only_operation(entries)
    if not is_quarantined(operation.lead):
        raise ValueError("a request decides on a lead in quarantine")
    action = "process" if isinstance(operation, Release) else "reject"
    body = _ENCODER.encode({"quarantineId": _raw(number_of(operation.lead)), "action": action})
    return HttpRequest(method="POST", path=QUARANTINE_PATH, body=body, key=wire.leads_key)


def _return_request(entries: tuple[LeadEntry, ...], wire: Wire) -> HttpRequest:
    operation = _only_operation(entries)
    assert isinstance(operation, Return)
    if is_quarantined(operation.lead):
        raise ValueError("a request returns a lead that was sold, not one in quarantine")
    body = _ENCODER.encode({"leadId": _raw(operation.lead), "BID": operation.buyer, "reason": operation.reason})
    return HttpRequest(method="POST", path=RETURN_PATH.format(wire.returns), body=body, key="body")


def _only_operation(entries: tuple[LeadEntry, ...]) -> Operation:
    if len(entries) != 1 or len(entries[0].parts) != 1:
        raise ValueError(f"a {spec_of(entries[0].parts[0].operation).noun} is a request of its own")
    return entries[0].parts[0].operation


_BUILDERS: dict[Call, Callable[[tuple[LeadEntry, ...], Wire], HttpRequest]] = {
    Call.LEADS: _leads_request,
    Call.FINANCIALS: _financials_request,
    Call.QUARANTINE: _quarantine_request,
    Call.RETURNS: _return_request,
}


def _quarantined_entry(entry: LeadEntry) -> dict[str, object]:
    operations = [part.operation for part in entry.parts]
    if not is_quarantined(entry.lead) or not all(isinstance(operation, Update) for operation in operations):
        raise ValueError("a request that updates quarantined leads holds nothing else")
    return {"quarantineId": number_of(entry.lead), "update": _fields(operations)}


def _financials_body(leads: Sequence[str], terms: Terms, wire: Wire) -> bytes:
    payout, revenue, buyer = terms
    members: dict[str, object] = {
        "leads": [_raw(lead) for lead in leads] if wire.financials_ids == "number" else leads,
        "newPayout": None if payout is None else _raw(payout),
        "newRevenue": None if revenue is None else _raw(revenue),
        "BID": buyer,
    }
    return _ENCODER.encode({name: value for name, value in members.items() if value is not None})


def _raw(number: str) -> msgspec.Raw:
    """A JSON number with exactly these characters."""
    return msgspec.Raw(number.encode("ascii"))


def _entry(entry: LeadEntry) -> dict[str, object]:
    operations = [part.operation for part in entry.parts]
    if is_quarantined(entry.lead):
        raise ValueError("a request holds leads or quarantined leads, never both")
    element: dict[str, object] = {"id": entry.lead}
    if len(operations) == 1 and isinstance(operations[0], Update):
        # Fast path for nearly every entry: skips the checks for its other possible parts.
        return element | ({"update": operations[0].fields} if operations[0].fields else {})
    element |= _irreversible_members(operations)
    fields = _fields(operations)
    if fields:
        element["update"] = fields
    return element


def _irreversible_members(operations: Sequence[Operation]) -> dict[str, object]:
    reprocess = any(isinstance(operation, Reprocess) for operation in operations)
    deliveries = [operation.delivery for operation in operations if isinstance(operation, Trigger)]
    if reprocess and deliveries:
        raise ValueError("the service does not document a reprocess together with a trigger")
    if reprocess:
        return {"action": "reprocess"}
    if len(deliveries) == 1:
        return {"triggerDeliveryId": deliveries[0]}
    return {"triggerDeliveryIds": deliveries} if deliveries else {}


def _fields(operations: list[Operation]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for operation in operations:
        if isinstance(operation, Update):
            fields.update(operation.fields)
    return fields
