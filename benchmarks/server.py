"""A loopback service with LeadByte's two calls and its search, as fast as Python allows: it is not what is measured.

It parses just enough of HTTP/1.1 and answers every lead with success after `--latency` seconds. With `--refuse N` a
financials call that names a lead whose number divides by N is answered with an error, so that groups must be split, and
an update of such a lead fails. A search for person123@example.com finds lead 123.
GET /counts tells what arrived; POST /latency sets the latency, POST /reset the counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys

_ID = re.compile(rb'"id":\s*"?([0-9]+)')
_LIST = re.compile(rb'"leads":\s*\[([^\]]*)\]')
_DIGITS = re.compile(r"[0-9]+")
_NUMBER = re.compile(rb"[0-9]+")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]+)", re.IGNORECASE)

_BEFORE = b'{"status":"Success","message":"OK","leads":[{"id":"'
_BETWEEN = b'","success":true,"message":"Lead updated","warnings":[],"errors":[]},{"id":"'
_AFTER = b'","success":true,"message":"Lead updated","warnings":[],"errors":[]}]}'


class Service:
    """What all connections share."""

    def __init__(self, latency: float, refuse: int) -> None:
        self.latency = latency
        self.refuse = refuse
        self.requests = 0
        self.leads = 0
        self.refused = 0

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, float]:
        """Body of the answer, and the seconds after which it leaves."""
        if head.startswith(b"PUT /restapi/v1.3/leads "):
            ids = _ID.findall(body)
            self.requests += 1
            self.leads += len(ids)
            if self.refuse:
                return self._updated(ids), self.latency
            return _BEFORE + _BETWEEN.join(ids) + _AFTER, self.latency
        if head.startswith(b"PUT /restapi/v1.3/leadfinancials "):
            return self._financials(body), self.latency
        if head.startswith(b"POST /restapi/v1.3/leads/search "):
            return self._found(body), self.latency
        return self._control(head, body), 0.0

    def _updated(self, ids: list[bytes]) -> bytes:
        answers = [
            {"id": lead.decode(), "success": bool(int(lead) % self.refuse), "message": "Lead is not valid"}
            for lead in ids
        ]
        return json.dumps({"status": "Success", "message": "OK", "leads": answers}).encode()

    def _found(self, body: bytes) -> bytes:
        searches = json.loads(body)["searches"]
        self.requests += 1
        self.leads += len(searches)
        answered = [{**search, "results": [_lead(search)], "matches": 1} for search in searches]
        return json.dumps({"status": "Success", "totalMatches": len(searches), "searches": answered}).encode()

    def _financials(self, body: bytes) -> bytes:
        found = _LIST.search(body)
        ids = _NUMBER.findall(found.group(1)) if found else []
        self.requests += 1
        if self.refuse and any(int(lead) % self.refuse == 0 for lead in ids):
            self.refused += 1
            return b'{"status":"Error","message":"Lead is not approved"}'
        self.leads += len(ids)
        return b'{"status":"Success","message":"OK"}'

    def _control(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST /latency "):
            self.latency = float(body)
        elif head.startswith(b"POST /reset "):
            self.requests = self.leads = self.refused = 0
        return json.dumps({"requests": self.requests, "leads": self.leads, "refused": self.refused}).encode()


def _lead(search: dict[str, object]) -> dict[str, object]:
    found = _DIGITS.search(str(search["email"]))
    lead = int(found[0]) if found else 0
    return {"leadId": lead, "campaignId": search["campaignId"], "received": "2022-03-15T10:30:46Z",
            "email": search["email"], "phone1": "", "firstname": "", "lastname": "", "queue_ref": None}  # fmt: skip


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer = self._buffer
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(buffer[:end])
            length = _LENGTH.search(head)
            total = end + 4 + (int(length.group(1)) if length else 0)
            if len(buffer) < total:
                return
            body, delay = self._service.answer(head, bytes(buffer[end + 4 : total]))
            del buffer[:total]
            answer = (
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
            )
            if delay:
                self._loop.call_later(delay, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve(latency: float, refuse: int) -> None:
    """Serve until killed; the first line of standard output is the URL."""
    service = Service(latency, refuse)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--refuse", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.latency, arguments.refuse))


if __name__ == "__main__":
    main()
