"""A sandbox on a real socket, and a small client of its own: nothing here comes from the product's client."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import RunningSandbox, Sandbox, SandboxOptions

LEADS = "/restapi/v1.3/leads"
FINANCIALS = "/restapi/v1.3/leadfinancials"
QUARANTINE = "/restapi/v1.3/quarantine/process"


@dataclass
class Answered:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Driver:
    """Calls one sandbox and reads its logs."""

    running: RunningSandbox
    timeout: float = 10
    open: list[http.client.HTTPConnection] = field(default_factory=list)

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.running.port, timeout=self.timeout)
        self.open.append(connection)
        return connection

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        on: http.client.HTTPConnection | None = None,
    ) -> Answered:
        connection = on or self.connect()
        data = body if isinstance(body, bytes | str | None) else json.dumps(body)
        sent = {"X_KEY": self.running.api_key} if headers is None else headers
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        return Answered(response.status, dict(response.getheaders()), response.read())

    def leads(self, *elements: dict[str, Any], **more: Any) -> Answered:
        return self.call("PUT", LEADS, {"leads": list(elements)}, **more)

    def financials(self, leads: Any, **values: Any) -> Answered:
        return self.call("PUT", FINANCIALS, {"key": self.running.api_key, "leads": leads, **values}, headers={})

    def update(self, *numbers: str, **more: Any) -> Answered:
        return self.leads(*({"id": number, "update": {"c1": "x"}} for number in numbers), **more)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.running.port), timeout=self.timeout)

    @property
    def effects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.running.effects_log.read_text().splitlines()]

    @property
    def done(self) -> list[tuple[str, str]]:
        return [(effect["effect"], effect["lead"]) for effect in self.effects]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.running.requests_log.read_text().splitlines()]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Driver]]:
    """Start a sandbox with these options; its state folder is `tmp_path / "state"` unless said otherwise."""
    drivers: list[Driver] = []

    def begin(clock: Callable[[], float] | None = None, **options: Any) -> Driver:
        settings = SandboxOptions(**{"state": tmp_path / "state", **options})
        sandbox = Sandbox(settings) if clock is None else Sandbox(settings, clock=clock)
        drivers.append(Driver(sandbox.start()))
        return drivers[-1]

    yield begin
    for driver in drivers:
        for connection in driver.open:
            connection.close()
        driver.running.close()


@pytest.fixture
def faulty(start: Callable[..., Driver], tmp_path: Path) -> Callable[..., Driver]:
    """Start a sandbox with these rules, written to a file as a user would."""

    def begin(*rules: dict[str, Any], **options: Any) -> Driver:
        path = tmp_path / "faults.json"
        path.write_text(json.dumps({"rules": list(rules)}))
        return start(faults=path, **options)

    return begin
