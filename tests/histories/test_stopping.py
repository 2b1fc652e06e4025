"""How a run ends before its end: signals, deadlines, stop rules, waves, refusals of the key, waiting too long."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Fault, FaultRule, Match, Signal
from tests.crash.bench import SCRIPT, Bench, Ended

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}
LOST = {"effect": "none", "answer": "reset"}


def updates(count: int) -> list[dict[str, Any]]:
    return [{"lead": str(100 + number), "update": {"c1": "a"}} for number in range(count)]


def triggers(count: int) -> list[dict[str, Any]]:
    return [{"lead": str(100 + number), "trigger": ["1053"]} for number in range(count)]


def signalled(bench: Bench, number: str, *, nth: int, at: str, **popen: Any) -> tuple[int, str]:
    """Apply in a process of its own that gets a signal when the sandbox is at this step of its nth request."""
    process = bench.start("apply", "release.plan", "--format", "json", stdout=subprocess.PIPE, **popen)
    order = Signal(send=number, at=at, pid=process.pid)  # type: ignore[arg-type]
    # The answer waits a little, so that the signal has arrived when it comes.
    bench.faults(FaultRule(match=Match(nth=nth), fault=Fault(signal=order, delay_after=0.3)))
    out, _ = process.communicate(timeout=60)
    bench.faults()
    return process.returncode, out.decode()


# Signals


@pytest.mark.parametrize("number", ["INT", "TERM"])
def test_a_signal_records_what_is_in_flight_and_sends_nothing_new(bench: Bench, number: str) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(4))
    bench.plan()
    code, out = signalled(bench, number, nth=2, at="received")
    counts = Ended(code, out, "").json["counts"]
    assert (code, counts["applied"], counts["in_doubt"], counts["not_sent"]) == (130, 2, 0, 2)
    assert len(bench.requests) == 2
    # Going on: what is settled stays settled, the rest is sent.
    ended = bench.apply()
    assert (ended.code, ended.json["counts"]["applied"], ended.json["counts"]["already_applied"]) == (0, 2, 2)
    assert bench.done() == {f"trigger {100 + number} 1053": 1 for number in range(4)}


def test_a_second_signal_ends_at_once_and_safely(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(3))
    bench.plan()
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "all", "answer": "never"}})
    process = bench.start("apply", "release.plan")
    while not bench.status()["in_doubt"]:
        assert process.poll() is None
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    assert process.returncode == 130
    status = bench.status()
    assert [doubt["lead"] for doubt in status["in_doubt"]] == ["100"]
    assert "no answer" in status["in_doubt"][0]["message"]


def test_interrupted_before_anything_was_sent(bench: Bench) -> None:
    bench.configure(limits={"requests_per_second": 0.2})
    bench.changeset("first", *triggers(1))
    assert bench.apply(bench.plan()).code == 0
    bench.configure(limits={**ONE_EACH, "requests_per_second": 0.2})
    bench.changeset("second", *[{"lead": "200", "update": {"c1": "a"}}, {"lead": "201", "update": {"c1": "a"}}])
    bench.plan("second")
    code, out = signalled(bench, "INT", nth=1, at="received")
    assert (code, Ended(code, out, "").json["counts"]["not_sent"]) == (130, 1)


def open_files(pid: int) -> list[str]:
    """Names of what a process has open; it opens and closes files while we look."""
    names = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            names.append(link.readlink().name)
    return names


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_the_lease_at_once(bench: Bench, number: signal.Signals) -> None:
    bench.changeset("first", *triggers(2))
    bench.plan()
    bench.faults({"match": {"nth": 1}, "fault": {"effect": "all", "answer": "never"}})
    holder = bench.start("apply", "release.plan")
    while not bench.status()["in_doubt"]:
        assert holder.poll() is None
    waiting = bench.start("apply", "release.plan", "--lock-timeout", "600")
    while not any(name.endswith(".lease") for name in open_files(waiting.pid)):
        assert waiting.poll() is None
    waiting.send_signal(number)
    assert waiting.wait(30) == 130
    holder.kill()
    holder.wait()
    assert bench.done().total() == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_plan_that_is_stopped_leaves_nothing_behind(bench: Bench, number: signal.Signals) -> None:
    rows = bench.folder / "specs" / "rows.csv"
    rows.parent.mkdir(exist_ok=True)
    rows.write_text("lead\n" + "".join(f"{lead}\n" for lead in range(1, 400_000)), encoding="utf-8")
    (rows.parent / "many.yaml").write_text(
        "version: 1\nchangeset: many\naccount: acme\nsources: {rows: {file: rows.csv}}\nchanges:\n"
        '  - {for_each: rows, lead: "{{ row.lead }}", update: {c1: a}}\n',
        encoding="utf-8",
    )
    plans = bench.folder / "plans"
    plans.mkdir()
    process = bench.start("plan", "specs", "--out", "plans/many.plan")
    while not list(plans.iterdir()):
        assert process.poll() is None
    process.send_signal(number)
    assert process.wait(60) == 130
    assert list(plans.iterdir()) == []


def test_a_closed_stdout_never_stops_a_run(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(3))
    bench.plan()
    reader, writer = os.pipe()
    process = bench.start("apply", "release.plan", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    os.close(reader)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert bench.done().total() == 3


def test_a_stdout_that_is_closed_from_the_start_changes_nothing(bench: Bench) -> None:
    bench.changeset("first", *triggers(1))
    bench.plan()
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" apply release.plan >&-', str(SCRIPT)],
        cwd=bench.folder,
        env=bench.environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
    assert bench.done().total() == 1


# Deadline


def test_a_deadline_that_has_passed_sends_nothing(bench: Bench) -> None:
    bench.changeset("first", *triggers(2))
    ended = bench.apply(bench.plan(), "--deadline", "0")
    assert (ended.code, ended.json["counts"]["not_sent"]) == (4, 2)
    assert "deadline" in ended.json["stopped"]
    assert bench.requests == []
    assert bench.apply().code == 0


def test_a_deadline_awaits_what_is_in_flight(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(3))
    bench.faults({"match": {"nth": 1}, "fault": {"delay_after": 0.8}})
    ended = bench.apply(bench.plan(), "--deadline", "0.4")
    assert (ended.code, ended.json["counts"]["applied"], ended.json["counts"]["not_sent"]) == (4, 1, 2)


# Stop rules, waves, cancellation


def test_twenty_rejected_entries_stop_the_run(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *updates(30))
    bench.faults({"fault": {"reject": {"message": "No"}}})
    ended = bench.apply(bench.plan())
    assert (ended.code, ended.json["counts"]["rejected"], ended.json["counts"]["not_sent"]) == (4, 20, 10)
    assert "stop_when.rejected_percent" in ended.json["stopped"]


def test_requests_in_a_row_without_an_answer_stop_the_run(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH | {"attempts": 1}, policy={"stop_when": {"unanswered": 3}})
    bench.changeset("first", *triggers(6))
    bench.faults({"fault": LOST})
    ended = bench.apply(bench.plan())
    assert (ended.code, ended.json["counts"]["in_doubt"], ended.json["counts"]["not_sent"]) == (5, 3, 3)
    assert "without a readable answer" in ended.json["stopped"]


def test_a_wave_with_a_refusal_is_the_last(bench: Bench) -> None:
    bench.configure(policy={"waves": [1, 2]})
    bench.changeset("first", *updates(6))
    bench.faults({"match": {"lead": "102"}, "fault": {"reject": {"message": "No", "leads": ["102"]}}})
    ended = bench.apply(bench.plan())
    assert (ended.code, ended.json["counts"]["applied"], ended.json["counts"]["not_sent"]) == (4, 2, 3)
    assert "policy.waves" in ended.json["stopped"]
    assert bench.sent == [["update 100"], ["update 101", "update 102"]]


def test_waves_without_trouble_go_on_to_the_rest(bench: Bench) -> None:
    bench.configure(policy={"waves": [1, 2]})
    bench.changeset("first", *updates(6))
    assert bench.apply(bench.plan()).code == 0
    assert [len(sent) for sent in bench.sent] == [1, 2, 3]


def test_cancel_stops_a_live_run_before_its_next_request(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(3))
    bench.plan()
    bench.faults({"match": {"nth": 1}, "fault": {"delay_after": 2}})
    process = bench.start("apply", "release.plan", "--format", "json", stdout=subprocess.PIPE)
    while not (doubts := bench.status()["in_doubt"]):
        assert process.poll() is None
    run = doubts[0]["run"]
    # While it lives: status names it, and nothing of it is anybody else's to resolve or to send.
    status = bench.status()
    assert (doubts[0]["message"], doubts[0]["in_flight"]) == (f"in flight in run {run}", True)
    assert "1 in flight: wait for their run" in bench.cli("status").out
    assert [(plan["run"], plan["live"]) for plan in status["unfinished_plans"]] == [(run, True)]
    assert bench.states("first") == {
        "100": ["trigger in_doubt"], "101": ["trigger to_send"], "102": ["trigger to_send"],
    }  # fmt: skip
    refused = bench.resolve("not-applied", doubts[0]["operation"])
    assert (refused.code, "being applied to by" in refused.err) == (3, True)
    second = bench.apply()
    assert (second.code, second.json["error"]["code"]) == (3, "SE660")
    cancelled = bench.cli("cancel", run, "--by", "ann", "--format", "json")
    assert (cancelled.code, cancelled.json) == (0, {"run": run, "cancelled": True})
    out, _ = process.communicate(timeout=60)
    ended = Ended(process.returncode, out.decode(), "")
    assert ended.code == 4
    assert (ended.json["counts"]["applied"], ended.json["counts"]["not_sent"]) == (1, 2)
    assert "cancel" in ended.json["stopped"]
    assert len(bench.requests) == 1
    assert bench.apply().code == 0


def test_cancel_refuses_what_is_not_running(bench: Bench) -> None:
    nothing = bench.cli("cancel", "20260101-000000-abcdef", "--format", "json")
    assert (nothing.code, "there is no run" in nothing.json["error"]["message"]) == (1, True)
    run = bench.send("first", *updates(1)).json["run"]
    over = bench.cli("cancel", run)
    assert over.code == 1
    assert "has ended" in over.err


# The service says no, or not now


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("change", "permission"),
    [
        ({"update": {"c1": "a"}}, "Leads > Update"),
        ({"action": "reprocess"}, "Leads > Reprocess"),
        ({"financials": {"payout": "1"}}, "Update Payout/Revenue"),
    ],
    ids=["update", "reprocess", "financials"],
)
def test_a_refused_key_stops_the_run_in_the_services_words(
    bench: Bench, status: int, change: dict[str, Any], permission: str
) -> None:
    bench.configure(limits=ONE_EACH)
    bench.faults(
        {"fault": {"effect": "none", "answer": {"status": status, "body": "error", "message": "Key not allowed here"}}}
    )
    ended = bench.send("first", *({"lead": str(lead), **change} for lead in (100, 101, 102)))
    assert (ended.code, ended.json["counts"]["not_sent"], len(bench.requests)) == (4, 3, 1)
    assert "Key not allowed here" in ended.json["stopped"]
    assert permission in ended.json["stopped"]
    bench.faults()
    assert bench.apply("first.plan").code == 0


def test_a_key_that_may_not_trigger_or_restate_is_told_by_the_real_service(tmp_path: Path) -> None:
    from syncengine.sandbox import Key, Permission

    keys = (Key(text="updates-only", permissions=frozenset({Permission.UPDATE})),)
    with Bench(tmp_path, keys=keys) as bench:
        ended = bench.send(
            "first", {"lead": "100", "update": {"c1": "a"}}, {"lead": "100", "financials": {"payout": "1"}}
        )
        assert ended.code == 4
        assert bench.outcomes() == {"update 100": "applied", "financials 100": "not_sent"}
        assert "Update Payout/Revenue" in ended.json["stopped"]


def test_a_retry_after_longer_than_max_wait_stops_the_run(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH | {"max_wait": 5})
    bench.faults({"match": {"nth": 2}, "fault": {"effect": "none", "answer": {"status": 429, "retry_after": 6}}})
    ended = bench.send("first", *triggers(4))
    assert (ended.code, ended.json["counts"]["applied"], ended.json["counts"]["not_sent"]) == (4, 1, 3)
    assert "max_wait" in ended.json["stopped"]
    assert len(bench.requests) == 2


def test_a_redirect_is_never_followed(bench: Bench, tmp_path: Path) -> None:
    with Bench(tmp_path / "elsewhere") as elsewhere:
        location = f"{elsewhere.sandbox.url}/restapi/v1.3/leads"
        bench.configure(limits=ONE_EACH)
        bench.faults({"fault": {"effect": "all", "answer": {"status": 307, "body": "empty", "location": location}}})
        ended = bench.send("first", *updates(2), *triggers(1))
        assert (ended.code, ended.json["counts"]["in_doubt"]) == (5, 1)
        assert elsewhere.requests == []
    assert "redirects are never followed" in ended.json["stopped"]


# Settling


def test_another_value_waits_until_the_lost_one_can_hardly_land(bench: Bench) -> None:
    bench.configure(limits={"attempts": 1, "settle": 1})
    bench.faults({"match": {"nth": 1}, "fault": {"effect": {"late": 0.5}, "answer": "reset"}})
    assert bench.send("first", {"lead": "11", "update": {"c1": "old"}}).code == 5
    bench.changeset("first", {"lead": "11", "update": {"c1": "new"}}, {"lead": "12", "update": {"c1": "new"}})
    assert bench.apply(bench.plan()).code == 0
    order = [(effect["lead"], effect["fields"]["c1"]) for effect in bench.effects]
    assert order.index(("11", "old")) < order.index(("11", "new"))
    assert order[-1] == ("11", "new")


def test_settling_longer_than_max_wait_is_not_waited_for(bench: Bench) -> None:
    bench.configure(limits={"attempts": 1, "settle": 60, "max_wait": 1})
    bench.faults({"match": {"nth": 1}, "fault": LOST})
    assert bench.send("first", {"lead": "11", "update": {"c1": "old"}}).code == 5
    ended = bench.send("first", {"lead": "11", "update": {"c1": "new"}})
    assert (ended.code, ended.json["counts"]["not_sent"]) == (4, 1)
    assert any("settle" in reason for reason in ended.json["not_sent_reasons"])
    # The same value again needs no waiting.
    assert bench.send("first", {"lead": "11", "update": {"c1": "old"}}).code == 0
