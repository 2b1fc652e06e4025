"""Servers of bare sockets: each connection is handled by a function that may do to it whatever a network can."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TLS = Path(__file__).parent / "tls"
Handler = Callable[["Connection"], None]


class Connection:
    """One accepted connection, its number (from 1), and what the server shares between them."""

    def __init__(self, sock: socket.socket, number: int, server: RawServer) -> None:
        self.sock = sock
        self.number = number
        self.server = server

    def request(self) -> bytes:
        """A whole request, or what came of one; recorded."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                return data
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            piece = self.sock.recv(65536)
            if not piece:
                break
            body += piece
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with RST in place of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def wait_for_the_end(self) -> None:
        """Until the client goes away, or the test is over."""
        self.sock.settimeout(0.05)
        while not self.server.over.is_set():
            try:
                if not self.sock.recv(65536):
                    return
            except TimeoutError:
                continue


class RawServer:
    """Listens on loopback; `requests` and `connections` tell what arrived."""

    def __init__(
        self,
        handler: Handler,
        *,
        certificate: str | None = None,
        newest: ssl.TLSVersion | None = None,
        receive_buffer: int | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.names: list[str] = []
        """What clients called this server when they opened an encrypted connection."""
        self.finished = threading.Semaphore(0)
        """Released once for every connection that was handled and closed."""
        self.over = threading.Event()
        self._handler = handler
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(TLS / certificate)
            self._context.sni_callback = lambda _socket, name, _context: self.names.append(name or "")
        if self._context is not None and newest is not None:
            self._limit(self._context, newest)
        self._listener = socket.socket()
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @staticmethod
    def _limit(context: ssl.SSLContext, newest: ssl.TLSVersion) -> None:
        """Nothing newer than this is spoken; old versions are only spoken at security level 0."""
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = min(newest, ssl.TLSVersion.TLSv1)
            context.maximum_version = newest

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self.over.is_set():
                sock.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._handle, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _handle(self, sock: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(self.finished.release)
            stack.enter_context(sock)
            if self._context is not None:
                sock = stack.enter_context(self._context.wrap_socket(sock, server_side=True))
            self._handler(Connection(sock, number, self))

    def url(self, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}"

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()


@contextlib.contextmanager
def serving(handler: Handler, **options: Any) -> Iterator[RawServer]:
    server = RawServer(handler, **options)
    try:
        yield server
    finally:
        server.close()


def http(body: bytes | Any = b"", status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """A whole answer; a body that is not bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Words", f"Content-Length: {len(raw) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + raw


def updated(*leads: str) -> dict[str, Any]:
    return {
        "status": "Success",
        "message": "OK",
        "leads": [{"id": lead, "success": True, "message": "Lead updated"} for lead in leads or ("2932682",)],
    }


def answering(*answers: bytes) -> Handler:
    """Answers the requests of all connections in this order, the last one for ever; connections are kept."""

    def handle(connection: Connection) -> None:
        while connection.request():
            connection.send(answers[min(len(connection.server.requests), len(answers)) - 1])

    return handle
