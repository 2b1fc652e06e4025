"""Worker processes of one test: started, killed, paused and replaced; what they said is kept."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from tests.crash.bench import Bench

PATIENCE = 180.0
LEASE = 3.0
"""Seconds; the shortest that a busy machine keeps."""


def until(reached: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + patience
    while not reached():
        assert time.monotonic() < deadline, f"no {what} after {patience:g} s"
        time.sleep(0.05)


def state_of(pid: int) -> str:
    """A process's state letter: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


class Worker:
    """One `syncengine worker`."""

    def __init__(self, bench: Bench, *options: str) -> None:
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        words = ["worker", "--lease", str(LEASE), *options]
        self.process = bench.start(*words, stderr=self._err)

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """A signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def said(self) -> str:
        """What it wrote to stderr."""
        self._err.seek(0)
        return self._err.read().decode()

    def close(self) -> None:
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._err.close()


class Crew:
    """Workers on one bench, all with these options. Used as a context manager; none outlives it."""

    def __init__(self, bench: Bench, *options: str) -> None:
        self.bench = bench
        self._options = options
        self._all: list[Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.close()

    def start(self, *options: str) -> Worker:
        """One more."""
        worker = Worker(self.bench, *self._options, *options)
        self._all.append(worker)
        return worker

    @property
    def codes(self) -> list[int]:
        """Exit codes of those that ended by themselves, lost lanes among them."""
        codes = [worker.process.returncode for worker in self._all if worker.process.poll() is not None]
        return [code for code in codes if code >= 0]

    @property
    def alive(self) -> list[Worker]:
        """Those that run."""
        return [worker for worker in self._all if worker.process.poll() is None]


def submit(bench: Bench, plan: str | Path = "release.plan", *options: str) -> str:
    """The run of a plan that was enqueued."""
    ended = bench.process("submit", plan, "--format", "json", *options)
    assert ended.code == 0, ended
    run: str = ended.json["run"]
    return run


def is_open(bench: Bench, run: str) -> bool:
    """Whether its shards are open, by what `status` says."""
    return run in [each["run"] for each in bench.status()["submitted"]]


def result_of(bench: Bench, run: str) -> Any:
    """What a run came to."""
    return bench.cli("status", "--run", run, "--format", "json").json


def await_end(bench: Bench, run: str) -> Any:
    """The result of a run once it has ended."""
    until(lambda: not is_open(bench, run), f"end of run {run}")
    return result_of(bench, run)
