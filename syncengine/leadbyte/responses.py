"""What came back, to what is known: status, headers, body and entries in, a `Verdict` out. Pure; raises for nothing.

2xx         elements by lead id, or the word on a financials or quarantine call; unreadable: Lost
3xx         Redirected
400 404 422 Refused; so is a 2xx `Error` envelope that names no lead
401 403     Denied
405 411 413 415  Unread
429         NotSent
the rest    Lost
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from syncengine.core.operations import spec_of
from syncengine.core.outcomes import (
    Denied,
    Element,
    Elements,
    LeadEntry,
    Lost,
    NotSent,
    Redirected,
    Refused,
    Unread,
    Verdict,
)
from syncengine.core.values import is_quarantined, number_of
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
from syncengine.leadbyte.queued_answers import read_queued

MAX_RETRY_AFTER = 7 * 24 * 3600.0
"""Maximum Retry-After in seconds. A run does not wait for more than a week anyway."""

MAX_WARNINGS = 20
"""Warnings kept for one lead."""

_MOST_TEXTS = 1_000
"""Texts of an answer that are read for one message, of which MAX_TEXT characters are kept."""

REFUSED = frozenset({400, 404, 422})
DENIED = frozenset({401, 403})
UNREAD = frozenset({405, 411, 413, 415})

_DIGITS = re.compile(r"(-?)([0-9]+)(?:\.[0-9]*)?", re.ASCII)


class HttpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as received. Header names in lower case; `body` still has its Content-Encoding.

    `whole` False: reading stopped at the size limit.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


def _as_it_is(text: str) -> str:
    return text


def read_answer(
    answer: HttpAnswer, entries: tuple[LeadEntry, ...], *, now: datetime, hide: Callable[[str], str] = _as_it_is
) -> Verdict:
    """The verdict on a request that carried `entries`. `now` (aware) dates a Retry-After; `hide` removes the key."""
    return _AnswerReader(answer, entries, hide).verdict(now)


class _PlainItem(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    success: bool
    message: str
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET
    errors: list[str] | msgspec.UnsetType = msgspec.UNSET


class _PlainAnswer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    status: str
    message: str
    leads: list[_PlainItem]


_PLAIN = msgspec.json.Decoder(_PlainAnswer)
_ENVELOPE_TEXTS = 5
"""Number of texts: three keys, status and message."""
_LEAD_TEXTS = 5
"""Number of texts: three keys, id and message; the key of an empty list of warnings or errors adds one."""


def _plain(body: bytes) -> _PlainAnswer | None:
    """The answer where it has the documented shape and every lead succeeded without a message; otherwise None.

    Nearly all answers are of that kind, and the full parse takes longer than sending the request. All other answers are
    parsed in full. The two parsers must not differ in their result; a test compares them.
    """
    # Without escapes every quotation mark opens or closes a text, so counting them detects a duplicate key.
    if b"\\" in body:
        return None
    try:
        answer = _PLAIN.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    leads = answer.leads
    warnings = errors = 0
    for item in leads:
        if not item.success or item.warnings or item.errors:
            return None
        warnings += item.warnings is not msgspec.UNSET
        errors += item.errors is not msgspec.UNSET
    texts = _ENVELOPE_TEXTS + _LEAD_TEXTS * len(leads) + warnings + errors
    return answer if leads and body.count(b'"') == 2 * texts else None


class _AnswerReader:
    """Parses one answer. Every text goes through `_say`."""

    def __init__(self, answer: HttpAnswer, entries: tuple[LeadEntry, ...], hide: Callable[[str], str]) -> None:
        self._answer = answer
        self._entries = entries
        self._hide = hide

    def _say(self, text: str) -> str:
        return clean(self._hide(text))

    def verdict(self, now: datetime) -> Verdict:
        status = self._answer.status
        if 200 <= status <= 299:
            return self._accepted()
        if 300 <= status <= 399:
            return Redirected(self._redirect())
        words = self._words()
        if status in DENIED:
            return Denied(self._denied(words))
        if status == 429:
            retry_after = parse_retry_after(self._answer.headers.get("retry-after"), now)
            return NotSent(words or "HTTP 429: too many requests", retry_after, answered=True)
        said = words or f"HTTP {status} without a message"
        if status in UNREAD:
            return Unread(said)
        if status in REFUSED:
            return Refused(said)
        return Lost(self._say(f"HTTP {status}: {words}" if words else said))

    def _document(self) -> Json:
        if not self._answer.whole:
            raise Unreadable("the answer is too long to be one")
        return read_json(decompress(self._answer.body, self._answer.headers.get("content-encoding", "")))

    def _words(self) -> str:
        """The service's message in an answer that is not a success."""
        try:
            body = decompress(self._answer.body, self._answer.headers.get("content-encoding", ""))
        except Unreadable:
            return ""
        try:
            document = read_json(body)
        except Unreadable:
            return self._say(first_text(body))
        return self._envelope_words(document)

    def _envelope_words(self, document: Json) -> str:
        if not isinstance(document, dict):
            return self._say(render(document)) if document else ""
        error = document.get("error")
        inner = error.get("message") if isinstance(error, dict) else None
        texts = [document.get("message"), error if inner is None else inner, *items(document.get("errors"))]
        return self._joined(texts) or self._joined([document.get("status")])

    def _joined(self, texts: list[Json]) -> str:
        said: dict[str, None] = {}
        for text in texts[:_MOST_TEXTS]:
            words = "" if text is None or isinstance(text, bool) else render(text).strip()
            if words:
                said[words] = None
        return self._say("; ".join(said))

    def _redirect(self) -> str:
        try:
            # Never the path or query: a service that redirects may have put the key there.
            parts = urlsplit(self._answer.headers.get("location", ""))
            target = f" to {parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""
        except ValueError:
            target = " to an address that cannot be read"
        return self._say(
            f"HTTP {self._answer.status}: the service redirects{target}; redirects are never followed, "
            "so check base_url of the account"
        )

    def _denied(self, words: str) -> str:
        needed = sorted({spec_of(part.operation).permission for entry in self._entries for part in entry.parts})
        said = f": {words}" if words else ""
        return (
            f"the service refused the API key (HTTP {self._answer.status}){said}; check that the key is the account's, "
            f"and that it has the permission {' and '.join(needed)}"
        )

    def _accepted(self) -> Verdict:
        return self._plainly() or self._in_full()

    def _plainly(self) -> Verdict | None:
        answer, entries = self._answer, self._entries
        if not answer.whole or answer.headers.get("content-encoding") or entries[0].is_financial:
            return None
        plain = _plain(answer.body)
        if plain is None or len(plain.leads) != len(entries):
            return None
        envelope = self._joined([plain.message]) or self._joined([plain.status])
        messages = {item.message for item in plain.leads}
        # Each message is read once: most answers have one for all leads.
        said = {message: Element(True, self._joined([message])) for message in messages}
        if len(messages) == 1 and [item.id for item in plain.leads] == [entry.lead for entry in entries]:
            return Elements(dict.fromkeys(range(len(entries)), said[messages.pop()]), envelope)
        # Answers need not be in the order of the request: each lead is found by its id, and taken once.
        positions: dict[str, int] = {entry.lead: position for position, entry in enumerate(entries)}
        found = {positions.pop(item.id, -1): said[item.message] for item in plain.leads}
        return None if -1 in found else Elements(found, envelope)

    def _in_full(self) -> Verdict:
        try:
            document = self._document()
        except Unreadable as error:
            return Lost(f"HTTP {self._answer.status}: {error}")
        if not isinstance(document, dict):
            return Lost(f"HTTP {self._answer.status}: the answer is JSON, but not an object with a status")
        status = document.get("status")
        word = status.strip().lower() if isinstance(status, str) else ""
        elements = _elements_of(document.get("leads"))
        if self._entries[0].is_financial:
            return self._financials(document, word, elements)
        message = self._envelope_words(document)
        if self._entries[0].is_alone:
            return read_queued(document, self._entries[0], message=message, say=self._say)
        if elements:
            return Elements(self._by_position(elements), message)
        if word == "error":
            return Refused(message)
        if word in ("success", "warning"):
            return Elements({}, message)
        return Lost(f"HTTP {self._answer.status}: the answer names neither a lead nor a known status")

    def _financials(self, document: dict[str, Json], word: str, elements: list[dict[str, Json]]) -> Verdict:
        message = self._envelope_words(document)
        if word in ("warning", "error"):
            return Refused(message)
        if word != "success":
            return Lost(f"HTTP {self._answer.status}: the answer to a financials call has no known status")
        if items(document.get("errors")):
            return Lost(self._say(f"the answer contradicts itself, success with errors: {message}"))
        shared = f"{message} (by group answer)" if len(self._entries) > 1 else message
        warnings = self._warnings(document)
        found = dict.fromkeys(range(len(self._entries)), Element(True, shared, warnings))
        # No such answer is documented. If one arrives all the same, the result of the lead itself counts more.
        telling = [item for item in elements if "success" in item or items(item.get("errors"))]
        named = self._by_position(telling)
        found.update({position: element for position, element in named.items() if not element.success})
        return Elements(found, message)

    def _by_position(self, elements: list[dict[str, Json]]) -> dict[int, Element]:
        # A request holds either leads or quarantined leads; 123 and quarantined 123 are different leads.
        id_of = _quarantine_id_of if is_quarantined(self._entries[0].lead) else _id_of
        positions = {number_of(entry.lead): position for position, entry in enumerate(self._entries)}
        found: dict[int, Element] = {}
        for item in elements:
            position = positions.get(id_of(item))
            if position is None:
                continue
            element = self._element(item)
            known = found.setdefault(position, element)
            if known != element:
                words = f"the answer holds differing elements for this lead: {known.message} / {element.message}"
                found[position] = Element(None, self._say(words), known.warnings or element.warnings)
        return found

    def _element(self, item: dict[str, Json]) -> Element:
        errors = list(items(item.get("errors")))
        message = self._joined([item.get("message"), *errors])
        success = _truth(item.get("success"))
        if success is None:
            message = self._say(f"the answer does not say whether this lead succeeded: {message}")
        elif success and errors:
            success, message = None, self._say(f"the answer contradicts itself, success with errors: {message}")
        return Element(success, message, self._warnings(item))

    def _warnings(self, item: dict[str, Json]) -> tuple[str, ...]:
        warnings = items(item.get("warnings"))
        kept = [self._say(render(warning)) for warning in warnings[:MAX_WARNINGS]]
        left = len(warnings) - len(kept)
        return (*kept, f"and {left} more warnings") if left else tuple(kept)


def _elements_of(leads: Json) -> list[dict[str, Json]]:
    # PHP writes a list with gaps as an object.
    values = list(leads.values()) if isinstance(leads, dict) else leads if isinstance(leads, list) else []
    return [value for value in values if isinstance(value, dict)]


def _id_of(item: dict[str, Json]) -> str:
    value = item.get("id", item.get("leadId"))
    return str(value) if isinstance(value, str) else ""


def _quarantine_id_of(item: dict[str, Json]) -> str:
    value = item.get("quarantineId")
    return str(value) if isinstance(value, str) else ""


def _truth(value: Json) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) and not isinstance(value, NumberAsWritten) else ""
    return {"true": True, "false": False}.get(word)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, from seconds or an HTTP date. Never negative, at most a week; None where the value is
    unusable."""
    if value is None:
        return None
    digits = _DIGITS.fullmatch(value.strip())
    if digits:
        sign, seconds_text = digits.groups()
        if sign:
            return 0.0
        return MAX_RETRY_AFTER if len(seconds_text) > 9 else min(float(seconds_text), MAX_RETRY_AFTER)
    try:
        date = email.utils.parsedate_to_datetime(value)
        moment = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        seconds = (moment - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
