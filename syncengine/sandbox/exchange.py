"""One request-response exchange: read, apply a fault or not, execute, answer. The fault format defines the order."""

from __future__ import annotations

import urllib.parse
from http import HTTPStatus

import msgspec

from syncengine.sandbox import answers
from syncengine.sandbox.answers import OutgoingAnswer
from syncengine.sandbox.entities import ReceivedRequest, Reply, failure
from syncengine.sandbox.faults import (
    NO_FAULT,
    Fault,
    FaultAnswer,
    FaultRule,
    Mentioned,
    PartialEffect,
    Step,
    Trouble,
    mentioned_in,
)
from syncengine.sandbox.malformed_answers import distorted
from syncengine.sandbox.service import Service
from syncengine.sandbox.signals import send_signal
from syncengine.sandbox.store import RequestLine, body_columns, timestamp
from syncengine.sandbox.wire import BadRequest, Connection, ConnectionEnded, Head
from syncengine.sandbox.world import read_json

STATUS_PATH = "/sandbox/status"


class Refusing(Exception):
    """The rule refuses new connections for so many seconds, and this connection must be reset."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"refusing connections for {seconds} seconds")
        self.seconds = seconds


class Exchange:
    """One request in progress. `drop_underscores` removes headers with underscores, as some proxies do."""

    def __init__(
        self, service: Service, connection: Connection, head: Head, number: int, *, drop_underscores: bool = False
    ) -> None:
        self._service = service
        self._connection = connection
        self._head = head
        self._number = number
        self._drop_underscores = drop_underscores
        self._trouble: Trouble = service.trouble
        self._rule: FaultRule | None = None
        self._fault: Fault = NO_FAULT
        self._body = b""

    def run(self) -> bool:
        """Serve the request. Returns whether the connection stays open. Raises ConnectionEnded, or Refusing."""
        try:
            request = self._receive()
        except BadRequest as bad:
            return self._turn_away(bad)
        if request is None:
            return False
        if self._rule is None:
            self._choose(self._trouble.strike(request.method, request.path, self._mentioned))
        fault = self._fault
        self._signal("received")
        self._connection.pause(fault.delay_before + self._trouble.script.latency_ms / 1000)
        self._signal("before_effect")
        reply = self._service.perform(request, self._number, fault)
        self._signal("after_effect")
        self._connection.pause(fault.delay_after)
        late = fault.effect.late if isinstance(fault.effect, PartialEffect) else None
        if late is not None:
            self._service.perform_later(request, self._number, fault, late)
        return self._answer(reply)

    def _receive(self) -> ReceivedRequest | None:
        """Read the whole request; None where the fault ended the connection in the middle of it."""
        head = self._head
        path, _, query = head.target.partition("?")
        self._choose(self._trouble.strike_early(head.method, path))
        fault = self._fault
        if fault.read in ("reset", "reset_half") or fault.refuse_seconds > 0:
            self._break_off()
            return None
        pace = fault.bytes_per_second if fault.read == "slow" else None
        self._body = self._connection.read_body(head, bytes_per_second=pace)
        headers = head.lookup
        if self._drop_underscores:
            headers = {name: value for name, value in headers.items() if "_" not in name}
        values = dict(urllib.parse.parse_qsl(query, keep_blank_values=True)) if query else {}
        return ReceivedRequest(head.method, path, values, headers, self._body)

    def _break_off(self) -> None:
        """End the connection before the request was read, or with half of it."""
        if self._fault.read == "reset_half":
            self._body = self._connection.read_half_body(self._head)
        self._record(None)
        if self._fault.refuse_seconds > 0:
            raise Refusing(self._fault.refuse_seconds)
        self._connection.reset()

    def _mentioned(self) -> Mentioned:
        try:
            return mentioned_in(read_json(self._body))
        except ValueError:
            return Mentioned(frozenset(), frozenset())

    def _turn_away(self, bad: BadRequest) -> bool:
        outgoing = answers.plain(failure(bad.status, str(bad)), self._service.clock(), closes=True)
        self._record(outgoing.status)
        self._connection.send(outgoing)
        self._connection.close()
        return False

    def _answer(self, reply: Reply) -> bool:
        outgoing = self._outgoing(reply)
        how = self._fault.answer if isinstance(self._fault.answer, str) else "normal"
        self._record(None if how in ("reset", "close", "never") else outgoing.status)
        match how:
            case "never":
                self._connection.hold()
                self._connection.close()
            case "reset":
                self._connection.reset()
            case "close":
                self._connection.close()
            case "reset_half" | "close_half":
                self._send_halves(outgoing, whole=False)
                self._connection.reset() if how == "reset_half" else self._connection.close()
            case "normal":
                return self._send(outgoing)
        self._signal("answered")
        return False

    def _outgoing(self, reply: Reply) -> OutgoingAnswer:
        fault, now = self._fault, self._service.clock()
        document = distorted(reply.document, fault.elements) if fault.elements else reply.document
        if isinstance(fault.answer, FaultAnswer):
            return answers.special(document, fault.answer, now)
        closes = not self._head.keeps_alive
        return answers.plain(Reply(reply.status, document), now, closes=closes)

    def _send(self, outgoing: OutgoingAnswer) -> bool:
        signal = self._fault.signal
        if signal is not None and signal.at == "half_answer" and not outgoing.endless:
            self._send_halves(outgoing, whole=True)
        else:
            self._connection.send(outgoing)
        self._signal("answered")
        if outgoing.closes or not self._head.keeps_alive:
            self._connection.close()
            return False
        return True

    def _send_halves(self, outgoing: OutgoingAnswer, *, whole: bool) -> None:
        data = outgoing.head + b"".join(outgoing.body)
        # The first half ends inside the body, so that the client has read the status and waits for the rest.
        middle = len(outgoing.head) + (len(data) - len(outgoing.head)) // 2
        self._connection.send_bytes(data[:middle])
        self._signal("half_answer")
        if whole:
            self._connection.send_bytes(data[middle:])

    def _choose(self, rule: FaultRule | None) -> None:
        if rule is not None:
            self._rule, self._fault = rule, rule.fault

    def _signal(self, step: Step) -> None:
        order = self._fault.signal
        if order is not None and order.at == step:
            send_signal(order, self._trouble.base)

    def _record(self, status: int | None) -> None:
        head = self._head
        self._service.record(
            RequestLine(
                self._number,
                timestamp(self._service.clock()),
                self._connection.number,
                head.method,
                head.target,
                head.headers,
                status,
                fault=self._trouble.label(self._rule) if self._rule is not None else None,
                **body_columns(self._body),
            )
        )


def serve(service: Service, connection: Connection, *, drop_underscores: bool) -> None:
    """Serve one connection until it ends. Raises ConnectionEnded, or Refusing."""
    while not service.closing.is_set():
        try:
            head = connection.read_head()
        except BadRequest as bad:
            now = service.clock()
            connection.send(answers.plain(failure(bad.status, str(bad)), now, closes=True))
            connection.close()
            return
        if head is None:
            return
        if head.target == STATUS_PATH:
            _show_status(service, connection)
            continue
        with service.serving() as number:
            if not Exchange(service, connection, head, number, drop_underscores=drop_underscores).run():
                return
    raise ConnectionEnded


def _show_status(service: Service, connection: Connection) -> None:
    """Answer the status address, which is not one of the service's calls and is neither counted nor logged. A test
    harness polls it to see that the sandbox is idle."""
    counts = service.counts()
    # The connection that asks is busy itself.
    body = msgspec.json.encode(counts | {"busy": max(0, counts["busy"] - 1)})
    head = f"HTTP/1.1 {HTTPStatus.OK.value} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.send_bytes(head.encode() + body)
