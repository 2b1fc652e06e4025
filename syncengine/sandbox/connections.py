"""Open connections, their threads, and whether every received request is finished."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

from syncengine.sandbox.wire import Connection

_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


def readable(sock: socket.socket) -> bool:
    """Whether bytes, a new connection or an end of file can be read from this socket."""
    handle = sock.fileno()
    if handle < 0:
        return False
    watch = select.poll()
    watch.register(handle, _READABLE)
    return bool(watch.poll(0))


class OpenConnections:
    """The open connections with their threads. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[Connection, threading.Thread] = {}

    def add(self, connection: Connection, thread: threading.Thread) -> None:
        with self._lock:
            self._members[connection] = thread

    def remove(self, connection: Connection) -> None:
        with self._lock:
            self._members.pop(connection, None)

    def busy(self) -> int:
        """Number of connections that have something to read, or whose last request is not finished."""
        with self._lock:
            members = list(self._members)
        # In this order: a connection leaves its idle state before it takes the bytes from the socket.
        return sum(1 for each in members if readable(each.socket) or not each.at_rest)

    def close_all(self, seconds: float) -> None:
        """Interrupt every thread's read or write, and join each with this time-out."""
        with self._lock:
            members = list(self._members.items())
        for connection, _ in members:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        for _, thread in members:
            thread.join(seconds)
