"""Commits a second on PostgreSQL: one financials a request, its intent and its answer each in a commit of its own.

`python -m benchmarks.commits URL ACCOUNT SECONDS` is one runner: it prints its commits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import postgres
from benchmarks.measuring import REPOSITORY, BenchmarkError, Line

if TYPE_CHECKING:
    from benchmarks.cases import Size

_SECONDS = 6.0
_RUNNERS = (1, 4, 8)


class _Clock:
    """The system's time."""

    def now(self) -> str:
        return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

    def monotonic(self) -> float:
        return time.monotonic()


def commit_rates(folder: Path, size: Size) -> Iterator[Line]:
    """Runners of accounts of their own, which share nothing but the order of positions."""
    from syncengine.core.settings import LedgerPin
    from syncengine.ledger import create_ledger

    seconds = _SECONDS if size.rounds > 1 else 1.0
    with postgres.server() as address:
        if address is None:
            return
        for runners in _RUNNERS:
            url = postgres.new_database(address, f"commits_{runners}")
            pin = LedgerPin(url=url, key_path=str(folder / "ledger.key"))
            create_ledger(pin, root=folder, clock=_Clock()).close()
            command = [sys.executable, "-m", "benchmarks.commits", url]
            started = [
                subprocess.Popen(
                    [*command, f"account-{number}", str(seconds), str(folder)],
                    cwd=REPOSITORY,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for number in range(runners)
            ]
            told = [child.communicate()[0] for child in started]
            if any(child.returncode for child in started):
                raise BenchmarkError("a runner of commits failed")
            rate = sum(int(each) for each in told) / seconds
            yield Line(f"commits on PostgreSQL, {runners} accounts at once", rate, "commits/s",
                       note="one financials a request, two commits each, fsync on")  # fmt: skip


def _main(url: str, account: str, seconds: float, folder: Path) -> int:
    from syncengine.core.identity import operation_id
    from syncengine.core.operations import Financials
    from syncengine.core.outcomes import LeadEntry, Outcome, Ruling, SentOperation
    from syncengine.core.ports import Answered, OutgoingRequest, RunStart
    from syncengine.core.settings import LedgerPin
    from syncengine.core.values import Cents, ChangesetId, LeadId, PlanDigest
    from syncengine.ledger import open_ledger

    clock, changeset = _Clock(), ChangesetId("restate")
    start = RunStart(account=account, host="loopback", plan=PlanDigest(os.urandom(32).hex()), plan_path="", total=1,
                     changesets=(changeset,), policy_digest="", wire_digest="", tool="", names=())  # fmt: skip
    pin = LedgerPin(url=url, key_path=str(folder / "ledger.key"))
    applied = Ruling(Outcome.APPLIED, "OK")
    commits = 0
    with closing(open_ledger(pin, root=folder, clock=clock)) as ledger, ledger.lease(account, wait=5) as lease:
        run = ledger.begin(lease, start)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            operation = Financials(LeadId(str(1_000_000 + commits)), payout=Cents(8000))
            part = SentOperation(operation_id(account, changeset, operation), changeset, operation)
            entry = LeadEntry(operation.lead, 1, (part,))
            (request,) = ledger.commit(lease, run, [OutgoingRequest((entry,))], [], lambda *_: {}).requests
            assert request is not None
            answer = Answered(
                request=request, rulings=((applied,),), verdict="elements", status=200, message="", at=clock.now()
            )
            ledger.commit(lease, run, [], [answer], lambda *_: {})
            commits += 2
        ledger.end(run, exit_code=0, stopped="")
    return commits


if __name__ == "__main__":
    print(_main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
