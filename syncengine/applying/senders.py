"""Sender threads, each with its own connection. They send requests and report the results."""

from __future__ import annotations

import queue
import threading

import msgspec

from syncengine.core.outcomes import LeadEntry, Verdict
from syncengine.core.ports import Gateway, GatewayFactory


class Received(msgspec.Struct, frozen=True):
    """Result of a request. `crash` is an internal error: the request may have left."""

    ticket: int
    verdict: Verdict | None
    status: int
    crash: BaseException | None = None


class Woken(msgspec.Struct, frozen=True):
    """No result; asks the run to check its state."""


Event = Received | Woken


class Senders:
    """`concurrency` threads; `events` carries their reports. Threads start when first needed."""

    def __init__(self, gateways: GatewayFactory, concurrency: int) -> None:
        self._gateways = gateways
        self._concurrency = concurrency
        self._work: queue.SimpleQueue[tuple[int, tuple[LeadEntry, ...], float] | None] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.in_flight = 0

    @property
    def idle(self) -> int:
        """Number of requests that could leave at once."""
        return self._concurrency - self.in_flight

    def send(self, ticket: int, entries: tuple[LeadEntry, ...], leave_by: float) -> None:
        """Pass on a request that must leave by then (monotonic seconds). Call it only while `idle` is positive."""
        self.in_flight += 1
        if len(self._threads) < min(self.in_flight, self._concurrency):
            thread = threading.Thread(target=self._run, name=f"sender-{len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put((ticket, entries, leave_by))

    def wake(self) -> None:
        """Wake a waiting run; safe inside a signal handler."""
        self.events.put(Woken())

    def wait(self, seconds: float | None) -> list[Event]:
        """Events so far, waiting up to `seconds` for the first one (None: no limit)."""
        events: list[Event] = []
        try:
            events.append(self.events.get(timeout=seconds) if seconds != 0 else self.events.get_nowait())
            while True:
                events.append(self.events.get_nowait())
        except queue.Empty:
            pass
        self.in_flight -= sum(isinstance(event, Received) for event in events)
        return events

    def close(self) -> None:
        """End the threads. Call it when nothing is in flight."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self) -> None:
        gateway: Gateway | None = None
        try:
            while (task := self._work.get()) is not None:
                ticket, entries, leave_by = task
                try:
                    if gateway is None:
                        gateway = self._gateways()
                    verdict, status = gateway.send(entries, leave_by=leave_by)
                    self.events.put(Received(ticket, verdict, status))
                except BaseException as error:  # noqa: BLE001 - a thread must report, or the run would wait for ever
                    self.events.put(Received(ticket, None, 0, error))
        finally:
            if gateway is not None:
                gateway.close()
