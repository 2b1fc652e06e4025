"""Harmless requests to the service: they name a lead id that does not exist, so nothing is read and nothing changes.

The answer shows whether the service can be reached, whether it receives and accepts the key, and its clock.
"""

from __future__ import annotations

from typing import Literal, Self

import msgspec

from syncengine.core.ports import Clock
from syncengine.core.redaction import Secret
from syncengine.core.settings import Account
from syncengine.leadbyte.gateway import ERRORS, PATIENCE, client_of, context_of, failure_words, received
from syncengine.leadbyte.payload import Json, Unreadable, clean, decompress, first_text, read_json
from syncengine.leadbyte.requests import HEADERS, KEY_HEADER, LEADS_PATH
from syncengine.leadbyte.responses import HttpAnswer
from syncengine.leadbyte.transport import RequestProgress

UNKNOWN_LEAD_PATH = f"{LEADS_PATH}/0"
"""The address of a lead that does not exist."""
CAMPAIGNS_PATH = "/restapi/v1.3/campaigns"

Way = Literal["header", "query", "none"]


class ProbeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `date` is the service's Date header, or ""; `document` is None where the body is not JSON.

    `words` is the service's own message, without the key.
    """

    status: int
    date: str
    document: Json
    words: str


class ProbeFailure(msgspec.Struct, frozen=True):
    """No answer, and the reason, which holds neither the address nor the key."""

    reason: str


class Probe:
    """Sends probes to one account's service. Not thread-safe."""

    def __init__(self, account: Account, key: Secret | None, clock: Clock, *, ca_file: str | None = None) -> None:
        self._account = account
        self._key = key
        self._line = RequestProgress(clock.monotonic)
        self._client = client_of(account, self._line, context_of(account, ca_file))

    def __repr__(self) -> str:
        return f"<probe of {self._account.name}>"

    def ask(self, path: str, way: Way) -> ProbeAnswer | ProbeFailure:
        """Send one GET, with the key in the header X_KEY, in the query as documented for reads, or without it."""
        headers = {name: value for name, value in HEADERS.items() if name != "Content-Type"}
        params: dict[str, str] = {}
        if self._key is not None and way == "header":
            headers[KEY_HEADER] = self._key.reveal()
        if self._key is not None and way == "query":
            params["key"] = self._key.reveal()
        self._line.begin(PATIENCE * self._account.limits.timeout)
        try:
            with self._client.stream("GET", path, params=params, headers=headers) as response:
                return self._heard(received(response))
        except ERRORS as error:
            # Leave out the error's own text: it may hold the address, and the address holds the key.
            return ProbeFailure(failure_words(error)[0])

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _heard(self, answer: HttpAnswer) -> ProbeAnswer:
        document: Json = None
        words = ""
        try:
            body = decompress(answer.body, answer.headers.get("content-encoding", ""))
            try:
                document = read_json(body)
            except Unreadable:
                words = first_text(body)
        except Unreadable as error:
            words = str(error)
        if isinstance(document, dict) and isinstance(document.get("message"), str):
            words = str(document["message"])
        if self._key is not None:
            words = self._key.hide_in(words)
        return ProbeAnswer(
            status=answer.status,
            date=answer.headers.get("date", ""),
            document=document,
            words=clean(words, 200),
        )


def campaign_of(document: Json) -> str | None:
    """The id of the campaign in the answer about one lead."""
    for found in _objects(document):
        campaign = found.get("campaign", found.get("campaignId"))
        if isinstance(campaign, dict):
            campaign = campaign.get("id")
        if isinstance(campaign, str) and campaign.isascii() and campaign.isdigit():
            return str(campaign)
    return None


def field_names(document: Json) -> frozenset[str] | None:
    """The names of the fields in the answer about one campaign; None where the answer holds none."""
    for found in _objects(document):
        fields = found.get("fields")
        if isinstance(fields, list):
            names = [member.get("name") for member in fields if isinstance(member, dict)]
            return frozenset(str(name) for name in names if isinstance(name, str))
    return None


def _objects(document: Json) -> list[dict[str, Json]]:
    """The answer's object, and the objects that some answers wrap it in."""
    if not isinstance(document, dict):
        return []
    inner = [document.get(name) for name in ("lead", "campaign", "data")]
    return [document, *(member for member in inner if isinstance(member, dict))]
