"""HTTP transport that records how many bytes of a request left: httpx over httpcore's public connection pool.

Why not httpx's own transport: a total deadline must also hold for an answer that arrives byte by byte, the resend rule
depends on whether a byte of the request left, and an answer that arrived before its request must not be believed. All
three are known only where bytes are read and written.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

IDLE = 1.0
"""Seconds after which an idle connection is not reused: the service may be closing it."""

_PIECE = 64 * 1024
"""Bytes per write, so that the deadline is checked in between."""

_LATE = 0.01
"""Seconds for a read after the deadline: enough for what has arrived, not for waiting."""

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class RequestProgress:
    """Progress of the current request of one thread. Reset by `begin`; times come from `monotonic` (seconds)."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self.deadline = 0.0
        self.leave_by = math.inf
        self.sent = False
        """A byte of the request may have left."""
        self.heard = False
        """Bytes arrived after the request began to leave."""
        self.used: float | None = None
        """Time of the last read or write on any connection."""
        self._read_late = False

    def begin(self, total: float, leave_by: float = math.inf) -> None:
        """Start a new request. It may take `total` seconds, and must not start to leave after `leave_by`."""
        self.deadline = self.monotonic() + total
        self.leave_by = leave_by
        self.sent = False
        self.heard = False
        self._read_late = False

    def reading(self, timeout: float | None) -> float:
        """As `patience`, but once after the deadline what has arrived already may be read.

        A process that was stopped for long must not throw away the answer that waits for it: without the answer a
        person would have to find out what happened. Only once, so that a server which trickles gains nothing.
        """
        if self.sent and not self._read_late and self.deadline <= self.monotonic():
            self._read_late = True
            return _LATE
        return self.patience(timeout, httpcore.ReadTimeout)

    def patience(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        """Remaining time for one step. Raises `late` where the deadline has passed."""
        left = self.deadline - self.monotonic()
        if left <= 0:
            raise late("the whole request took too long")
        return left if timeout is None else min(timeout, left)


class _CountingStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, line: RequestProgress) -> None:
        self._inner = inner
        self._line = line
        self._used = line.monotonic()
        self._head = b""
        """The head of a request, held back until its body: both leave in one write, as one packet where they fit."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._put(b"", timeout)
        data = self._inner.read(max_bytes, self._line.reading(timeout))
        self._line.heard = self._line.heard or (self._line.sent and data != b"")
        self._touch()
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer.endswith(b"\r\n\r\n") and not self._head:
            self._head = buffer
        else:
            self._put(buffer, timeout)

    def _put(self, body: bytes, timeout: float | None) -> None:
        buffer, self._head = self._head + body, b""
        # Messages that set up a proxy's tunnel are not part of the request.
        if buffer and not self._line.sent and not buffer.startswith(b"CONNECT "):
            self._start()
        for start in range(0, len(buffer), _PIECE):
            patience = self._line.patience(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _PIECE], patience)
            self._touch()

    def _start(self) -> None:
        # The pool checked a moment ago, but this process may have been stopped in between. Not a WriteError: after one
        # the pool would go on and wait for an answer.
        now = self._line.monotonic()
        if now > self._line.leave_by:
            raise httpcore.ConnectError("the moment to send had passed")
        if now - self._used > IDLE:
            raise httpcore.ConnectError("the connection was idle for too long")
        self._line.patience(None, httpcore.ConnectTimeout)
        self._line.sent = True

    def _touch(self) -> None:
        self._used = self._line.used = self._line.monotonic()

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        patience = self._line.patience(timeout, httpcore.ConnectTimeout)
        return _CountingStream(self._inner.start_tls(ssl_context, server_hostname, patience), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, line: RequestProgress) -> None:
        self._inner = httpcore.SyncBackend()
        self._line = line

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        patience = self._line.patience(timeout, httpcore.ConnectTimeout)
        return _CountingStream(self._inner.connect_tcp(host, port, patience, local_address, socket_options), self._line)


class _ResponseBody(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class Transport(httpx.BaseTransport):
    """One thread's connection, kept for at most a second between requests, HTTP/1.1, no retries.

    Errors are raised as httpcore's own, so that the gateway has one table for them. A redirect's address moves from the
    headers to the extension "location": httpx can then neither follow it nor fail to parse it.
    """

    def __init__(self, line: RequestProgress, context: ssl.SSLContext | None, proxy: httpx.Proxy | None) -> None:
        self._line = line
        self._pool = _pool(_Backend(line), context, proxy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._line.used is not None and self._line.monotonic() - self._line.used > IDLE:
            self._pool.close()
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.read(),
                extensions=request.extensions,
            )
        )
        if not self._line.heard:
            response.close()
            raise httpcore.RemoteProtocolError("an answer was there before the request had been sent")
        headers = [(name, value) for name, value in response.headers if name.lower() != b"location"]
        places = [value.decode("latin-1") for name, value in response.headers if name.lower() == b"location"]
        return httpx.Response(
            status_code=response.status,
            headers=headers,
            stream=_ResponseBody(response),
            extensions={**response.extensions, "location": ", ".join(places)},
        )

    def close(self) -> None:
        self._pool.close()


def _pool(
    backend: _Backend, context: ssl.SSLContext | None, proxy: httpx.Proxy | None
) -> httpcore.ConnectionPool | httpcore.HTTPProxy:
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=IDLE,
            http2=False,
            retries=0,
            network_backend=backend,
        )
    return httpcore.HTTPProxy(
        proxy_url=httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=b"/"),
        proxy_auth=proxy.raw_auth,
        ssl_context=context,
        max_connections=1,
        keepalive_expiry=IDLE,
        http2=False,
        retries=0,
        network_backend=backend,
    )
