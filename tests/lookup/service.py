"""A search service of our own on loopback, which answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Search = dict[str, Any]


@dataclass
class Reply:
    """An answer: a JSON document, or bytes."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def result(lead: Any, **more: Any) -> dict[str, Any]:
    """A lead as the service documents it."""
    return {
        "leadId": lead, "campaignId": 565, "received": "2022-03-15T10:30:46Z", "phone1": "", "phone2": "", "phone3": "",
        "title": "", "firstname": "", "lastname": "", "c1": "", "c2": "", "c3": "", "sub_supplier_id": "0",
        "queue_ref": None, **more,
    }  # fmt: skip


def found(*searches: tuple[Search, list[dict[str, Any]]]) -> dict[str, Any]:
    """The documented answer to these searches."""
    answered = [{**search, "results": results, "matches": len(results)} for search, results in searches]
    total = sum(len(results) for _, results in searches)
    return {"status": "Success", "message": "", "warnings": [], "totalMatches": total, "searches": answered}


Answering = Callable[[list[Search], int], Reply]


class Service:
    """`answer` gets the searches of a request and its number from 1. None ends the connection without an answer."""

    def __init__(self, answer: Callable[[list[Search], int], Reply | None]) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[tuple[str, str, dict[str, str]]] = []
        self._answer = answer
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one write: no delayed acknowledgement in between

            def do_POST(self) -> None:
                service._serve(self)

            do_GET = do_PUT = do_POST  # noqa: N815

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def asked(self, name: str = "email") -> Counter[str]:
        """How often each value was searched."""
        with self._lock:
            return Counter(search[name] for body in self.bodies for search in body["searches"] if name in search)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers.get("Content-Length", "0"))) or b"{}")
        with self._lock:
            self.bodies.append(body)
            self.heads.append((handler.command, handler.path, {k.lower(): v for k, v in handler.headers.items()}))
            number = len(self.bodies)
        reply = self._answer(body.get("searches", []), number)
        try:
            if reply is None:
                handler.close_connection = True
                return
            handler.send_response(reply.status)
            for key, value in {"Content-Type": "application/json", **reply.headers}.items():
                handler.send_header(key, value)
            handler.send_header("Content-Length", str(len(reply.data)))
            handler.end_headers()
            handler.wfile.write(reply.data)
        except OSError:
            handler.close_connection = True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
