"""Decodes the bytes of an answer, as a JSON document or as a readable message. Bounded, and treats input as hostile.

Numbers keep the characters that were sent: an id must not become a float before it is compared.
"""

from __future__ import annotations

import html
import json
import re
import zlib
from collections.abc import Sequence
from typing import NoReturn

MAX_BODY = 16 * 1024 * 1024
"""Maximum size of an answer in bytes, before and after decompression."""

MAX_TEXT = 1000
"""Maximum length of one message in characters."""

_PAGE = 8192
"""Characters of an HTML page that are searched for text. The patterns below must stay fast on hostile pages."""

_MAX_LEVELS = 4
_HIDDEN = re.compile(r"<(script|style|title)\b[^<>]*>[^<]*|<!--[^<>]*-->", re.IGNORECASE)
_TITLE = re.compile(r"<title\b[^<>]*>([^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# Lone surrogates and NUL cannot be stored; other control characters would reach a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\r\n]+")


class NumberAsWritten(str):
    """A JSON number, kept as the characters that were sent."""

    __slots__ = ()


Json = dict[str, "Json"] | list["Json"] | str | bool | None


class Unreadable(Exception):
    """The body cannot be decoded; `str()` says why, without quoting it."""


def decompress(raw: bytes, encoding: str, limit: int = MAX_BODY) -> bytes:
    """Decode Content-Encoding. Raises Unreadable: unknown, stacked, cut, damaged or too big."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return raw
    windows = {"gzip": (zlib.MAX_WBITS | 16,), "x-gzip": (zlib.MAX_WBITS | 16,), "deflate": (zlib.MAX_WBITS, -15)}
    for window in windows.get(name, ()):
        inflater = zlib.decompressobj(window)
        try:
            body = inflater.decompress(raw, limit + 1)
        except zlib.error:
            continue
        if len(body) > limit:
            raise Unreadable(f"the answer unpacks to more than {limit} bytes")
        if not inflater.eof or inflater.unused_data:
            raise Unreadable("the compressed answer is cut or followed by something else")
        return body
    if name in windows:
        raise Unreadable("the compressed answer is damaged")
    raise Unreadable("the answer is encoded in a way that was not asked for")


def read_json(body: bytes) -> Json:
    """The document, numbers as `NumberAsWritten`. Raises Unreadable: no JSON, not UTF-8, duplicate key, too deep."""
    if not body.strip():
        raise Unreadable("the answer is empty")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the answer is not UTF-8 text") from None
    try:
        document: Json = json.loads(
            text,
            parse_int=NumberAsWritten,
            parse_float=NumberAsWritten,
            parse_constant=_no_constant,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise Unreadable("the answer is nested too deeply") from None
    except ValueError:
        page = text.lstrip()[:1] == "<"
        raise Unreadable("the answer is a page, not JSON" if page else "the answer is not complete JSON") from None
    return document


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Unreadable("the answer holds one key twice")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise Unreadable("the answer holds a number that JSON does not know")


def first_text(body: bytes) -> str:
    """The first text of an HTML page or plain text: the title, otherwise the text outside tags."""
    page = body[: 4 * _PAGE].decode("utf-8", "replace")[:_PAGE]
    title = _TITLE.search(page)
    words = title.group(1) if title and title.group(1).strip() else _TAG.sub(" ", _HIDDEN.sub(" ", page))
    return " ".join(html.unescape(words).split())


def items(value: Json) -> Sequence[Json]:
    """`warnings` or `errors`, in any of their formats, as a list; empty where there are none."""
    if isinstance(value, list):
        return value
    return () if value in (None, "", False) or value == {} else (value,)


def render(value: Json, levels: int = _MAX_LEVELS) -> str:
    """Text as it is; anything else as JSON, with inner levels cut off."""
    if isinstance(value, str):
        return value
    return _nested(value, levels)


def _nested(value: Json, levels: int) -> str:
    match value:
        case NumberAsWritten():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _ if levels == 0:
            return "..."
        case list():
            return f"[{', '.join(_nested(item, levels - 1) for item in value)}]"
    members = (f"{json.dumps(name, ensure_ascii=False)}: {_nested(item, levels - 1)}" for name, item in value.items())
    return f"{{{', '.join(members)}}}"


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """One line, without control characters, of at most `limit` characters. A truncated text is marked as such."""
    line = _CONTROL.sub("", _BREAKS.sub(" ", text)).strip()
    return line if len(line) <= limit else line[: limit - 3] + "..."
