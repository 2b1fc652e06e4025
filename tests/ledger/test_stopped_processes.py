"""A process that is stopped (SIGSTOP) after any message to PostgreSQL never holds others for long.

The bounds are promises, far above what they take: another account is never silent for more than 8 seconds, another
runner of the same account goes on within 45.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator

import msgspec
import pytest

from syncengine.core.errors import LeaseHeld
from syncengine.core.ports import OutgoingRequest
from syncengine.ledger import Ledger
from tests.ledger.building import APPLIED, Home, allow, answered, entry, intend, settle, start, trigger
from tests.ledger.runner import serve
from tests.ledger.stopping_proxy import StoppingProxy

WORK = ("hold", "begin", "intend 1", "answer", "intend 2")
SILENT_AT_MOST = 8.0
TAKEN_OVER_WITHIN = 45.0


LEASE = 10.0
"""Seconds that a lease lasts here. Users have thirty: everything waits longer then, and nothing else differs."""

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.ledger.runner", "syncengine.ledger.postgres", "psycopg"])


class Stopped:
    """One process for an account of its own that is stopped after its n-th message."""

    def __init__(self, home: Home, number: int | None) -> None:
        self.account = f"account-{number}"
        self.number = number
        self.proxy = StoppingProxy(home.pin.url)
        self._channel, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=serve, args=(theirs, (home.root, self.proxy.url), LEASE, self.account))
        self._process.start()
        theirs.close()

    def ask(self, line: str) -> str:
        self._channel.send(line)
        return self.hear()

    def hear(self) -> str:
        assert self._channel.poll(60)
        said: str = self._channel.recv()
        return said

    def work(self) -> int:
        """Do everything, or as far as it comes; the messages that were counted."""
        assert self.hear() == "ready"
        self.arm(self.number)
        for line in WORK:
            self._channel.send(line)
        if self.number is None:
            assert not [said for said in map(self._hear, WORK) if "Error" in said]
        else:
            assert self.proxy.stopped.wait(30)
        return len(self.proxy.types)

    def _hear(self, _: str) -> str:
        return self.hear()

    def arm(self, number: int | None) -> None:
        assert self._process.pid is not None
        self.proxy.arm(self._process.pid, number)

    def tell(self, line: str) -> None:
        self._channel.send(line)

    def close(self) -> None:
        self.proxy.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self._channel.close()


class Witness:
    """Another account that commits without pause; `longest` is the longest time one commit took."""

    def __init__(self, home: Home) -> None:
        self.ledger = home.open()
        self.longest = 0.0
        self.commits = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Witness:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        with self.ledger.lease("witness", wait=0) as lease:
            run = self.ledger.begin(lease, msgspec.structs.replace(start(), account="witness"))
            lead = 0
            while not self._end.is_set():
                lead += 1
                before = time.monotonic()
                request = intend(self.ledger, lease, run, entry(trigger(lead)))
                settle(self.ledger, lease, run, answered(request, APPLIED))
                self.longest = max(self.longest, time.monotonic() - before)
                self.commits += 1


@pytest.fixture
def stopped(server_home: Home) -> Iterator[list[Stopped]]:
    server_home.create()
    found: list[Stopped] = []
    yield found
    for one in found:
        one.close()


def taken_over(home: Home, account: str, since: float) -> Ledger:
    """Another runner of the account, which sends; fails where it is not let in within the time that is promised."""
    ledger = home.open()
    while True:
        with contextlib.suppress(LeaseHeld), ledger.lease(account, wait=1) as lease:
            run = ledger.begin(lease, msgspec.structs.replace(start("p2"), account=account))
            done = ledger.commit(lease, run, [OutgoingRequest((entry(trigger(9)),))], [], allow)
            assert done.requests[0] is not None
            return ledger
        assert time.monotonic() - since < TAKEN_OVER_WITHIN, f"{account} is still held"


def test_stopped_after_any_message_it_delays_its_own_account_and_no_other(
    server_home: Home, stopped: list[Stopped]
) -> None:
    whole = Stopped(server_home, None)
    stopped.append(whole)
    messages = whole.work()
    assert messages > 10
    with Witness(server_home) as witness:
        since = time.monotonic()
        for number in range(1, messages + 1):
            stopped.append(Stopped(server_home, number))
            stopped[-1].work()
        for one in stopped[1:]:
            taken_over(server_home, one.account, max(since, time.monotonic() - TAKEN_OVER_WITHIN)).close()
    assert witness.commits > 100
    assert witness.longest < SILENT_AT_MOST
    assert list(server_home.open().check()) == []


def test_woken_up_it_records_its_answers_and_sends_nothing_more(server_home: Home, stopped: list[Stopped]) -> None:
    one = Stopped(server_home, None)
    stopped.append(one)
    assert one.hear() == "ready"
    for line in ("hold", "begin", "intend 1"):
        assert "Error" not in one.ask(line)
    one.arm(1)
    one.tell("answer")
    assert one.proxy.stopped.wait(30)
    second = taken_over(server_home, one.account, time.monotonic())
    one.proxy.go_on()
    assert "LeaseLost" in one.hear()
    assert "LeaseLost" in one.ask("intend 3")
    (attempt,) = second.histories(one.account, [entry(trigger(1)).lead]).popitem()[1].attempts
    assert attempt.answer is not None
    assert list(second.check()) == []
