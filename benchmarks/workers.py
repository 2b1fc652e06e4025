"""Workers: how fast one plan goes with one, two and four of them, where the service takes 50 ms to answer."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import postgres, workload
from benchmarks.measuring import BenchmarkError, Line, Service, run, service, syncengine

if TYPE_CHECKING:
    from benchmarks.cases import Size

_LATENCY = 0.05
_LEADS_A_REQUEST = 20
_PARALLEL = 2
_CREWS = (1, 2, 4)
_PATIENCE = 600.0


def shared_apply(folder: Path, size: Size) -> Iterator[Line]:
    """Leads a second between the first and the last that reached the service; starting up is left out."""
    leads = max(size.leads // 5, 200)
    source = workload.write_csv(folder / "rows.csv", leads)
    workload.changeset(folder / "specs" / "repair.yaml", source)
    with service() as target, postgres.server() as address:
        if address is None:
            return
        rates: dict[int, list[float]] = {}
        for number in range(min(size.rounds, 3)):
            for workers in _CREWS:
                ledger = postgres.new_database(address, f"round_{number}_{workers}")
                workload.configuration(folder, target.url, ledger=ledger, leads_per_request=_LEADS_A_REQUEST)
                rates.setdefault(workers, []).append(_rate(folder, target, leads, workers))
    for workers in _CREWS:
        times = median(rate / one for rate, one in zip(rates[workers], rates[1], strict=True))
        crew = f"{workers} worker{'s' if workers > 1 else ''} at 50 ms"
        yield Line(crew, median(rates[workers]), "leads/s", note=f"{times:.2f} times one worker, {leads:,} leads")


def _rate(folder: Path, target: Service, leads: int, workers: int) -> float:
    run(syncengine("plan", "specs", "--out", "release.plan", "--format", "json"), folder)
    target.reset(_LATENCY)
    with _crew(folder, workers):
        submitted = json.loads(run(syncengine("submit", "release.plan", "--format", "json"), folder).out)
        began = _when(target, 1)
        ended = _when(target, leads)
        target.expect(leads)
        _await(lambda: not _status(folder)["submitted"], f"end of run {submitted['run']}")
    return leads / (ended - began)


@contextmanager
def _crew(folder: Path, workers: int) -> Iterator[None]:
    """So many workers, up and waiting."""
    with ExitStack() as stack:
        for _ in range(workers):
            child = subprocess.Popen(
                syncengine("worker", "--parallel", str(_PARALLEL)),
                cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr,
            )  # fmt: skip
            stack.callback(child.wait)
            stack.callback(child.send_signal, signal.SIGTERM)
        _await(lambda: len(_status(folder)["workers"]) == workers, "start of the workers")
        yield


def _status(folder: Path) -> dict[str, list[object]]:
    found: dict[str, list[object]] = json.loads(run(syncengine("status", "--format", "json"), folder).out)
    return found


def _when(target: Service, leads: int) -> float:
    """The moment at which so many leads had reached the service."""
    _await(lambda: target.counts()["leads"] >= leads, f"{leads} leads", every=0.01)
    return time.perf_counter()


def _await(reached: Callable[[], bool], what: str, every: float = 0.2) -> None:
    end = time.monotonic() + _PATIENCE
    while not reached():
        if time.monotonic() > end:
            raise BenchmarkError(f"no {what} after {_PATIENCE:g} s")
        time.sleep(every)
