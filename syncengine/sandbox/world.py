"""The service's rules as one pure function from a request to the answer and its effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from syncengine.sandbox.entities import Effect, Json, NumberText, ReceivedRequest, Reply, failure
from syncengine.sandbox.financials_calls import put_financials
from syncengine.sandbox.keys import Key, KeyRing
from syncengine.sandbox.leads_calls import put_leads
from syncengine.sandbox.quarantine_calls import process_quarantine
from syncengine.sandbox.reading_calls import get_campaign, get_lead, search_leads
from syncengine.sandbox.return_calls import RETURN_PATH, return_lead
from syncengine.sandbox.state import SandboxState

PREFIX = "/restapi/v1.3/"
_METHODS = {"leads": "PUT", "leadfinancials": "PUT", "quarantine/process": "POST", "leads/search": "POST"}
_DECODER = msgspec.json.Decoder(Any, float_hook=NumberText)

_Call = Callable[[Key, Json], Reply]


class SandboxAccount:
    """A LeadByte account: `respond` decides and changes nothing, `apply` carries out what was decided.

    Not thread-safe: its owner lets one request at a time decide and apply.
    """

    def __init__(self, state: SandboxState, keys: KeyRing, *, quarantine_delay: float) -> None:
        self.state = state
        self._keys = keys
        self._quarantine_delay = quarantine_delay

    def respond(self, request: ReceivedRequest, now: float) -> Reply:
        """The service's answer at this moment (`now`: seconds since 1970), and its effects."""
        call = self._route(request, now)
        if isinstance(call, Reply):
            return call
        document: Json = {}
        if request.method != "GET":
            try:
                document = read_json(request.body)
            except ValueError as broken:
                return failure(400, f"The body is not JSON: {broken}")
            if not isinstance(document, dict):
                return failure(400, "The body must be a JSON object")
        key = self._keys.admit(request, document)
        return key if isinstance(key, Reply) else call(key, document)

    def apply(self, effect: Effect, at: str) -> None:
        self.state.apply(effect, at)

    def _route(self, request: ReceivedRequest, now: float) -> _Call | Reply:
        if RETURN_PATH.fullmatch(request.path):
            if request.method != "POST":
                return failure(405, f"{request.method} is not allowed here: use POST")
            return lambda key, document: return_lead(self.state, key, document, now)
        if not request.path.startswith(PREFIX):
            return failure(404, f"Unknown address {request.path}")
        resource = request.path.removeprefix(PREFIX).rstrip("/")
        expected = _METHODS.get(resource)
        collection, _, number = resource.partition("/")
        if expected is None:
            if collection not in ("leads", "campaigns") or not number.isascii() or not number.isdigit():
                return failure(404, f"Unknown address {request.path}")
            expected = "GET"
        if request.method != expected:
            return failure(405, f"{request.method} is not allowed here: use {expected}")
        return self._call(resource, collection, number, now)

    def _call(self, resource: str, collection: str, number: str, now: float) -> _Call:
        state, delay = self.state, self._quarantine_delay
        match resource:
            case "leads":
                return lambda key, document: put_leads(state, key, document, now)
            case "leadfinancials":
                return lambda key, document: put_financials(state, key, document, now)
            case "quarantine/process":
                return lambda key, document: process_quarantine(state, key, document, now, delay=delay)
            case "leads/search":
                return lambda key, document: search_leads(state, key, document, now)
            case _ if collection == "leads":
                return lambda key, _document: get_lead(state, key, number, now)
            case _:
                return lambda key, _document: get_campaign(state, key, number)


def read_json(body: bytes) -> Json:
    """The document of a body, numbers with a fraction as NumberText. Raises ValueError where it is not JSON."""
    try:
        return _DECODER.decode(body)
    except msgspec.DecodeError as broken:
        raise ValueError(str(broken)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
