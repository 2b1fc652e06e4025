"""Searches a campaign's leads for e-mail addresses or phone numbers: POST /restapi/v1.3/leads/search.

The service documents the key as part of the body. Each result is matched by the value and the campaign that it echoes,
never by its position; an answer about anything else is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, Self

import httpx
import msgspec

from syncengine.core.message_redaction import without_values
from syncengine.core.ports import Clock
from syncengine.core.redaction import Secret
from syncengine.core.settings import Account
from syncengine.core.values import is_service_id
from syncengine.leadbyte.gateway import ERRORS, PATIENCE, client_of, context_of, failure_words, received
from syncengine.leadbyte.payload import (
    Json,
    NumberAsWritten,
    Unreadable,
    clean,
    decompress,
    first_text,
    items,
    read_json,
    render,
)
from syncengine.leadbyte.requests import HEADERS
from syncengine.leadbyte.responses import DENIED, HttpAnswer, parse_retry_after
from syncengine.leadbyte.transport import RequestProgress

SEARCH_PATH = "/restapi/v1.3/leads/search"

By = Literal["email", "phone"]

_PHONES = ("phone", "phone1", "phone2", "phone3")
_MOST_WORDS = 300
_SHORTEST_NUMBER = 7
"""Minimum number of final digits that two notations of one phone number share."""
_DIGITS = re.compile(r"[^0-9]+")


class FoundLead(msgspec.Struct, frozen=True):
    """A lead in an answer. `received` is as the service wrote it, "" where it wrote no time."""

    id: str
    received: str


class LeadsFound(msgspec.Struct, frozen=True):
    """The leads that one search found, without duplicates."""

    leads: tuple[FoundLead, ...]


class UnclearAnswer(msgspec.Struct, frozen=True):
    """The answer to one search is contradictory or unreadable."""

    reason: str


SearchResult = LeadsFound | UnclearAnswer


class SearchesAnswered(msgspec.Struct, frozen=True):
    """One result for each value that was searched, in their order."""

    results: tuple[SearchResult, ...]


class NoAnswer(msgspec.Struct, frozen=True):
    """No answer, or one that asks to retry later. `garbled`: a response arrived that is not one of this service's."""

    reason: str
    retry_after: float | None = None
    garbled: bool = False


class SearchRefused(msgspec.Struct, frozen=True):
    """The service rejected this request. `status` is 200 where the envelope says so."""

    reason: str
    status: int


class SearchDenied(msgspec.Struct, frozen=True):
    """The key is unknown, or lacks the permission."""

    reason: str


class SearchMoved(msgspec.Struct, frozen=True):
    """A redirect, which is never followed: the key would be sent to the new address."""

    reason: str


SearchReply = SearchesAnswered | NoAnswer | SearchRefused | SearchDenied | SearchMoved


class LeadSearcher:
    """Sends one search request at a time, without retries. Not thread-safe."""

    def __init__(self, account: Account, key: Secret, clock: Clock, *, ca_file: str | None = None) -> None:
        self._account = account
        self._key = key
        self._clock = clock
        self._progress = RequestProgress(clock.monotonic)
        self._client = client_of(account, self._progress, context_of(account, ca_file))
        base = self._client.base_url
        self._address = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + SEARCH_PATH.encode("ascii"))
        self._timeouts = {"timeout": self._client.timeout.as_dict()}
        self.requests = 0
        """Number of requests that began to leave."""

    def __repr__(self) -> str:
        return f"<searcher of {self._account.name}>"

    def search(self, campaign: str, by: By, values: Sequence[str]) -> SearchReply:
        """One request for all `values`, no two of which may be equal under `same_value`."""
        searches = [{"campaignId": int(campaign), by: value} for value in values]
        body = msgspec.json.encode({"key": self._key.reveal(), "searches": searches})
        self._progress.begin(PATIENCE * self._account.limits.timeout)
        try:
            # Built here: the client's own method merges addresses, headers and cookies again for every request.
            request = httpx.Request(
                "POST", self._address, headers=HEADERS, content=body, extensions=self._timeouts
            )  # fmt: skip
            response = self._client.send(request, stream=True)
            try:
                answer = received(response)
            finally:
                response.close()
        except ERRORS as error:
            return NoAnswer(failure_words(error)[0])
        finally:
            self.requests += self._progress.sent
        return self._read(answer, campaign, by, values)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, answer: HttpAnswer, campaign: str, by: By, values: Sequence[str]) -> SearchReply:
        status = answer.status
        if 300 <= status <= 399:
            return SearchMoved(f"HTTP {status}")
        if 200 <= status <= 299:
            return self._understood(answer, campaign, by, values)
        reason = self._said(f"HTTP {status}: {_words(answer)}".removesuffix(": "), by, values)
        if status in DENIED:
            return SearchDenied(reason)
        if status == 429:
            now = datetime.fromisoformat(self._clock.now())
            return NoAnswer(reason, parse_retry_after(answer.headers.get("retry-after"), now))
        if status in (408, 409) or status >= 500:
            return NoAnswer(reason)
        return SearchRefused(reason, status)

    def _understood(self, answer: HttpAnswer, campaign: str, by: By, values: Sequence[str]) -> SearchReply:
        try:
            if not answer.whole:
                raise Unreadable("the answer is too long to be one")
            document = read_json(decompress(answer.body, answer.headers.get("content-encoding", "")))
        except Unreadable as error:
            return NoAnswer(str(error), garbled=True)
        if not isinstance(document, dict):
            return NoAnswer("the answer is no JSON object", garbled=True)
        if str(document.get("status", "")).lower() == "error":
            return SearchRefused(self._said(_envelope_words(document) or "no reason is given", by, values), 200)
        return SearchesAnswered(read_searches(document, campaign, by, values))

    def _said(self, words: str, by: By, values: Sequence[str]) -> str:
        """The service's message, without the key and the searched values, which it may quote."""
        return without_values(clean(self._key.hide_in(words), _MOST_WORDS), dict.fromkeys(values, by))


def same_value(by: By, text: str) -> str:
    """A key that is equal for two notations of one searched value: addresses ignoring case, numbers ignoring
    punctuation."""
    if by == "email":
        return text.strip().casefold()
    return ("+" if text.strip().startswith("+") else "") + _DIGITS.sub("", text)


def read_searches(document: dict[str, Json], campaign: str, by: By, values: Sequence[str]) -> tuple[SearchResult, ...]:
    """The result for each value in the answer's object. Pure; accepts any content."""
    listed = document.get("searches")
    if not isinstance(listed, list):
        return (UnclearAnswer("the answer holds no searches"),) * len(values)
    if not _total_holds(document.get("totalMatches"), listed):
        return (UnclearAnswer("the answer contradicts its count of matches"),) * len(values)
    echoed: dict[str, list[dict[str, Json]]] = {}
    for item in listed:
        value = item.get(by) if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(value, str):
            echoed.setdefault(same_value(by, value), []).append(item)
    return tuple(_result(echoed.get(same_value(by, value), []), campaign, by, value) for value in values)


def _total_holds(total: Json, listed: list[Json]) -> bool:
    if total is None:
        return True
    results = [item.get("results") for item in listed if isinstance(item, dict)]
    if not all(isinstance(each, list) for each in results):
        return True  # that search is unclear for itself
    return _is_count(total, sum(len(each) for each in results if isinstance(each, list)))


def _is_count(value: Json, count: int) -> bool:
    return isinstance(value, str) and str(value) == str(count)


def _result(items: list[dict[str, Json]], campaign: str, by: By, value: str) -> SearchResult:
    if not items:
        return UnclearAnswer("the answer is about another value")
    if len(items) > 1:
        return UnclearAnswer("the answer holds this search twice")
    (item,) = items
    if not _is_campaign(item.get("campaignId"), campaign):
        return UnclearAnswer("the answer is about another campaign")
    results = item.get("results")
    if not isinstance(results, list):
        return UnclearAnswer("the answer holds no list of results")
    matches = item.get("matches")
    if matches is not None and not _is_count(matches, len(results)):
        return UnclearAnswer("the answer contradicts its count of matches")
    return _leads_found(_lead(result, campaign, by, value) for result in results)


def _leads_found(results: Iterable[FoundLead | UnclearAnswer]) -> SearchResult:
    found: dict[str, FoundLead] = {}
    for lead in results:
        if isinstance(lead, UnclearAnswer):
            return lead
        if found.setdefault(lead.id, lead) != lead:
            return UnclearAnswer("the answer shows one lead in two ways")
    return LeadsFound(tuple(found.values()))


def _is_campaign(value: Json, campaign: str) -> bool:
    """Whether the answer names this campaign. An answer that names none contradicts nothing."""
    return value is None or (isinstance(value, str) and str(value) == campaign)


def _lead(result: Json, campaign: str, by: By, value: str) -> FoundLead | UnclearAnswer:
    if not isinstance(result, dict):
        return UnclearAnswer("a result is no object")
    number = result.get("leadId")
    if not isinstance(number, NumberAsWritten) or not is_service_id(number):
        return UnclearAnswer("a result has no positive integer leadId")
    if not _is_campaign(result.get("campaignId"), campaign):
        return UnclearAnswer("a result is of another campaign")
    if not (_has_email(result, value) if by == "email" else _has_phone(result, value)):
        return UnclearAnswer("a result is about another person")
    moment = result.get("received")
    return FoundLead(str(number), str(moment) if isinstance(moment, str) and moment_of(moment) is not None else "")


def _has_email(result: dict[str, Json], value: str) -> bool:
    shown = result.get("email")
    return not (isinstance(shown, str) and shown) or same_value("email", shown) == same_value("email", value)


def _has_phone(result: dict[str, Json], value: str) -> bool:
    """Whether one of the result's numbers is the searched one in some notation; true where it shows none."""
    shown = [number for name in _PHONES if isinstance(number := result.get(name), str) and number.strip()]
    return not shown or any(_one_number(number, value) for number in shown)


def _one_number(one: str, other: str) -> bool:
    left, right = (_DIGITS.sub("", text).lstrip("0") for text in (one, other))
    if len(left) < len(right):
        left, right = right, left
    return left == right or (len(right) >= _SHORTEST_NUMBER and left.endswith(right))


def moment_of(text: str) -> datetime | None:
    """The time of a `received` value; UTC where it has no offset. None where the text is not a time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _words(answer: HttpAnswer) -> str:
    """The service's message in an answer that is not a success."""
    try:
        body = decompress(answer.body, answer.headers.get("content-encoding", ""))
    except Unreadable:
        return ""
    try:
        document = read_json(body)
    except Unreadable:
        return first_text(body)
    return _envelope_words(document) if isinstance(document, dict) else ""


def _envelope_words(document: dict[str, Json]) -> str:
    texts = [document.get("message"), *items(document.get("errors"))]
    return "; ".join(render(text) for text in texts if text)
