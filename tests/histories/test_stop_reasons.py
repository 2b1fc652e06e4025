"""Why a run stopped is in `status`, for every run."""

from __future__ import annotations

import signal

from tests.crash.bench import Bench
from tests.histories.test_ledgers import ONE_EACH


def stopped_run(bench: Bench, number: signal.Signals) -> str:
    """A run of twenty updates that a signal ended; its id."""
    bench.configure(limits={**ONE_EACH, "concurrency": 1})
    bench.changeset("first", *[{"lead": str(lead), "update": {"c1": "a"}} for lead in range(11, 31)])
    bench.plan()
    bench.faults({"fault": {"delay_after": 0.05}})
    running = bench.start("apply", "release.plan")
    while len(bench.sandbox.requests_log.read_text().splitlines()) < 3:
        assert running.poll() is None
    running.send_signal(number)
    running.wait()
    run: str = bench.status()["unfinished_plans"][0]["run"]
    return run


def test_status_says_why_a_run_stopped(bench: Bench) -> None:
    run = stopped_run(bench, signal.SIGTERM)
    assert bench.status()["unfinished_plans"][0]["stopped"] == "interrupted by SIGTERM"
    assert "interrupted by SIGTERM" in " ".join(bench.cli("status").out.split())
    ended = bench.cli("status", "--run", run, "--format", "json")
    assert ended.code == 0, ended
    result = ended.json
    assert (result["run"], result["stopped"], result["exit"]) == (run, "interrupted by SIGTERM", 130)
    counts = result["counts"]
    assert counts["applied"] == bench.done().total() > 0
    assert sum(counts.values()) == 20
    assert result["not_sent_reasons"] == {"interrupted by SIGTERM": counts["not_sent"]}
    assert "interrupted by SIGTERM" in " ".join(bench.cli("status", "--run", run).out.split())


def test_a_run_that_was_killed_is_told_from_one_that_goes_on(bench: Bench) -> None:
    run = stopped_run(bench, signal.SIGKILL)
    assert "its process ended before the run did" in bench.status()["unfinished_plans"][0]["stopped"]
    result = bench.cli("status", "--run", run, "--format", "json").json
    assert "its process ended before the run did" in result["stopped"]


def test_a_second_run_counts_what_the_first_one_settled(bench: Bench) -> None:
    first = stopped_run(bench, signal.SIGTERM)
    applied = bench.cli("status", "--run", first, "--format", "json").json["counts"]["applied"]
    bench.faults()
    ended = bench.apply()
    result = bench.cli("status", "--run", ended.json["run"], "--format", "json").json
    assert result["counts"] == ended.json["counts"]
    assert (result["stopped"], result["exit"], result["counts"]["already_applied"]) == ("", 0, applied)


def test_an_unknown_run_is_one_clear_error(bench: Bench) -> None:
    ended = bench.cli("status", "--run", "20260101-000000-abcdef", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE904")
