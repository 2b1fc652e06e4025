"""submit and worker as users meet them: results, limits, stops, and what they refuse."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncengine.sandbox import Fault, FaultRule, Match, Signal
from tests.crash.bench import Bench, Ended
from tests.distributed.crew import PATIENCE, Crew, await_end, is_open, result_of, state_of, submit, until
from tests.postgres_server import running_server

SLOW = {"delay_before": 0.4}


@pytest.fixture
def crew(bench: Bench) -> Iterator[Crew]:
    with Crew(bench, "--parallel", "2") as made:
        yield made


def triggers(count: int, first: int = 5000) -> list[dict[str, Any]]:
    return [{"lead": str(first + number), "trigger": ["1053"]} for number in range(count)]


def updates(count: int, first: int = 5000) -> list[dict[str, Any]]:
    return [{"lead": str(first + number), "update": {"c1": "secret word"}} for number in range(count)]


def prepared(bench: Bench, *changes: dict[str, Any], policy: dict[str, Any] | None = None, **limits: Any) -> None:
    """A plan in release.plan."""
    bench.configure(limits={"concurrency": 4, "leads_per_request": 1, "irreversible_per_request": 1} | limits,
                    policy=policy)  # fmt: skip
    bench.changeset("first", *changes)
    bench.plan()


def looked(bench: Bench, statement: str) -> list[Any]:
    """What the queue's tables hold."""
    with closing(psycopg.connect(bench.ledger_url, autocommit=True)) as connection:
        connection.execute("SET search_path TO syncengine_queue")
        return connection.execute(statement.encode()).fetchall()


def changed(bench: Bench, statement: str) -> None:
    with closing(psycopg.connect(bench.ledger_url, autocommit=True)) as connection:
        connection.execute("SET search_path TO syncengine_queue")
        connection.execute(statement.encode())


# The ordinary way


def test_submit_waits_for_the_result_that_apply_would_print(bench: Bench, crew: Crew) -> None:
    changes = [
        *triggers(6),
        {"lead": "6200", "update": {"c1": "a"}, "trigger": ["1053", "1054"], "financials": {"payout": "2.50"}},
        {"lead": "6200", "update": {"c2": "b"}, "action": "reprocess"},
    ]
    prepared(bench, *changes)
    for _ in range(2):
        crew.start()
    ended = bench.process("submit", "release.plan", "--wait", "--format", "json", timeout=PATIENCE)
    result = ended.json
    assert (ended.code, result["exit"]) == (0, 0)
    assert result["counts"] == {"applied": 12, "rejected": 0, "in_doubt": 0, "already_applied": 0, "not_sent": 0}
    assert bench.done()["update 6200"] == 2
    assert {times for what, times in bench.done().items() if what != "update 6200"} == {1}
    of_one = [effect["effect"] for effect in bench.effects if effect["lead"] == "6200"]
    assert of_one.index("financials") > of_one.index("trigger")
    assert of_one[-1] == "reprocess"
    history = bench.history("--run", result["run"])
    assert {row["outcome"] for row in history} == {"applied"}
    assert len(history) == 12
    again = bench.process("submit", "release.plan", "--format", "json")
    assert (again.code, again.json["run"], again.json["counts"]["already_applied"]) == (0, None, 12)
    assert bench.cli("ledger", "check").code == 0


def test_leads_in_quarantine_are_decided_once_by_workers(bench: Bench, crew: Crew) -> None:
    releases = [{"quarantined": str(5000 + n), "update": {"c1": "a"}, "action": "release"} for n in range(8)]
    rejection = {"quarantined": "5100", "action": "reject"}
    prepared(bench, *releases, rejection, *triggers(8, first=6000))
    bench.faults({"match": {"path": "/restapi/v1.3/quarantine/process", "nth": 3},
                  "fault": {"effect": "all", "answer": "reset"}})  # fmt: skip
    for _ in range(2):
        crew.start()
    result = await_end(bench, submit(bench))
    assert (result["exit"], result["counts"]["applied"], result["counts"]["in_doubt"]) == (5, 24, 1)
    doubt = result["in_doubt"][0]
    assert doubt["kind"] in ("release", "reject")
    assert doubt["lead"].startswith("quarantined:")
    again = bench.process("submit", "release.plan", "--format", "json")
    assert (again.code, again.json["run"], again.json["counts"]["already_applied"]) == (5, None, 24)
    assert bench.resolve("applied", doubt["operation"]).code == 0
    assert bench.process("submit", "release.plan", "--format", "json").json["counts"]["already_applied"] == 25
    assert set(bench.done().values()) == {1}
    assert sum(what.startswith(("release", "reject", "trigger")) for what in bench.done()) == 17


def test_a_worker_that_drains_ends_when_nothing_is_open(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(20))
    run = submit(bench)
    ended = bench.process("worker", "--drain", "--format", "json", timeout=PATIENCE)
    assert (ended.code, ended.json["exit"]) == (0, 0)
    assert ended.json["requests"] == 20
    assert result_of(bench, run)["counts"]["applied"] == 20
    assert bench.status()["workers"] == []


def test_the_queue_holds_ids_and_sealed_content_which_goes_with_the_run(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(30))
    run = submit(bench)
    [(kept,)] = looked(bench, "SELECT string_agg(content, '') FROM chunks")
    assert kept
    assert b"secret word" not in kept
    jobs = looked(bench, "SELECT args FROM procrastinate_jobs")
    assert jobs
    assert {tuple(sorted(args)) for (args,) in jobs} == {("run", "shard")}
    crew.start()
    counts = await_end(bench, run)["counts"]
    assert counts["applied"] == 30, counts
    assert looked(bench, "SELECT count(*) FROM chunks") == [(0,)]
    until(lambda: looked(bench, "SELECT count(*) FROM procrastinate_jobs") == [(0,)], "empty queue")


def test_status_shows_shards_workers_and_rates(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(60))
    bench.faults({"fault": SLOW})
    run = submit(bench)
    [waiting] = bench.status()["submitted"]
    assert (waiting["run"], waiting["operations"], waiting["workers"]) == (run, 60, 0)
    assert "no worker serves it" in " ".join(bench.cli("status").out.split())
    worker = crew.start()

    def seen() -> bool:
        status = bench.status()
        runs, workers = status["submitted"], status["workers"]
        return bool(runs and workers and workers[0]["shards"] and runs[0]["entries_per_second"] > 0)

    until(seen, "rates")
    [line] = bench.status()["workers"]
    assert (line["pid"], line["alive"], line["accounts"]) == (worker.pid, True, ["acme"])
    bench.faults()
    assert await_end(bench, run)["exit"] == 0


# One pace, one limit


def test_all_workers_keep_one_pace(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(41), requests_per_second=20, concurrency=8)
    for _ in range(3):
        crew.start()
    run = submit(bench)
    assert await_end(bench, run)["counts"]["applied"] == 41
    times = sorted(datetime.fromisoformat(request["at"]) for request in bench.requests)
    assert (times[-1] - times[0]).total_seconds() > 40 / 20 * 0.9


def test_all_workers_keep_one_concurrency(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(24), concurrency=2)
    bench.faults({"fault": {"delay_before": 0.25}})
    for _ in range(3):
        crew.start()
    run = submit(bench)
    assert await_end(bench, run)["counts"]["applied"] == 24
    times = sorted(datetime.fromisoformat(request["at"]) for request in bench.requests)
    assert (times[-1] - times[0]).total_seconds() > (24 / 2 - 1) * 0.25 * 0.9


# Stops


def test_unanswered_requests_of_all_workers_stop_the_run(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(60), attempts=1)
    bench.faults({"fault": {"effect": "none", "answer": "reset"}})
    for _ in range(2):
        crew.start()
    run = submit(bench)
    result = await_end(bench, run)
    assert "stop_when.unanswered" in result["stopped"]
    assert (result["exit"], result["counts"]["applied"]) == (5, 0)
    assert 5 <= result["counts"]["in_doubt"] <= 5 + 4
    assert result["counts"]["in_doubt"] + result["counts"]["not_sent"] == 60
    assert len(bench.requests) == result["requests"]


def test_a_wave_with_a_rejection_is_the_last(bench: Bench, crew: Crew) -> None:
    prepared(bench, *updates(40), policy={"waves": [2, 10]})
    bench.faults({"match": {"lead": "5005"}, "fault": {"reject": {}}})
    for _ in range(2):
        crew.start()
    run = submit(bench)
    result = await_end(bench, run)
    assert "policy.waves" in result["stopped"]
    counts = result["counts"]
    assert (result["exit"], counts["applied"], counts["rejected"], counts["not_sent"]) == (4, 11, 1, 28)
    assert {effect["lead"] for effect in bench.effects} <= {str(5000 + number) for number in range(12)}
    bench.faults()
    again = submit(bench)
    assert await_end(bench, again)["counts"] == {
        "applied": 29, "rejected": 0, "in_doubt": 0, "already_applied": 11, "not_sent": 0,
    }  # fmt: skip


def test_a_budget_is_kept_by_all_workers_together(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(40), policy={"budgets": [{"per": "day", "max_irreversible": 13}]})
    for _ in range(3):
        crew.start()
    run = submit(bench)
    result = await_end(bench, run)
    assert "budget of 13" in result["stopped"]
    assert (result["exit"], result["counts"]["applied"]) == (4, 13)
    assert len(bench.effects) == 13


def test_cancel_ends_a_run_that_nobody_works_on(bench: Bench) -> None:
    prepared(bench, *triggers(10))
    run = submit(bench)
    cancelled = bench.cli("cancel", run, "--format", "json")
    assert cancelled.json == {"run": run, "cancelled": True, "ended": True}
    result = result_of(bench, run)
    assert (result["exit"], result["counts"]["not_sent"]) == (4, 10)
    assert bench.apply().code == 0


def test_cancel_stops_workers_before_their_next_request(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(60), concurrency=2)
    bench.faults({"fault": SLOW})
    crew.start()
    run = submit(bench)
    until(lambda: len(bench.sandbox.requests_log.read_text().splitlines()) >= 2, "requests")
    assert bench.process("cancel", run).code == 0
    result = await_end(bench, run)
    assert (result["exit"], result["counts"]["in_doubt"]) == (4, 0)
    assert "cancel" in result["stopped"]
    assert result["counts"]["applied"] == len(bench.effects) < 60
    assert result["counts"]["applied"] + result["counts"]["not_sent"] == 60


def test_a_signal_finishes_what_is_in_flight_and_leaves_the_rest_to_others(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(24), concurrency=2)
    bench.faults({"fault": SLOW})
    worker = crew.start()
    run = submit(bench)
    until(lambda: len(bench.sandbox.requests_log.read_text().splitlines()) >= 2, "requests")
    worker.send(signal.SIGTERM)
    assert worker.wait() == 130
    assert bench.status()["in_doubt"] == []
    sent = len(bench.effects)
    assert 0 < sent < 24
    assert is_open(bench, run)
    bench.faults()
    crew.start()
    assert await_end(bench, run)["counts"]["applied"] == 24
    assert set(bench.done().values()) == {1}


# Who excludes whom


def test_apply_and_submit_exclude_each_other(bench: Bench) -> None:
    prepared(bench, *triggers(60), concurrency=1)
    bench.faults({"fault": {"delay_before": 1.5}})
    applying = bench.start("apply", "release.plan")
    until(lambda: any(plan["live"] for plan in bench.status()["unfinished_plans"]), "live run")
    refused = bench.process("submit", "release.plan", "--format", "json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE660")
    applying.send_signal(signal.SIGTERM)
    assert applying.wait(PATIENCE) == 130
    run = submit(bench)
    for words in (["apply"], ["submit"]):
        refused = bench.process(*words, "release.plan", "--format", "json")
        assert (refused.code, refused.json["error"]["code"]) == (3, "SE660")
        assert run in refused.json["error"]["message"]


# Who is refused


def test_an_account_that_was_removed_keeps_its_shards_until_it_is_back(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(8))
    run = submit(bench)
    configuration = (bench.folder / "syncengine.yaml").read_text()
    bench.configure(name="another")
    stranger = crew.start()
    until(lambda: run in stranger.said(), "a note about the run")
    assert "account acme" in stranger.said()
    assert is_open(bench, run)
    assert bench.effects == []
    (bench.folder / "syncengine.yaml").write_text(configuration)
    crew.start()
    assert await_end(bench, run)["counts"]["applied"] == 8


def refusal(bench: Bench) -> Ended:
    return bench.process("worker", "--drain", "--format", "json", timeout=PATIENCE)


def test_a_worker_of_other_terms_is_refused_and_touches_nothing(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(8))
    run = submit(bench)
    configuration = (bench.folder / "syncengine.yaml").read_text()
    bench.configure(policy={"max_leads": 500})
    other = refusal(bench)
    assert (other.code, other.json["error"]["code"]) == (3, "SE662")
    assert run in other.json["error"]["message"]
    assert "policy" in other.json["error"]["message"]
    (bench.folder / "syncengine.yaml").write_text(configuration)
    changed(bench, "UPDATE submissions SET tool = 'syncengine 99.0', queue = 'acme/another'")
    other = refusal(bench)
    assert (other.code, other.json["error"]["code"]) == (3, "SE662")
    assert "syncengine 99.0" in other.json["error"]["message"]
    bench.configure(ledger={"id": "L00000000000000000000"})
    wrong = refusal(bench)
    assert (wrong.code, wrong.json["error"]["code"]) == (3, "SE650")
    (bench.folder / "syncengine.yaml").write_text(configuration)
    (bench.folder / ".syncengine" / "ledger.key").write_text("0" * 64)
    wrong = refusal(bench)
    assert (wrong.code, wrong.json["error"]["code"]) == (3, "SE659")
    assert bench.effects == []


def test_a_ledger_in_a_file_cannot_be_shared(tmp_path: Path) -> None:
    with Bench(tmp_path / "bench") as bench:
        bench.found()
        prepared(bench, *triggers(1))
        for words in (["submit", "release.plan"], ["worker"]):
            ended = bench.cli(*words, "--format", "json")
            assert (ended.code, ended.json["error"]["code"]) == (1, "SE557")


# Bad days


def test_a_worker_that_wakes_after_its_lease_sends_nothing(bench: Bench, crew: Crew) -> None:
    """In the middle of a re-run, where sending again would be plain to see: each trigger was done once before."""
    bench.send("first", *triggers(30))
    # One request at a time: while its effect takes place, the worker waits for the answer and is in no transaction,
    # whose locks a stopped process would keep.
    bench.configure(limits={"concurrency": 1, "leads_per_request": 3, "irreversible_per_request": 3})
    bench.changeset("first", *[change | {"rerun": 2} for change in triggers(30)])
    bench.plan()
    sleeper = crew.start("--parallel", "1", "--log-format", "json")
    pause = Signal(send="STOP", at="after_effect", pid=sleeper.pid)
    bench.faults(FaultRule(match=Match(nth=3), fault=Fault(signal=pause)))
    run = submit(bench)
    until(lambda: state_of(sleeper.pid) == "T", "a stopped worker")
    bench.faults()
    crew.start()
    result = await_end(bench, run)
    assert result["counts"]["in_doubt"] <= 2 * 3
    assert result["counts"]["applied"] + result["counts"]["in_doubt"] == 30
    before = len(bench.requests)
    sleeper.send(signal.SIGCONT)
    assert sleeper.wait() in (4, 5)
    assert len(bench.requests) == before
    assert set(bench.done().values()) <= {1, 2}
    assert "took over" in sleeper.said()
    assert all(json.loads(line) for line in sleeper.said().splitlines()), "no traceback of the job engine"
    # Its late answers are on record all the same, and what it had intended and never sent is known not to have left.
    assert bench.status()["in_doubt"] == []
    if [row for row in bench.history() if row["outcome"] == "not_sent"]:
        assert await_end(bench, submit(bench))["exit"] == 0
    assert bench.done() == {f"trigger {5000 + number} 1053": 2 for number in range(30)}
    assert bench.cli("ledger", "check").code == 0


def test_the_queues_database_may_go_and_come_back(tmp_path: Path) -> None:
    with running_server() as server, Bench(tmp_path / "bench", ledger_url=server.new_database()) as bench:
        bench.found()
        prepared(bench, *triggers(40), concurrency=2)
        bench.faults({"fault": {"delay_before": 0.1}})
        with Crew(bench, "--parallel", "2") as crew:
            worker = crew.start()
            run = submit(bench)
            until(lambda: len(bench.sandbox.requests_log.read_text().splitlines()) >= 4, "requests")
            server.stop()
            with pytest.raises(subprocess.TimeoutExpired):
                worker.process.wait(6)
            server.start()
            result = await_end(bench, run)
            assert result["counts"]["applied"] + result["counts"]["in_doubt"] == 40
            assert result["counts"]["in_doubt"] <= 2
            assert set(bench.done().values()) == {1}
            assert worker.process.poll() is None
        assert bench.cli("ledger", "check").code == 0


def test_a_submit_that_died_on_the_way_blocks_nobody(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(6))
    run = submit(bench)
    changed(bench, "DELETE FROM submissions")
    changed(bench, "DELETE FROM procrastinate_jobs")
    assert bench.process("apply", "release.plan").code == 3
    again = submit(bench)
    assert again != run
    crew.start()
    assert await_end(bench, again)["counts"]["applied"] == 6


def test_jobs_that_vanished_are_announced_again(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(6))
    run = submit(bench)
    changed(bench, "DELETE FROM procrastinate_jobs")
    crew.start()
    assert await_end(bench, run)["counts"]["applied"] == 6


def test_a_wave_in_which_a_worker_died_is_the_last(bench: Bench, crew: Crew) -> None:
    prepared(bench, *triggers(30), policy={"waves": [4]}, concurrency=1)
    worker = crew.start()
    kill = Signal(send="KILL", at="after_effect", pid=worker.pid)
    bench.faults(FaultRule(match=Match(nth=2), fault=Fault(signal=kill)))
    run = submit(bench)
    worker.wait()
    bench.faults()
    crew.start()
    result = await_end(bench, run)
    assert "policy.waves" in result["stopped"]
    counts = result["counts"]
    assert (result["exit"], counts["applied"], counts["in_doubt"], counts["not_sent"]) == (5, 3, 1, 26)
    assert len(bench.effects) == 4
