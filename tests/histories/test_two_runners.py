"""Two real runners on one PostgreSQL ledger, the first paused for longer than its real lease. Takes half a minute."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from syncengine.sandbox import Fault, FaultRule, Match, Signal
from tests.crash.bench import Bench, Ended

LEADS = 60
LIMITS = {"leads_per_request": 5, "irreversible_per_request": 5, "concurrency": 1, "requests_per_second": 100}
"""One request at a time: when the fourth has had its effect, it has left whole, and its answer can still be read by a
runner that wakes. A second one in flight might be stopped halfway, and its doubt would rightly stay."""


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_runner_that_wakes_after_its_lease_doubles_nothing(server_bench: Bench) -> None:
    bench = server_bench
    bench.configure(limits=LIMITS)
    bench.changeset(
        "first",
        *[
            {"lead": str(5000 + number), "update": {"c1": f"v{number}"}, "trigger": ["1053"]}
            if number % 3
            else {"lead": str(5000 + number), "action": "reprocess", "financials": {"payout": "3.50"}}
            for number in range(LEADS)
        ],
    )
    bench.plan()
    total = 2 * LEADS
    first = bench.start("apply", "release.plan", "--format", "json", stdout=subprocess.PIPE)
    pause = Signal(send="STOP", at="after_effect", pid=first.pid)
    bench.faults(FaultRule(match=Match(nth=4), fault=Fault(signal=pause)))
    while state_of(first.pid) != "T":
        assert first.poll() is None
    bench.faults()

    refused = bench.process("apply", "release.plan", "--format", "json")
    assert refused.code == 3
    assert f"process {first.pid}" in refused.out

    second = bench.process("apply", "release.plan", "--format", "json", "--lock-timeout", "120", timeout=180)
    counts = second.json["counts"]
    assert second.code == 5
    assert sum(counts.values()) == total
    assert 0 < counts["in_doubt"] <= 5
    assert counts["rejected"] == 0
    assert counts["not_sent"] <= counts["in_doubt"], "amounts wait behind a reprocess in doubt, nothing else"

    first.send_signal(signal.SIGCONT)
    out, _ = first.communicate(timeout=120)
    woken = Ended(first.returncode, out.decode(), "")
    assert woken.code in (4, 5)
    assert sum(woken.json["counts"].values()) == total

    # The late answers settled the doubts, so what waited behind them may go, and then everything is done once.
    last = bench.process("apply", "release.plan", "--format", "json")
    assert last.code == 0
    assert last.json["counts"]["applied"] + last.json["counts"]["already_applied"] == total
    irreversible = {what: times for what, times in bench.done().items() if what.startswith(("trigger", "reprocess"))}
    assert len(irreversible) == LEADS
    assert set(irreversible.values()) == {1}
    assert bench.cli("ledger", "check").code == 0
