"""Runs contestants as processes of their own and reads what they cost from the operating system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).resolve().parent.parent


class BenchmarkError(Exception):
    """A contestant failed, or did not do what it was measured for."""


@dataclass(frozen=True)
class Cost:
    """Of one process: seconds on the clock, seconds of CPU, peak of resident memory in MiB, what it printed.

    Its children's are included. `units` is how many leads or rows it worked on; ratios are for each unit.
    """

    seconds: float
    cpu: float
    memory: float
    out: str
    units: int = 1


def run(command: Sequence[str], folder: Path, *, units: int = 1, **environment: str) -> Cost:
    """Run to the end; BenchmarkError where it fails."""
    # Everybody's modules are compiled once, as where they are installed, whatever this environment says of it.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=inherited | environment
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if child.returncode:
            words = (err.read() + out.read()).decode(errors="replace")[-2000:]
            raise BenchmarkError(f"{' '.join(command)} ended with {child.returncode}:\n{words}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode(), units)


def syncengine(*arguments: str) -> list[str]:
    """The command line, as this interpreter has it."""
    return [sys.executable, "-m", "syncengine", *arguments]


class Service:
    """The loopback server in a process of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self, latency: float = 0.0) -> None:
        """Forget what arrived, and answer after so many seconds from now on."""
        self._post("/latency", str(latency).encode())
        self._post("/reset", b"")

    def counts(self) -> dict[str, int]:
        """What arrived since: requests, leads, refused."""
        with urllib.request.urlopen(f"{self.url}/counts") as answer:
            found: dict[str, int] = json.load(answer)
        return found

    def expect(self, leads: int) -> None:
        """BenchmarkError unless exactly so many leads were changed."""
        found = self.counts()["leads"]
        if found != leads:
            raise BenchmarkError(f"{found} leads reached the service, not {leads}")

    def _post(self, path: str, body: bytes) -> None:
        urllib.request.urlopen(urllib.request.Request(self.url + path, data=body, method="POST")).close()


@contextmanager
def service(*options: str) -> Iterator[Service]:
    """Start the loopback server."""
    command = [sys.executable, "-m", "benchmarks.server", *options]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield Service(child.stdout.readline().strip())
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


@dataclass
class Series:
    """The costs of several contestants, one of each per round."""

    costs: dict[str, list[Cost]] = field(default_factory=dict)

    def add(self, name: str, cost: Cost) -> None:
        """One more round of a contestant."""
        self.costs.setdefault(name, []).append(cost)

    def seconds(self, name: str) -> float:
        """Median seconds on the clock for each unit."""
        return median(cost.seconds / cost.units for cost in self.costs[name])

    def cpu(self, name: str) -> float:
        """Median seconds of CPU for each unit."""
        return median(cost.cpu / cost.units for cost in self.costs[name])

    def memory(self, name: str) -> float:
        """Highest peak of memory, in MiB."""
        return max(cost.memory for cost in self.costs[name])

    def speeds(self, name: str, against: str) -> list[float]:
        """How fast `name` is where `against` is 1, round by round."""
        pairs = zip(self.costs[name], self.costs[against], strict=True)
        return [other.seconds / other.units / (own.seconds / own.units) for own, other in pairs]

    def speed(self, name: str, against: str) -> float:
        """The median of the rounds' ratios."""
        return median(self.speeds(name, against))

    def cpu_ratio(self, name: str, against: str) -> float:
        """CPU of `name` where `against` is 1: the median of the rounds' ratios."""
        pairs = zip(self.costs[name], self.costs[against], strict=True)
        return median(own.cpu / own.units / (other.cpu / other.units) for own, other in pairs)


@dataclass(frozen=True)
class Line:
    """One line of the table. `bound` "min" or "max" tells on which side of `goal` the figure must be."""

    what: str
    reached: float
    unit: str = ""
    goal: float | None = None
    bound: str = "max"
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the goal is reached."""
        if self.goal is None:
            return ""
        return "yes" if (self.reached >= self.goal if self.bound == "min" else self.reached <= self.goal) else "no"
