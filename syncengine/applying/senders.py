"""Worker threads, each with a connection of its own; they send what they are handed and report what came back."""

from __future__ import annotations

import queue
import threading

import msgspec

from syncengine.core.outcomes import Parcel, Verdict
from syncengine.core.ports import Gateway, GatewayFactory


class Received(msgspec.Struct, frozen=True):
    """What a request brought. `crash` is an error of ours: the request may have left, nobody knows."""

    ticket: int
    verdict: Verdict | None
    status: int
    crash: BaseException | None = None


class Woken(msgspec.Struct, frozen=True):
    """Nothing came back, but somebody wants the run to look around."""


Event = Received | Woken


class Senders:
    """`concurrency` threads; `events` carries their reports. Threads start when first needed."""

    def __init__(self, gateways: GatewayFactory, concurrency: int) -> None:
        self._gateways = gateways
        self._concurrency = concurrency
        self._work: queue.SimpleQueue[tuple[int, tuple[Parcel, ...], float] | None] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.in_flight = 0

    @property
    def idle(self) -> int:
        """How many requests could leave at once."""
        return self._concurrency - self.in_flight

    def send(self, ticket: int, parcels: tuple[Parcel, ...], leave_by: float) -> None:
        """Hand over a request that must leave by then (monotonic seconds); call only while `idle` is positive."""
        self.in_flight += 1
        if len(self._threads) < min(self.in_flight, self._concurrency):
            thread = threading.Thread(target=self._run, name=f"sender-{len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put((ticket, parcels, leave_by))

    def wake(self) -> None:
        """Make a waiting run look around; safe inside a signal handler."""
        self.events.put(Woken())

    def wait(self, seconds: float | None) -> list[Event]:
        """Events so far, waiting up to `seconds` for the first one (None: as long as it takes)."""
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
        """Let the threads end; call when nothing is in flight."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self) -> None:
        gateway: Gateway | None = None
        try:
            while (task := self._work.get()) is not None:
                ticket, parcels, leave_by = task
                try:
                    if gateway is None:
                        gateway = self._gateways()
                    verdict, status = gateway.send(parcels, leave_by=leave_by)
                    self.events.put(Received(ticket, verdict, status))
                except BaseException as error:  # noqa: BLE001 - a thread must report, or the run would wait for ever
                    self.events.put(Received(ticket, None, 0, error))
        finally:
            if gateway is not None:
                gateway.close()
