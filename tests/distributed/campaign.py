"""Three workers under random kills: the plan, the ledger and the service's own log of effects must agree.

    python -m tests.distributed.campaign --operations 20000 --workers 3

Workers are killed with SIGKILL at random moments, some are stopped for longer than their lease and then go on, and all
are replaced. When the run has ended, what is in doubt is looked up in the log of effects, said with `resolve`, and the
same plan is submitted again, until everything was done or refused. No hook is built into the product.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Project
from syncengine.core.ports import OperationRecord
from tests.crash.bench import Bench
from tests.crash.judge import judge
from tests.crash.scenario import CHANGESET, Wanted, changes_of, lead_of, wanted_of, write_leads

from .crew import LEASE, Crew, Worker, result_of, submit, until

LIMITS = {
    "requests_per_second": 500,
    "concurrency": 6,
    "leads_per_request": 10,
    "irreversible_per_request": 5,
    "timeout": 20,
    "settle": 0,
}
_RUNS = 40


class Campaign(msgspec.Struct, kw_only=True):
    """What a whole campaign came to."""

    operations: int = 0
    runs: int = 0
    kills: int = 0
    pauses: int = 0
    ended_by_themselves: Counter[int] = msgspec.field(default_factory=Counter)
    """Exit codes of workers that nobody killed: 4 and 5 tell of a lost lane."""
    doubts: int = 0
    seconds: float = 0.0
    doubled: int = 0
    lost: int = 0
    false_claims: int = 0
    wrong: list[str] = msgspec.field(default_factory=list)
    counts: dict[str, int] = {}

    def table(self) -> str:
        """For people."""
        lost_lanes = self.ended_by_themselves[4] + self.ended_by_themselves[5]
        return (
            f"{self.operations} operations, {self.runs} runs, {self.seconds:.0f} s\n"
            f"{self.kills} workers killed, {self.pauses} stopped for a while, {lost_lanes} ended by themselves "
            f"because a lane was lost\n{self.doubts} doubts resolved\n"
            f"last run: {self.counts}\n"
            f"{self.doubled} doubled, {self.lost} lost, {self.false_claims} false claims"
        )


class _Field:
    """One plan from its first submit to its end."""

    def __init__(self, bench: Bench, chance: random.Random, tally: Campaign, *, kills: int, pause: float) -> None:
        self._bench = bench
        self._chance = chance
        self._tally = tally
        self._kills = kills
        self._pause = pause
        self._project = Project.open(bench.folder / "syncengine.yaml")
        self._wanted: list[Wanted] = wanted_of(bench.folder / "release.plan")
        self._stopped: list[tuple[Worker, float]] = []

    def run(self, crew: Crew, workers: int, say: Callable[[str], None]) -> None:
        """To the end: everything applied or rejected, nothing in doubt."""
        self._tally.operations = len(self._wanted)
        for _ in range(_RUNS):
            run = submit(self._bench, "release.plan", "--shard-size", "500")
            self._tally.runs += 1
            self._until_ended(crew, workers, run)
            result = result_of(self._bench, run)
            self._tally.counts = result["counts"]
            say(f"run {run}: {result['counts']}, exit {result['exit']}, {self._tally.kills} kills so far")
            records = self._check(result)
            doubts = [record for record in records if record.outcome == "in_doubt"]
            assert result["exit"] == (5 if doubts else 4 if result["counts"]["rejected"] else 0), result
            assert sum(result["counts"].values()) == len(self._wanted)
            if not doubts:
                return
            self._resolve(doubts)
        raise AssertionError(f"no end in sight after {_RUNS} runs")

    def _until_ended(self, crew: Crew, workers: int, run: str) -> None:
        with self._project.ledger() as ledger:

            def over() -> bool:
                return run not in dict(ledger.open_shared_runs())

            deadline = time.monotonic() + 3600
            while not over():
                assert time.monotonic() < deadline, f"run {run} does not end"
                self._continue_stopped()
                while len(crew.alive) < workers:
                    crew.start()
                pause = self._chance.uniform(0.2, 2 * self._pause)
                end = time.monotonic() + pause
                while time.monotonic() < end and not over():
                    time.sleep(0.05)
                if self._tally.kills < self._kills and not over():
                    self._strike(crew)
        until(lambda: not self._stopped or self._continue_stopped(), "paused workers to go on")
        self._tally.ended_by_themselves = Counter(crew.codes)

    def _strike(self, crew: Crew) -> None:
        stopped = {worker for worker, _ in self._stopped}
        chosen = [worker for worker in crew.alive if worker not in stopped]
        if not chosen:
            return
        worker = self._chance.choice(chosen)
        if self._chance.random() < 0.2:
            worker.send(signal.SIGSTOP)
            self._stopped.append((worker, time.monotonic() + LEASE * self._chance.uniform(0.5, 2.5)))
            self._tally.pauses += 1
        else:
            worker.send(signal.SIGKILL)
            worker.wait()
            self._tally.kills += 1

    def _continue_stopped(self) -> bool:
        """Let those go on whose time is over; whether none is left."""
        now = time.monotonic()
        for worker, moment in list(self._stopped):
            if moment <= now:
                worker.send(signal.SIGCONT)
                self._stopped.remove((worker, moment))
        return not self._stopped

    def _check(self, result: Any) -> list[OperationRecord]:
        with self._project.ledger() as ledger:
            records = list(ledger.history())
        # A worker that was stopped may have recorded an answer after the run had ended without it.
        leads = {line["lead"] for line in result["in_doubt"]}
        verdict = judge(self._wanted, records, self._bench.effects, finished=True, were_in_doubt=leads)
        self._tally.doubled += len(verdict.doubled)
        self._tally.lost += len(verdict.lost)
        self._tally.false_claims += len(verdict.false_claims)
        self._tally.wrong.extend(verdict.wrong)
        assert not verdict.wrong, verdict.wrong[:10]
        return records

    def _resolve(self, doubts: Sequence[OperationRecord]) -> None:
        """Say the truth about each, as a person would who looked at the buyer's."""
        by_id = {each.id: each for each in self._wanted}
        effects = self._bench.effects
        self._tally.doubts += len(doubts)
        for verdict, happened in (("applied", True), ("not-applied", False)):
            ids = [
                record.operation
                for record in doubts
                if (by_id[record.operation].effects([e for e in effects if lead_of(e) == record.lead]) > 0) is happened
            ]
            if ids:
                ended = self._bench.process(
                    "resolve", *ids, "--as", verdict, "--by", "campaign", "--note", "effect log", timeout=300
                )
                assert ended.code == 0, ended


def campaign(
    folder: Path,
    url: str,
    *,
    operations: int,
    workers: int = 3,
    kills: int,
    pause: float = 1.0,
    seed: int = 1,
    latency_ms: int = 10,
    say: Callable[[str], None] = lambda _: None,
) -> Campaign:
    """A plan of about so many operations, applied by so many workers, of whom so many are killed on the way."""
    chance = random.Random(seed)
    tally = Campaign()
    leads = max(operations * 100 // 208, 20)
    write_leads(folder / "leads.csv", leads)
    started = time.monotonic()
    with Bench(
        folder / "bench", ledger_url=url, any_lead=False, leads=folder / "leads.csv", latency_ms=latency_ms
    ) as bench:
        # Later runs are made of what was refused before, and go on all the same.
        bench.configure(limits=LIMITS, policy={"stop_when": {"after": 1_000_000, "unanswered": 100}})
        bench.found()
        bench.changeset(CHANGESET, *changes_of(leads))
        planned = bench.process("plan", "specs", "--out", "release.plan", timeout=300)
        assert planned.code == 0, planned
        with Crew(bench, "--parallel", "2") as crew:
            _Field(bench, chance, tally, kills=kills, pause=pause).run(crew, workers, say)
        checked = bench.cli("ledger", "check")
        assert checked.code == 0, checked
    tally.seconds = time.monotonic() - started
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what it came to; 0 where every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.distributed.campaign", description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--pause", type=float, default=1.0, help="mean seconds between kills")
    parser.add_argument("--latency", type=int, default=10, help="of the service, in ms")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        from tests.postgres_server import running_server

        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        server = stack.enter_context(running_server())
        tally = campaign(
            folder,
            server.new_database(),
            operations=options.operations,
            workers=options.workers,
            kills=options.kills,
            pause=options.pause,
            seed=options.seed,
            latency_ms=options.latency,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    print(tally.table())
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
