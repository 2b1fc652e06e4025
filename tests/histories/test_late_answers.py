"""A runner that was paused past its lease: what it may still do, and what it may not."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncengine.api import Project
from syncengine.sandbox import Fault, FaultRule, Match, Signal
from tests.crash.bench import ACCOUNT, Bench, Ended

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}


def triggers(count: int) -> list[dict[str, Any]]:
    return [{"lead": str(1100 + number), "trigger": ["1053"]} for number in range(count)]


def paused(bench: Bench, *, at: str) -> subprocess.Popen[bytes]:
    """An apply that the sandbox stopped (SIGSTOP) while its first request was under way."""
    process = bench.start("apply", "release.plan", "--format", "json", stdout=subprocess.PIPE)
    order = Signal(send="STOP", at=at, pid=process.pid)  # type: ignore[arg-type]
    bench.faults(FaultRule(match=Match(nth=1), fault=Fault(signal=order)))
    while _state(process.pid) != "T":
        assert process.poll() is None
    return process


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def woken(process: subprocess.Popen[bytes]) -> Ended:
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    return Ended(process.returncode, out.decode(), "")


def take_the_lease_away(bench: Bench) -> None:
    with Project.open(bench.folder / "syncengine.yaml").ledger() as ledger:
        assert ledger.release(ACCOUNT, by="ann", note="its machine does not answer")


def let_the_lease_run_out(bench: Bench) -> None:
    """As if half a minute had passed by the database's clock."""
    with psycopg.connect(bench.ledger_url) as connection:
        assert connection.execute("UPDATE syncengine.lanes SET expires = 1 WHERE expires > 1").rowcount == 1


def test_a_late_answer_outranks_a_resolution_and_the_contradiction_is_shown(server_bench: Bench) -> None:
    bench = server_bench
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(2))
    bench.plan()
    process = paused(bench, at="after_effect")
    take_the_lease_away(bench)
    operation = bench.status()["in_doubt"][0]["operation"]
    assert bench.resolve("not-applied", operation).code == 0
    # It wakes, records the answer to its own attempt, and sends nothing new.
    late = woken(process)
    assert (late.code, late.json["counts"]["applied"], late.json["counts"]["not_sent"]) == (4, 1, 1)
    assert "lease" in late.json["stopped"]
    assert bench.done() == {"trigger 1100 1053": 1}
    row = next(row for row in bench.history() if row["operation"] == operation)
    assert row["outcome"] == "applied"
    assert "ann resolved it as not applied, the service says applied" in row["note"]
    assert any(operation in sentence for sentence in bench.status()["contradictions"])
    bench.plan("first", out="next.plan")
    shown = bench.cli("show", bench.folder / "next.plan", "--format", "json").json
    assert any(operation in warning for warning in shown["warnings"])
    # What the plan applied is settled; the rest of it goes out.
    last = bench.apply()
    assert (last.code, last.json["counts"]["applied"], last.json["counts"]["already_applied"]) == (0, 1, 1)
    assert bench.done() == {"trigger 1100 1053": 1, "trigger 1101 1053": 1}


@pytest.mark.parametrize("lose", [take_the_lease_away, let_the_lease_run_out])
def test_two_runners_never_double_anything_though_one_sleeps_past_its_lease(
    server_bench: Bench, lose: Callable[[Bench], None]
) -> None:
    bench = server_bench
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(6))
    bench.plan()
    process = paused(bench, at="received")
    second = bench.apply()
    assert (second.code, second.json["error"]["code"]) == (3, "SE660")
    lose(bench)
    took_over = bench.apply()
    assert (took_over.code, took_over.json["counts"]["in_doubt"], took_over.json["counts"]["applied"]) == (5, 1, 5)
    late = woken(process)
    assert late.code == 4, late
    assert late.json["counts"]["applied"] == 1
    last = bench.apply()
    assert (last.code, last.json["run"], last.json["counts"]["already_applied"]) == (0, None, 6)
    assert bench.done() == {f"trigger {1100 + number} 1053": 1 for number in range(6)}


def test_on_one_machine_a_sleeping_runner_keeps_its_lease(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(2))
    bench.plan()
    process = paused(bench, at="received")
    second = bench.apply()
    assert (second.code, second.json["error"]["code"]) == (3, "SE660")
    message = second.json["error"]["message"]
    assert f"(process {process.pid})" in message
    assert "since 20" in message
    assert woken(process).code == 0
    assert bench.done().total() == 2


def test_a_dead_holders_lease_is_taken_over_at_once(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(2))
    bench.plan()
    process = paused(bench, at="received")
    process.kill()
    process.communicate()
    ended = bench.apply()
    assert (ended.code, ended.json["counts"]["in_doubt"], ended.json["counts"]["applied"]) == (5, 1, 1)


def test_waiting_for_the_lease(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(2))
    bench.plan()
    process = bench.start("apply", "release.plan")
    bench.faults(FaultRule(match=Match(nth=1), fault=Fault(delay_after=0.5)))
    while not bench.status()["in_doubt"]:
        assert process.poll() is None
    patient = bench.apply("release.plan", "--lock-timeout", "60")
    assert (patient.code, patient.json["counts"]["already_applied"]) == (0, 2)
    assert process.wait(60) == 0
    assert bench.done().total() == 2
