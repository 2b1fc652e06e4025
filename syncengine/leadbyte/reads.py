"""Reads the current values of one lead: GET /restapi/v1.3/leads/{id}?key=KEY.

The service documents the key as a query parameter, so no address is ever shown. If the account lacks the permission,
the reader sends no further request, and every lead is unread with that reason.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

from syncengine.core.observations import AMOUNTS, MONEY, LeadDetails, LeadEvent, Observation, UnreadLead
from syncengine.core.ports import Clock
from syncengine.core.redaction import Secret
from syncengine.core.settings import Account
from syncengine.core.values import LeadId, format_money, is_quarantined, parse_money
from syncengine.leadbyte.gateway import ERRORS, PATIENCE, client_of, context_of, failure_words, received
from syncengine.leadbyte.payload import Json, NumberAsWritten, Unreadable, clean, decompress, read_json, render
from syncengine.leadbyte.probes import campaign_of
from syncengine.leadbyte.requests import HEADERS, LEADS_PATH
from syncengine.leadbyte.responses import DENIED, HttpAnswer
from syncengine.leadbyte.transport import RequestProgress

BY = "the service"
"""A plan's text for the origin of a value that was read. It holds no time, so that the same values make the same
plan."""

_NO_FIELDS = frozenset(
    {"status", "message", "id", "leadid", "received", "campaign", "supplier", "buyer", "bid", "payout", "revenue",
     "history", "state", "fields", "lead", "data", "leads", "errors", "warnings"}
)  # fmt: skip
_FAILURES_IN_A_ROW = 5
_REMEMBERED = 10_000
"""Number of leads whose campaigns are cached; a plan asks for them soon after it read the lead."""
_WRAPPERS = ("lead", "data", "leads")
_TIMES = ("at", "date", "datetime", "time", "timestamp", "created")
"""Names under which an entry of a history may give its time: the service does not document them."""
_NOT_SHOWN = UnreadLead("the answer does not show this lead")

Wait = Callable[[float], object]
"""Sleeps for so many seconds."""


class LeadReader:
    """Reads leads one after the other, at the account's pace. Not thread-safe."""

    def __init__(
        self,
        account: Account,
        key: Secret,
        clock: Clock,
        *,
        ca_file: str | None = None,
        wait: Wait | None = None,
    ) -> None:
        self._account = account
        self._key = key
        self._clock = clock
        self._wait = wait or threading.Event().wait
        self._line = RequestProgress(clock.monotonic)
        self._next = clock.monotonic()
        self._failures = 0
        self._over = ""
        self._campaigns: dict[LeadId, str | None] = {}
        self._client = client_of(account, self._line, context_of(account, ca_file))

    def __repr__(self) -> str:
        return f"<reader of {self._account.name}>"

    def read(self, lead: LeadId) -> Observation | UnreadLead:
        """The lead's current values, or Unread with the reason. Raises no network errors."""
        document = self._document(lead)
        if isinstance(document, UnreadLead):
            return document
        values = lead_values(document, lead)
        self._remember(lead, document)
        return _NOT_SHOWN if values is None else Observation(at=self._settled(), by=BY, values=values)

    def look(self, lead: LeadId) -> LeadDetails | UnreadLead:
        """The lead's current values and its history, for people. Raises no network errors."""
        document = self._document(lead)
        if isinstance(document, UnreadLead):
            return document
        values = lead_values(document, lead)
        return _NOT_SHOWN if values is None else LeadDetails(values=values, history=lead_history(document, lead))

    def _document(self, lead: LeadId) -> Json | UnreadLead:
        """The service's answer about a lead, or why there is none."""
        if is_quarantined(lead):
            return UnreadLead("the service shows no leads by quarantine id")
        if self._over:
            return UnreadLead(self._over)
        self._pace()
        try:
            answer = self._ask(lead)
        except _ReadError as error:
            return self._failed(str(error))
        if answer.status in DENIED:
            self._over = f"the service does not let this key read leads (HTTP {answer.status})"
            return UnreadLead(self._over)
        if answer.status == 429 or answer.status >= 500 or 300 <= answer.status <= 399:
            return self._failed(f"HTTP {answer.status}")
        self._failures = 0
        if answer.status == 200:
            return _understood(answer)
        unknown = "the service does not know this lead" if answer.status == 404 else "the service refused"
        return UnreadLead(f"{unknown} (HTTP {answer.status})")

    def campaign(self, lead: LeadId) -> str | None:
        """The campaign of a lead that was read recently; None where it is not known. Sends no request."""
        return self._campaigns.get(lead)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pace(self) -> None:
        now = self._clock.monotonic()
        if now < self._next:
            self._wait(self._next - now)
        self._next = max(now, self._next) + 1 / max(self._account.limits.requests_per_second, 0.001)

    def _ask(self, lead: LeadId) -> HttpAnswer:
        self._line.begin(PATIENCE * self._account.limits.timeout)
        headers = {name: value for name, value in HEADERS.items() if name != "Content-Type"}
        try:
            address = f"{LEADS_PATH}/{lead}"
            with self._client.stream("GET", address, params={"key": self._key.reveal()}, headers=headers) as response:
                return received(response)
        except ERRORS as error:
            # Leave out the error's own text: it may hold the address, and the address holds the key.
            raise _ReadError(failure_words(error)[0]) from None

    def _failed(self, reason: str) -> UnreadLead:
        self._failures += 1
        if self._failures >= _FAILURES_IN_A_ROW:
            self._over = f"{reason}, {self._failures} times in a row; nothing more was asked"
        return UnreadLead(clean(self._key.hide_in(reason)))

    def _remember(self, lead: LeadId, document: Json) -> None:
        if len(self._campaigns) >= _REMEMBERED:
            self._campaigns.clear()
        self._campaigns[lead] = campaign_of(document)

    def _settled(self) -> str:
        """Time of an observation made now: `settle` seconds ago. The service works through a queue, so what was sent
        since may not show yet."""
        now = datetime.fromisoformat(self._clock.now()) - timedelta(seconds=self._account.limits.settle)
        return now.isoformat(timespec="microseconds").replace("+00:00", "Z")


class _ReadError(Exception):
    """The request for the lead failed."""


def _understood(answer: HttpAnswer) -> Json | UnreadLead:
    try:
        if not answer.whole:
            raise Unreadable("the answer is too long to be one")
        return read_json(decompress(answer.body, answer.headers.get("content-encoding", "")))
    except Unreadable as error:
        return UnreadLead(str(error))


def lead_values(document: Json, lead: LeadId) -> dict[str, str] | None:
    """Fields, amounts and buyer in an answer, flat or nested; None where it is not about `lead`.

    Amounts are kept where they are plain, a field's value where it is a text, a number or a boolean.
    """
    found = _lead_object(document, lead)
    if found is None:
        return None
    values = {name: text for name, text in _fields_in(found).items() if name not in MONEY}
    for name in AMOUNTS:
        amount = found.get(name)
        cents = parse_money(str(amount)) if isinstance(amount, str) else None
        if cents is not None:
            values[name] = format_money(cents)
    buyer = _buyer(found)
    return values if buyer is None else {**values, "buyer": buyer}


def _fields_in(found: dict[str, Json]) -> dict[str, str]:
    match found.get("fields"):
        case dict(nested):
            return dict(_texts(nested))
        case list(nested):
            return dict(_listed(nested))
        case _:
            return {name: text for name, text in _texts(found).items() if name.lower() not in _NO_FIELDS}


def lead_history(document: Json, lead: LeadId) -> tuple[LeadEvent, ...]:
    """The history in an answer about `lead`. Everything of an entry but its time is shown, since only people read
    it."""
    found = _lead_object(document, lead)
    history = found.get("history") if found is not None else None
    return tuple(map(_event, history)) if isinstance(history, list) else ()


def _event(entry: Json) -> LeadEvent:
    texts = _texts(entry) if isinstance(entry, dict) else {}
    time = next((name for name in _TIMES if name in texts), "")
    said = [text for name, text in texts.items() if name != time and text]
    return LeadEvent(at=texts.get(time, ""), event=", ".join(said) or render(entry))


def _lead_object(document: Json, lead: LeadId) -> dict[str, Json] | None:
    if isinstance(document, list):
        return next((found for item in document if (found := _lead_object(item, lead)) is not None), None)
    if not isinstance(document, dict):
        return None
    number = document.get("id", document.get("leadId"))
    if isinstance(number, str):
        return document if str(number) == lead else None
    for wrapper in _WRAPPERS:
        inner = document.get(wrapper)
        if isinstance(inner, dict | list):
            return _lead_object(inner, lead)
    return None


def _texts(values: dict[str, Json]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, bool):
            texts[name] = "true" if value else "false"
        elif isinstance(value, NumberAsWritten | str):
            texts[name] = str(value)
    return texts


def _listed(members: list[Json]) -> dict[str, str]:
    """[{"name": "postcode", "value": "TN25 6QD"}, ...]"""
    found: dict[str, Json] = {}
    for member in members:
        name = member.get("name") if isinstance(member, dict) else None
        if isinstance(member, dict) and isinstance(name, str):
            found[name] = member.get("value")
    return _texts(found)


def _buyer(found: dict[str, Json]) -> str | None:
    buyer = found.get("BID", found.get("bid", found.get("buyer")))
    if isinstance(buyer, dict):
        buyer = buyer.get("id", buyer.get("BID"))
    return str(buyer) if isinstance(buyer, str) and buyer else None
