"""A loopback proxy that stops the process in front of it (SIGSTOP) after so many of its messages to PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from urllib.parse import urlsplit, urlunsplit

_HEADER = 5


class StoppingProxy:
    """Forwards connections message by message.

    Once armed, it counts the messages of every connection, and after `stop_after` of them it stops the process and
    forwards nothing more; the connections stay open, as they do in front of a process that is stopped. `types` has the
    type of every message counted.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
        self._lock = threading.Lock()
        self._pid = 0
        self._stop_after: int | None = None
        self.types: list[str] = []
        self.stopped = threading.Event()
        self._sockets: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def arm(self, pid: int, stop_after: int | None) -> None:
        """Count from now on; None only counts."""
        with self._lock:
            self._pid, self._stop_after, self.types = pid, stop_after, []

    def go_on(self) -> None:
        """Forward again, and let the process run."""
        self.stopped.clear()
        self._stop_after = None
        os.kill(self._pid, signal.SIGCONT)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for target, source, sink in ((self._forward, client, server), (self._back, server, client)):
                    threading.Thread(target=target, args=(source, sink), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            # The first message has no type. Clients that ask for TLS first are answered by the server: no.
            while True:
                head = _exactly(client, 4)
                body = _exactly(client, int.from_bytes(head, "big") - 4)
                server.sendall(head + body)
                if body[:4] != (80877103).to_bytes(4, "big"):
                    break
            while True:
                header = _exactly(client, _HEADER)
                body = _exactly(client, int.from_bytes(header[1:], "big") - 4)
                server.sendall(header + body)
                self._count(chr(header[0]))
                while self.stopped.is_set():
                    threading.Event().wait(0.05)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _count(self, kind: str) -> None:
        with self._lock:
            if not self._pid or self.stopped.is_set():
                return
            self.types.append(kind)
            if self._stop_after is not None and len(self.types) >= self._stop_after:
                os.kill(self._pid, signal.SIGSTOP)
                self.stopped.set()

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.stopped.clear()
        with contextlib.suppress(OSError):
            # Closing alone would not wake the thread, and it would accept one more connection.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data
