"""Several processes and one ledger: leases, crashes at any instant, and runners that wake up too late."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from syncengine.core.errors import LeaseHeld
from syncengine.core.history import Standing
from tests.ledger.building import ACCOUNT, APPLIED, Home, entry, history_of, run_once, update

CHECKOUT = Path(__file__).parents[2]


class Process:
    """A runner process that is told what to do line by line."""

    def __init__(self, home: Home, lease_seconds: float = 30.0, account: str = ACCOUNT) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.runner", str(home.root), home.pin.url, str(lease_seconds), account],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, line: str) -> str:
        self.tell(line)
        return self.hear()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> str:
        """SIGKILL; what it had still said."""
        self.process.kill()
        assert self.process.stdout is not None
        assert self.process.stdin is not None
        rest = self.process.stdout.read()
        self.process.stdout.close()
        self.process.stdin.close()
        self.process.wait()
        return rest


@pytest.fixture
def started() -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for one in processes:
        if one.process.returncode is None:
            one.kill()


def test_the_second_process_is_refused_by_name_and_waits_if_asked(home: Home, started: list[Process]) -> None:
    ledger = home.create()
    other = Process(home, lease_seconds=2.0)
    started.append(other)
    assert other.ask("hold") == "epoch 1"
    with pytest.raises(LeaseHeld, match=rf"\(process {other.process.pid}\)"), ledger.lease(ACCOUNT, wait=0):
        pytest.fail("two leases at once")
    run = other.ask("begin")
    assert [(record.run, record.live) for record in ledger.runs()] == [(run, True)]
    assert other.ask("intend 1").startswith("intended")
    assert history_of(ledger, 1).attempts[0].standing is Standing.IN_FLIGHT
    assert [doubt.in_flight for doubt in ledger.doubts()] == [True]
    other.kill()
    with ledger.lease(ACCOUNT, wait=20) as lease:
        assert lease.epoch == 2
        assert history_of(ledger, 1).attempts[0].standing is Standing.UNKNOWN
    assert [record.live for record in ledger.runs()] == [False]


def test_a_holder_stopped_inside_a_transaction_is_named_all_the_same(server_home: Home, started: list[Process]) -> None:
    ledger = server_home.create()
    other = Process(server_home)
    started.append(other)
    assert other.ask("hold") == "epoch 1"
    with psycopg.connect(server_home.pin.url) as stopped:
        stopped.execute("SELECT * FROM syncengine.lanes FOR UPDATE")
        with pytest.raises(LeaseHeld, match=rf"process {other.process.pid}"), ledger.lease(ACCOUNT, wait=0):
            pytest.fail("two leases at once")


def test_readers_never_keep_an_applier_out(file_home: Home, started: list[Process]) -> None:
    ledger = file_home.create()
    run_once(ledger, entry(update(1)), APPLIED)
    other = Process(file_home)
    started.append(other)
    other.tell("hold")
    while not ledger.runs() or not ledger._leases.live_epochs():
        history_of(ledger, 1)
    assert other.hear() == "epoch 2"


def test_a_child_process_does_not_keep_the_lease(file_home: Home, started: list[Process]) -> None:
    ledger = file_home.create()
    other = Process(file_home)
    started.append(other)
    assert other.ask("hold") == "epoch 1"
    child = int(other.ask("spawn"))
    other.kill()
    try:
        with ledger.lease(ACCOUNT, wait=0) as lease:
            assert lease.epoch == 2
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_forked_child_does_not_keep_the_lease(file_home: Home) -> None:
    ledger = file_home.create()
    reading, writing = os.pipe()
    with ledger.lease(ACCOUNT, wait=0):
        child = os.fork()
        if child == 0:
            os.read(reading, 1)
            os._exit(0)
    try:
        with ledger.lease(ACCOUNT, wait=0) as lease:
            assert lease.epoch == 2
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("kill", range(4))
def test_a_kill_during_commits_loses_nothing_that_was_reported(home: Home, started: list[Process], kill: int) -> None:
    ledger = home.create()
    other = Process(home, lease_seconds=1.0)
    started.append(other)
    other.ask("hold")
    other.ask("begin")
    other.tell("many")
    said = [other.hear() for _ in range(5 + 7 * kill)]
    said += [line for line in other.kill().splitlines() if line.count(" ") == 1]
    reported = [line.split() for line in said]
    with ledger.lease(ACCOUNT, wait=20):
        recorded = list(ledger.history())
        assert list(ledger.check()) == []
    leads = {row.lead for row in recorded}
    assert {lead for lead, _ in reported} <= leads
    assert len(recorded) == 2 * len(leads)
    # Every request but the last was answered in the commit of the next.
    in_doubt = {row.lead for row in recorded if row.outcome == "in_doubt"}
    assert len(in_doubt) == 1
    assert int(in_doubt.pop()) == max(int(lead) for lead in leads)


def _wait_until_free(home: Home, seconds: float = 20.0) -> None:
    ledger = home.open(lease_seconds=1.0)
    deadline = time.monotonic() + seconds
    while ledger._leases.live_epochs():
        assert time.monotonic() < deadline
    ledger.close()


def test_a_runner_stopped_past_its_lease_commits_no_intent(server_home: Home, started: list[Process]) -> None:
    ledger = server_home.create()
    sleeper = Process(server_home, lease_seconds=1.0)
    started.append(sleeper)
    assert sleeper.ask("hold") == "epoch 1"
    sleeper.ask("begin")
    assert sleeper.ask("intend 1").startswith("intended")
    sleeper.signal(signal.SIGSTOP)
    with ledger.lease(ACCOUNT, wait=20) as lease:
        assert lease.epoch == 2
        sleeper.tell("intend 2")
        sleeper.signal(signal.SIGCONT)
        assert sleeper.hear().startswith("LeaseLost")
        assert history_of(ledger, 2).attempts == ()
        assert sleeper.ask("answer") == "LeaseLost" or sleeper.ask("intend 3").startswith("LeaseLost")
    (attempt,) = history_of(ledger, 1).attempts
    assert attempt.standing is Standing.APPLIED
    assert list(ledger.check()) == []


def test_a_lease_that_ran_out_is_lost_even_if_nobody_took_it(server_home: Home, started: list[Process]) -> None:
    server_home.create()
    sleeper = Process(server_home, lease_seconds=1.0)
    started.append(sleeper)
    sleeper.ask("hold")
    sleeper.ask("begin")
    sleeper.signal(signal.SIGSTOP)
    _wait_until_free(server_home)
    sleeper.signal(signal.SIGCONT)
    assert sleeper.ask("intend 1").startswith("LeaseLost")


def test_a_renewed_lease_outlasts_its_time(server_home: Home) -> None:
    server_home.create()
    ledger = server_home.open(lease_seconds=0.6)
    other = server_home.open()
    with ledger.lease(ACCOUNT, wait=0), pytest.raises(LeaseHeld), other.lease(ACCOUNT, wait=1.5):
        pytest.fail("the lease was not renewed")


def test_lanes_of_one_account_run_side_by_side(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    with ledger.lease(ACCOUNT, wait=0, lane="a") as one, other.lease(ACCOUNT, wait=0, lane="b") as two:
        assert (one.lane, two.lane) == ("a", "b")
        third = server_home.open()
        for lane in ("a", ""):
            with pytest.raises(LeaseHeld), third.lease(ACCOUNT, wait=0, lane=lane):
                pytest.fail("two leases over the same leads")


def test_a_released_lease_fences_off_its_holder(server_home: Home, started: list[Process]) -> None:
    ledger = server_home.create()
    other = Process(server_home)
    started.append(other)
    other.ask("hold")
    other.ask("begin")
    assert ledger.release(ACCOUNT, by="ann", note="the machine is gone")
    with ledger.lease(ACCOUNT, wait=0):
        assert other.ask("intend 1").startswith("LeaseLost")
    assert list(ledger.check()) == []


def test_a_living_holder_on_this_machine_is_not_released(file_home: Home) -> None:
    ledger = file_home.create()
    other = file_home.open()
    with ledger.lease(ACCOUNT, wait=0), pytest.raises(LeaseHeld):
        other.release(ACCOUNT, by="ann", note="")
