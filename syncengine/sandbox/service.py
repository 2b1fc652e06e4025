"""The account with its persistent log: numbers requests, commits effects, and schedules late effects."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from syncengine.sandbox.connections import OpenConnections
from syncengine.sandbox.entities import Effect, ReceivedRequest, Reply, failure
from syncengine.sandbox.faults import NO_FAULT, Fault, PartialEffect, Script, Trouble
from syncengine.sandbox.malformed_answers import effects_of_part, rejecting
from syncengine.sandbox.store import RequestLine, SandboxStore, timestamp
from syncengine.sandbox.world import SandboxAccount

_WATCH_SECONDS = 0.02


class Service:
    """Thread-safe. `clock` returns seconds since 1970; `closing` asks every thread to end.

    The effects of one request are decided, logged and applied atomically, before any byte of its answer leaves.
    """

    def __init__(
        self, world: SandboxAccount, store: SandboxStore, trouble: Trouble, clock: Callable[[], float]
    ) -> None:
        self.clock = clock
        self.closing = threading.Event()
        self.connections = OpenConnections()
        self.trouble = trouble
        self._world = world
        self._store = store
        self._lock = threading.Lock()
        self._quiet = threading.Condition()
        self._busy = 0
        self._waiting = 0
        self._late: list[threading.Thread] = []
        for line in store.replay():
            world.apply(line.bare(), line.at)
        self._requests = store.requests_before

    def replace_script(self, script: Script, base: Path) -> None:
        """Replace the fault script from the next request on. Its counters start at zero."""
        self.trouble = Trouble(script, base)

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """The number of a request that just arrived. Within the context the service is not idle."""
        with self._quiet:
            self._busy += 1
            self._requests += 1
            number = self._requests
        try:
            yield number
        finally:
            with self._quiet:
                self._busy -= 1
                self._quiet.notify_all()

    def counts(self) -> dict[str, int]:
        """Number of requests so far, and of open requests, pending late effects and unread connections."""
        with self._quiet:
            return {"requests": self._requests, "busy": max(self._busy, self.connections.busy() + self._waiting)}

    def idle(self, timeout: float | None, untaken: Callable[[], bool]) -> bool:
        """Wait until everything received is processed, late effects included. False after the time-out.

        `untaken` returns whether a connection waits to be accepted.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while untaken() or self.counts()["busy"] > 0:
            if end is not None and time.monotonic() >= end:
                return False
            with self._quiet:
                self._quiet.wait(_WATCH_SECONDS)
        return True

    def perform(self, request: ReceivedRequest, number: int, fault: Fault = NO_FAULT) -> Reply:
        """Decide, then apply the effects that the fault leaves. A full disk answers 500 and applies nothing."""
        with self._lock:
            now = self.clock()
            reply = self._world.respond(request, now)
            if fault.reject is not None:
                reply = rejecting(reply, fault.reject)
            try:
                self._commit(_due_now(reply, fault), number, now)
            except OSError as error:
                return failure(500, f"The sandbox could not write its log, so nothing was done: {error}")
        return reply

    def perform_later(self, request: ReceivedRequest, number: int, fault: Fault, seconds: float) -> None:
        """Decide and apply when the delay is over, or when the sandbox closes, whichever comes first."""
        with self._quiet:
            self._waiting += 1

        def wait_and_do() -> None:
            try:
                self.closing.wait(seconds)
                self.perform(request, number, _without_delay(fault))
            finally:
                with self._quiet:
                    self._waiting -= 1
                    self._quiet.notify_all()

        thread = threading.Thread(target=wait_and_do, name=f"sandbox-late-{number}")
        self._late.append(thread)
        thread.start()

    def record(self, line: RequestLine) -> None:
        """Log the request. A full disk does not prevent the answer, which reports it already."""
        with self._lock, contextlib.suppress(OSError):
            self._store.append_request(line)

    def close(self) -> None:
        self.closing.set()
        for thread in self._late:
            thread.join()
        with self._lock:
            self._store.close()

    def _commit(self, effects: Sequence[Effect], number: int, now: float) -> None:
        if not effects:
            return
        at = timestamp(now)
        self._store.append_effects(effects, number, at)
        for effect in effects:
            self._world.apply(effect, at)


def _due_now(reply: Reply, fault: Fault) -> Sequence[Effect]:
    match fault.effect:
        case "none":
            return ()
        case PartialEffect(late=None):
            return effects_of_part(reply.effects, fault.effect)
        case PartialEffect():
            return ()
        case _:
            return reply.effects


def _without_delay(fault: Fault) -> Fault:
    return Fault(reject=fault.reject)
