"""Answers as bytes: the service's own, and every other kind that a fault can request."""

from __future__ import annotations

import gzip
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import msgspec

from syncengine.sandbox.entities import Json, Reply
from syncengine.sandbox.faults import FaultAnswer

_JSON_TYPE = "application/json"
_HTML_TYPE = "text/html; charset=utf-8"
_BLOCK = b"x" * 65_536
_MEGABYTE = 1_048_576
_GARBAGE = random.Random(7).randbytes(512)
_HTML = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1><p>{1}</p></body></html>"
DRIP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class OutgoingAnswer:
    """An encoded answer.

    `head` ends with the empty line; `body` comes in blocks, without end where `endless`. The sandbox pauses `pause`
    seconds between two blocks. It closes the connection after the answer where `closes` is set.
    """

    status: int
    head: bytes
    body: Iterable[bytes]
    closes: bool = False
    endless: bool = False
    pause: float = 0.0


def plain(reply: Reply, now: float, *, closes: bool = False) -> OutgoingAnswer:
    """The service's own answer."""
    body = msgspec.json.encode(reply.document)
    headers = [("Content-Type", _JSON_TYPE), ("Content-Length", str(len(body)))]
    return OutgoingAnswer(reply.status, _head(reply.status, headers, now, closes=closes), (body,), closes)


def special(document: dict[str, Json], answer: FaultAnswer, now: float) -> OutgoingAnswer:
    """The answer that a fault requests; `document` is the service's normal answer."""
    headers = [("Content-Type", _content_type(answer))]
    if answer.body in ("flood", "drip"):
        headers.append(("Transfer-Encoding", "chunked"))
        blocks = _endless(_BLOCK if answer.body == "flood" else b" ")
        return OutgoingAnswer(
            answer.status,
            _head(answer.status, _merged(headers, answer, now), now, closes=True),
            map(_chunk, blocks),
            closes=True,
            endless=True,
            pause=DRIP_SECONDS if answer.body == "drip" else 0.0,
        )
    return _finite(document, answer, headers, now)


def _finite(
    document: dict[str, Json], answer: FaultAnswer, headers: list[tuple[str, str]], now: float
) -> OutgoingAnswer:
    if answer.body == "huge":
        size = (answer.megabytes or 1) * _MEGABYTE
        start, end = msgspec.json.encode(document)[:-1] + b',"padding":"', b'"}'
        blocks: Iterable[bytes] = itertools.chain([start], _padding(size - len(start) - len(end)), [end])
    else:
        body = _body(document, answer)
        if answer.gzip:
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, mtime=0)
        size, blocks = len(body), (body,)
    if answer.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        blocks = itertools.chain(map(_chunk, _pieces(blocks)), [b"0\r\n\r\n"])
    elif answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        headers.append(("Content-Length", str(size)))
    head = _head(answer.status, _merged(headers, answer, now), now, closes=answer.close)
    return OutgoingAnswer(answer.status, head, blocks, closes=answer.close)


def _body(document: dict[str, Json], answer: FaultAnswer) -> bytes:
    match answer.body:
        case "normal":
            return msgspec.json.encode(document)
        case "error":
            return msgspec.json.encode({"status": "Error", "message": answer.message})
        case "html":
            return _HTML.format(phrase(answer.status), answer.message).encode()
        case "garbage":
            return _GARBAGE
        case "cut":
            whole = msgspec.json.encode(document)
            return whole[: len(whole) // 2]
        case "text":
            return (answer.text or "").encode()
        case _:
            return b""


def _content_type(answer: FaultAnswer) -> str:
    if answer.body == "html":
        return _HTML_TYPE
    return "text/plain; charset=utf-8" if answer.body == "text" else _JSON_TYPE


def _extra_headers(answer: FaultAnswer, now: float) -> list[tuple[str, str]]:
    headers = list(answer.headers.items())
    if answer.retry_after is not None:
        headers.append(("Retry-After", str(answer.retry_after)))
    if answer.retry_after_date is not None:
        headers.append(("Retry-After", formatdate(now + answer.retry_after_date, usegmt=True)))
    if answer.location is not None:
        headers.append(("Location", answer.location))
    return headers


def _merged(own: list[tuple[str, str]], answer: FaultAnswer, now: float) -> list[tuple[str, str]]:
    """The fault's headers override the answer's own, so that a script can send a wrong length or type."""
    extra = _extra_headers(answer, now)
    given = {name.lower() for name, _ in extra}
    return [*(header for header in own if header[0].lower() not in given), *extra]


def _head(status: int, headers: list[tuple[str, str]], now: float, *, closes: bool) -> bytes:
    lines = [f"HTTP/1.1 {status} {phrase(status)}", f"Date: {_date(int(now))}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if closes:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


@lru_cache(maxsize=8)
def _date(now: int) -> str:
    return formatdate(now, usegmt=True)


def phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _chunk(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Two halves, so that a chunked answer has several chunks. Empty pieces are left out: an empty chunk would end the
    body."""
    for block in blocks:
        middle = len(block) // 2
        yield from (piece for piece in (block[:middle], block[middle:]) if piece)


def _padding(size: int) -> Iterator[bytes]:
    for _ in range(size // len(_BLOCK)):
        yield _BLOCK
    if size % len(_BLOCK) > 0:
        yield _BLOCK[: size % len(_BLOCK)]


def _endless(block: bytes) -> Iterator[bytes]:
    yield b'{"status":"Success","padding":"'
    yield from itertools.repeat(block)
