"""HTTP/1.1 on a raw socket, with misbehaviour that a server library would not offer."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from syncengine.sandbox.answers import OutgoingAnswer

_BLOCK = 262_144
MAX_HEAD = 65_536
_HUNG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL
_WATCH_MS = 50


class ConnectionEnded(Exception):
    """The client closed the connection, or the sandbox is closing."""


class BadRequest(Exception):
    """The bytes are not HTTP that the sandbox accepts; `status` is the answer, after which the connection closes."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers. `headers` are as sent, `lookup` by lower-case name."""

    method: str
    target: str
    version: str
    headers: list[tuple[str, str]]
    lookup: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        wish = self.lookup.get("connection", "").lower()
        return "close" not in wish if self.version == "HTTP/1.1" else "keep-alive" in wish


class Connection:
    """One client's socket. Reading and sending raise ConnectionEnded when the client is gone or `closing` is set."""

    def __init__(self, sock: socket.socket, number: int, closing: threading.Event, *, max_body: int) -> None:
        self.socket = sock
        # Waiting for a request, with none of its bytes taken from the socket yet.
        self.at_rest = False
        self.number = number
        self._closing = closing
        self._max_body = max_body
        self._buffer = bytearray()

    def shake_hands(self) -> None:
        """Perform the TLS handshake where the socket uses TLS. Raises ConnectionEnded for a client that fails it."""
        if isinstance(self.socket, ssl.SSLSocket):
            try:
                self.socket.do_handshake()
            except OSError:
                raise ConnectionEnded from None

    def read_head(self) -> Head | None:
        """The next request's head, or None where the client closed between two requests."""
        searched = 0
        if not self._buffer:
            self._rest()
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large")
            searched = max(0, len(self._buffer) - 3)
            if not self._receive():
                if self._buffer:
                    raise ConnectionEnded
                return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return _parsed_head(raw)

    def read_body(self, head: Head, *, bytes_per_second: int | None = None) -> bytes:
        """The request's body, read at most so many bytes a second where a limit is given."""
        self._invite(head)
        if "chunked" in head.lookup.get("transfer-encoding", "").lower():
            return self._read_chunks()
        return self._take(self._length(head), bytes_per_second)

    def read_half_body(self, head: Head) -> bytes:
        self._invite(head)
        return self._take(self._length(head) // 2, None)

    def send(self, outgoing: OutgoingAnswer) -> None:
        """Send the whole answer, whatever its length."""
        if not isinstance(outgoing.body, tuple):
            self._send_blocks(outgoing)
            return
        self.send_bytes(outgoing.head + b"".join(outgoing.body))

    def send_bytes(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            raise ConnectionEnded from None

    def _send_blocks(self, outgoing: OutgoingAnswer) -> None:
        self.send_bytes(outgoing.head)
        for block in outgoing.body:
            if self._closing.is_set():
                raise ConnectionEnded
            self.send_bytes(block)
            if outgoing.pause:
                self.pause(outgoing.pause)

    def pause(self, seconds: float) -> None:
        """Wait. If the sandbox closes meanwhile, end the connection."""
        if seconds > 0 and self._closing.wait(seconds):
            raise ConnectionEnded

    def hold(self) -> None:
        """Send nothing until the client closes or the sandbox does."""
        while not self._closing.is_set() and not self._hung_up(_WATCH_MS):
            continue

    def reset(self) -> None:
        """End the connection with a TCP reset, which the client sees as a broken connection."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()

    def close(self) -> None:
        """Close the connection cleanly. Discards what the client has sent so far: closing a socket with unread bytes
        would send a reset, which destroys the answer just sent."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.settimeout(0.2)
            while self.socket.recv(_BLOCK):
                continue
        with contextlib.suppress(OSError):
            self.socket.close()

    def _hung_up(self, wait_ms: int = 0) -> bool:
        watch = select.poll()
        watch.register(self.socket.fileno(), _HUNG_UP)
        return bool(watch.poll(wait_ms))

    def _rest(self) -> None:
        """Wait for the first bytes without taking them, so that the connection never looks idle after they were
        taken."""
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return
        try:
            watch = select.poll()
            watch.register(self.socket.fileno(), select.POLLIN)
            self.at_rest = True
            watch.poll()
        except (OSError, ValueError):
            raise ConnectionEnded from None
        finally:
            self.at_rest = False

    def _receive(self, limit: int = _BLOCK) -> bool:
        try:
            data = self.socket.recv(limit)
        except OSError:
            raise ConnectionEnded from None
        self._buffer += data
        return bool(data)

    def _length(self, head: Head) -> int:
        text = head.lookup.get("content-length")
        if text is None:
            if head.method in ("PUT", "POST"):
                raise BadRequest(HTTPStatus.LENGTH_REQUIRED, "The request needs a Content-Length")
            return 0
        if not text.isascii() or not text.isdigit():
            raise BadRequest(HTTPStatus.BAD_REQUEST, "Content-Length is not a number")
        if int(text) > self._max_body:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._max_body} bytes")
        return int(text)

    def _invite(self, head: Head) -> None:
        if head.lookup.get("expect", "").lower() == "100-continue":
            self.send_bytes(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _take(self, length: int, bytes_per_second: int | None) -> bytes:
        while len(self._buffer) < length:
            missing = length - len(self._buffer)
            if not self._receive(min(missing, bytes_per_second or _BLOCK)):
                raise ConnectionEnded
            if bytes_per_second is not None and not self._hung_up():
                self.pause(1.0)
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _take_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD or not self._receive():
                raise ConnectionEnded
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while True:
            try:
                size = int(self._take_line().partition(b";")[0], 16)
            except ValueError:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "A chunk has no readable size") from None
            if size < 0 or len(body) + size > self._max_body:
                raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {self._max_body} bytes")
            if size == 0:
                break
            body += self._take(size + 2, None)[:-2]
        while self._take_line():
            continue
        return bytes(body)


def _parsed_head(raw: bytes) -> Head:
    first, *lines = raw.decode("latin-1").lstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "This is not an HTTP/1.1 request")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(HTTPStatus.BAD_REQUEST, "A header is malformed")
        headers.append((name, value.strip()))
    return Head(words[0], words[1], words[2], headers, {name.lower(): value for name, value in headers})
