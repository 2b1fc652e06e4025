"""Kill it anywhere: SIGKILL to the real command at every step and at random, then the same command until it is done.

    python -m tests.crash.harness --kills 1000                          # SQLite
    python -m tests.crash.harness --kills 200 --postgres                # PostgreSQL, a server of its own

No hook is built into the product. Steps between a request's arrival and its answer are struck by the sandbox, which
knows the process's id; what happens inside the process is seen from outside, in the ledger, over a read-only
connection. Which step a kill hit is judged by the evidence afterwards, never by the intention before.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from syncengine.api import Project
from syncengine.core.operations import IRREVERSIBLE
from syncengine.core.ports import OperationRecord
from syncengine.sandbox import Fault, FaultRule, Match, Signal

from .bench import ACCOUNT, Bench
from .judge import Verdict, judge
from .scenario import CHANGESET, Wanted, changes_of, lead_of, wanted_of, write_leads

STEPS = (
    "plan",
    "start",
    "run begun",
    "intent durable, nothing sent",
    "received",
    "before the effect",
    "after the effect",
    "half of the answer",
    "answered, not recorded",
    "outcome recorded",
    "run ended",
)
"""Where a kill can land, in the order of a run's life."""

_SOMEWHERE = "in flight, step unknown"
"""What the evidence says of some random kills: a request had arrived and its answer was not on record."""

_AT_THE_SERVICE = {
    "received": "received",
    "before the effect": "before_effect",
    "after the effect": "after_effect",
    "half of the answer": "half_answer",
    "answered, not recorded": "answered",
}
_SEEN_IN_THE_LEDGER = ("run begun", "intent durable, nothing sent", "outcome recorded", "run ended")
_AIMS = ("start", "run begun", *_SEEN_IN_THE_LEDGER[:-1], *_AT_THE_SERVICE, "at random")
_POLL = 0.0003
_PATIENCE = 120.0
_LONGEST = 1200.0
LIMITS: dict[str, int] = {
    "requests_per_second": 1000,
    "concurrency": 2,
    "leads_per_request": 8,
    "irreversible_per_request": 4,
    "timeout": 20,
    "attempts": 5,
    "settle": 0,
}

_COUNTS = """
SELECT (SELECT count(*) FROM {0}runs), (SELECT count(*) FROM {0}requests), (SELECT count(*) FROM {0}answers),
       (SELECT count(*) FROM {0}runs WHERE ended IS NOT NULL)
"""


class Seen(msgspec.Struct, frozen=True):
    """What the ledger's tables hold, counted from outside."""

    runs: int = 0
    requests: int = 0
    answers: int = 0
    ended: int = 0


class Watch:
    """A read-only look at the ledger, again and again."""

    def __init__(self, look: Callable[[], Seen]) -> None:
        self.look = look


@contextmanager
def sqlite_watch(path: Path) -> Iterator[Watch]:
    """Looks into an SQLite ledger; nothing is there until the first apply has made it."""
    connections: list[sqlite3.Connection] = []

    def look() -> Seen:
        try:
            if not connections:
                if not path.exists():
                    return Seen()
                connections.append(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None))
            return Seen(*connections[0].execute(_COUNTS.format("")).fetchone())
        except sqlite3.OperationalError:
            return Seen()

    try:
        yield Watch(look)
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def postgres_watch(url: str) -> Iterator[Watch]:
    """Looks into a PostgreSQL ledger."""
    import psycopg

    with closing(psycopg.connect(url, autocommit=True)) as connection:

        def look() -> Seen:
            try:
                row = connection.execute(_COUNTS.format("syncengine.")).fetchone()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
                return Seen()
            return Seen(*row) if row is not None else Seen()

        yield Watch(look)


class Tally(msgspec.Struct, kw_only=True):
    """What a whole series came to."""

    steps: Counter[str] = msgspec.field(default_factory=Counter)
    scenarios: int = 0
    operations: int = 0
    doubts: int = 0
    checks: int = 0
    verdicts: list[str] = msgspec.field(default_factory=list)
    doubled: int = 0
    lost: int = 0
    false_claims: int = 0

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return self.steps.total()

    def add(self, verdict: Verdict) -> None:
        """Count what a judgement found."""
        self.checks += 1
        self.doubled += len(verdict.doubled)
        self.lost += len(verdict.lost)
        self.false_claims += len(verdict.false_claims)
        self.verdicts.extend(verdict.wrong)

    def table(self) -> str:
        """For people."""
        rows = [f"{step:<30}{self.steps[step]:>7}" for step in (*STEPS, _SOMEWHERE)]
        return "\n".join(
            [
                *rows,
                f"{'kills':<30}{self.kills:>7}",
                "",
                f"{self.scenarios} plans of {self.operations} operations in all, {self.checks} comparisons of the "
                f"ledger with the log of effects, {self.doubts} doubts resolved",
                f"{self.doubled} doubled, {self.lost} lost, {self.false_claims} false claims",
            ]
        )


class Scenario:
    """One plan from nothing to its end, with kills on the way."""

    def __init__(self, bench: Bench, watch: Watch, chance: random.Random, tally: Tally, *, kills: int) -> None:
        self._bench = bench
        self._watch = watch
        self._chance = chance
        self._tally = tally
        self._left = kills
        self._plan = bench.folder / "release.plan"
        self._wanted: list[Wanted] = []
        self._life = 1.0
        """Seconds that the last undisturbed command took: random kills are drawn from it."""
        self._deadline = time.monotonic() + _LONGEST

    def run(self) -> None:
        """To the end: everything applied or rejected, nothing in doubt."""
        self._make_plan()
        while True:
            code = self._apply()
            if code is None:
                continue
            records = self._check(finished=True)
            doubts = [record for record in records if record.outcome == "in_doubt"]
            if not doubts:
                assert code in (0, 4), f"apply ended with {code} and nothing is in doubt"
                break
            assert code == 5, f"apply ended with {code} and {len(doubts)} operations are in doubt"
            self._resolve(doubts)
        self._tally.scenarios += 1
        self._tally.operations += len(self._wanted)

    # Commands

    def _make_plan(self) -> None:
        for _ in range(self._chance.randrange(3) if self._left > 0 else 0):
            started = time.monotonic()
            process = self._bench.start("plan", "specs", "--out", self._plan)
            if self._kill_after(process, self._chance.uniform(0.05, 0.9) * self._life):
                self._count("plan")
            else:
                self._life = time.monotonic() - started
            if self._plan.exists():
                # Complete or not there at all.
                wanted_of(self._plan)
        ended = self._bench.process("plan", "specs", "--out", self._plan)
        assert ended.code == 0, ended
        self._wanted = wanted_of(self._plan)

    def _apply(self) -> int | None:
        """One `apply`: its exit code, or None where it was killed."""
        assert time.monotonic() < self._deadline, f"no end in sight after {_LONGEST:g} s"
        before = self._watch.look()
        asked = len(self._bench.requests)
        aim = self._aim()
        process = self._bench.start("apply", self._plan)
        if aim is None:
            return process.wait(_PATIENCE)
        killed = self._strike(process, aim, before)
        self._bench.faults()
        if not killed:
            return process.returncode
        self._count(self._step(aim, before, asked))
        self._check(finished=False)
        return None

    def _aim(self) -> str | None:
        if self._left <= 0:
            return None
        return "run ended" if self._chance.random() < 0.07 else self._chance.choice(_AIMS)

    def _resolve(self, doubts: Sequence[OperationRecord]) -> None:
        """Say the truth about each, as a person would who looked at the buyer's."""
        by_id = {each.id: each for each in self._wanted}
        effects = self._bench.effects
        for verdict, happened in (("applied", True), ("not-applied", False)):
            ids = [
                record.operation
                for record in doubts
                if (by_id[record.operation].effects([e for e in effects if lead_of(e) == record.lead]) > 0) is happened
            ]
            if ids:
                ended = self._bench.process("resolve", *ids, "--as", verdict, "--by", "harness", "--note", "effect log")
                assert ended.code == 0, ended
        self._tally.doubts += len(doubts)

    # Killing

    def _strike(self, process: subprocess.Popen[bytes], aim: str, before: Seen) -> bool:
        """Whether it died of it; otherwise it ended by itself."""
        if aim == "start":
            return self._kill_after(process, self._chance.uniform(0.02, 0.5) * self._life)
        if aim == "at random":
            self._await_run(process, before)
            return self._kill_after(process, self._chance.uniform(0, 0.3))
        if aim in _AT_THE_SERVICE:
            signal_at = Signal(send="KILL", at=_AT_THE_SERVICE[aim], pid=process.pid)  # type: ignore[arg-type]
            nth = self._chance.randint(1, 8)
            self._bench.faults(FaultRule(match=Match(nth=nth), fault=Fault(signal=signal_at)))
            return process.wait(_PATIENCE) == -signal.SIGKILL
        wait_for = self._reached(aim, before)
        while process.poll() is None:
            if wait_for(self._watch.look()):
                process.kill()
                return process.wait(_PATIENCE) == -signal.SIGKILL
            if aim != "run begun":
                time.sleep(_POLL)
        return False

    def _await_run(self, process: subprocess.Popen[bytes], before: Seen) -> None:
        while process.poll() is None and self._watch.look().runs == before.runs:
            time.sleep(_POLL)

    def _reached(self, aim: str, before: Seen) -> Callable[[Seen], bool]:
        later = self._chance.randint(1, 6)
        match aim:
            case "run begun":
                return lambda now: now.runs > before.runs
            case "intent durable, nothing sent":
                return lambda now: now.requests >= before.requests + later
            case "outcome recorded":
                return lambda now: now.answers >= before.answers + later
            case _:
                return lambda now: now.ended > before.ended

    def _kill_after(self, process: subprocess.Popen[bytes], seconds: float) -> bool:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
        return process.wait(_PATIENCE) == -signal.SIGKILL

    def _count(self, step: str) -> None:
        self._tally.steps[step] += 1
        self._left -= 1

    def _step(self, aim: str, before: Seen, asked: int) -> str:
        """Where the process was when it died, by what it left behind."""
        if aim in _AT_THE_SERVICE:
            return aim
        now = self._watch.look()
        if now.ended > before.ended:
            return "run ended"
        if now.runs == before.runs:
            return "start"
        intended, answered = now.requests - before.requests, now.answers - before.answers
        received = len(self._bench.requests) - asked
        evidence = {
            "run begun": not intended,
            "intent durable, nothing sent": intended > received,
            "outcome recorded": answered > 0,
            _SOMEWHERE: received > answered,
        }
        if evidence.get(aim):
            return aim
        return next(step for step in ("run begun", _SOMEWHERE, *evidence) if evidence[step])

    # Judging

    def _check(self, *, finished: bool) -> list[OperationRecord]:
        effects = self._bench.effects
        project = Project.open(self._bench.folder / "syncengine.yaml")
        with project.view() as ledger:
            if ledger is not None and not finished and not self._bench.ledger_url.startswith("sqlite"):
                # A timed lease outlives its holder by up to half a minute; the operator's command ends it at once.
                with project.ledger() as writer:
                    writer.release(ACCOUNT, by="harness", note="killed")
            records = [] if ledger is None else list(ledger.history())
            unsound = [] if ledger is None else ledger.check()
        assert not unsound, unsound
        self._tally.add(judge(self._wanted, records, effects, finished=finished))
        unanswered = Counter(
            attempt.run
            for record in records
            if record.kind in IRREVERSIBLE
            for attempt in record.attempts
            if attempt.answer is None
        )
        most = LIMITS["concurrency"] * LIMITS["irreversible_per_request"]
        assert all(count <= most for count in unanswered.values()), f"a kill left more than {most} in doubt"
        return records


def run_series(
    folder: Path,
    *,
    kills: int,
    seconds: float,
    seed: int,
    leads: int = 200,
    per_scenario: int = 25,
    postgres: Callable[[], str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Tally:
    """Scenario after scenario until so many kills, or so many seconds. `postgres` gives the URL of a new database."""
    chance = random.Random(seed)
    tally = Tally()
    end = time.monotonic() + seconds
    while tally.kills < kills and time.monotonic() < end and not tally.verdicts:
        place = folder / f"scenario-{tally.scenarios}"
        with ExitStack() as stack:
            leads_file = folder / "leads.csv"
            write_leads(leads_file, leads)
            url = "sqlite:///.syncengine/ledger.db" if postgres is None else postgres()
            bench = stack.enter_context(
                Bench(place, ledger_url=url, any_lead=False, leads=leads_file, latency_ms=chance.choice([0, 2, 10]))
            )
            bench.configure(limits=LIMITS)
            bench.changeset(CHANGESET, *changes_of(leads))
            watch = stack.enter_context(
                sqlite_watch(place / ".syncengine" / "ledger.db") if postgres is None else postgres_watch(url)
            )
            Scenario(bench, watch, chance, tally, kills=min(per_scenario, kills - tally.kills)).run()
        shutil.rmtree(place)
        say(f"{tally.kills} kills, {tally.scenarios} plans done, {len(tally.verdicts)} broken promises")
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the histogram; 0 where every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.harness", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600, help="stop after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leads", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server started for this")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kill-anywhere-")))
        fresh = None
        if options.postgres:
            from tests.postgres_server import PostgresServer

            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kill-anywhere-server-")))
            server = PostgresServer(place)
            stack.callback(server.stop)
            server.create()
            fresh = server.new_database
        tally = run_series(
            folder,
            kills=options.kills,
            seconds=options.seconds,
            seed=options.seed,
            leads=options.leads,
            postgres=fresh,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    print(tally.table())
    for sentence in tally.verdicts[:20]:
        print(sentence)
    return 1 if tally.verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
