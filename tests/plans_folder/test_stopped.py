"""What ends a run early ends the command, and the same command goes on afterwards without doubling anything."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncengine.api import Project
from syncengine.sandbox import Fault, FaultRule, Match, Signal
from tests.crash.bench import ACCOUNT, Bench, Ended
from tests.plans_folder.team import apply_folder, counts, declare, listed_in, plan_each, triggers, updates

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}
LOST = {"effect": "none", "answer": "reset"}
NAMES = ("a-first", "b-second", "c-third")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def three_plans(bench: Bench, kind: Callable[[int, int], list[dict[str, Any]]] = triggers) -> Path:
    """Three plans of two operations each, on leads 100, 101; 110, 111; 120, 121."""
    return declare(bench, a_first=kind(100, 2), b_second=kind(110, 2), c_third=kind(120, 2))


def assert_the_rest_is_left(ended: Ended, code: int, *words: str, **found: dict[str, int]) -> None:
    """These counts of the first plans; nothing of the others, with the reason."""
    wanted = {name: found.get(name.partition("-")[0], {"not_sent": 2}) for name in NAMES}
    assert (ended.code, counts(ended)) == (code, wanted), ended
    for word in words:
        assert word in ended.json["stopped"]
    for plan in ended.json["plans"][len(found) :]:
        assert plan["run"] is None
        assert plan["not_sent_reasons"] == {ended.json["stopped"]: 2}
        assert plan["stopped"] == ended.json["stopped"]


def finish(bench: Bench, kind: str = "trigger") -> None:
    """The same command again finishes, and everything was done once."""
    bench.faults()
    again = apply_folder(bench)
    assert again.code == 0, again
    assert set(bench.done().values()) == {1}
    assert len(bench.done()) == 6
    assert all(word.startswith(kind) for word in bench.done())


# The service


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_command(bench: Bench, status: int) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    answer = {"status": status, "body": "error", "message": "Key not allowed"}
    bench.faults({"match": {"nth": 3}, "fault": {"effect": "none", "answer": answer}})
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 4, "Key not allowed", a={"applied": 2}, b={"not_sent": 2})
    assert len(bench.requests) == 3
    finish(bench)


def test_a_redirect_ends_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench, updates)
    answer = {"status": 307, "body": "empty", "location": "http://127.0.0.1:9/"}
    bench.faults({"match": {"nth": 3}, "fault": {"effect": "none", "answer": answer}})
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 5, "redirects", a={"applied": 2}, b={"in_doubt": 1, "not_sent": 1})
    finish(bench, "update")


def test_a_long_wait_ends_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH | {"max_wait": 5})
    three_plans(bench)
    answer = {"status": 429, "retry_after": 6}
    bench.faults({"match": {"nth": 3}, "fault": {"effect": "none", "answer": answer}})
    assert_the_rest_is_left(apply_folder(bench), 4, "max_wait", a={"applied": 2}, b={"not_sent": 2})
    finish(bench)


def test_unanswered_requests_are_counted_over_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH | {"attempts": 1}, policy={"stop_when": {"unanswered": 3}})
    three_plans(bench)
    bench.faults({"fault": LOST})
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 5, "3 requests in a row", a={"in_doubt": 2}, b={"in_doubt": 1, "not_sent": 1})
    assert len(bench.requests) == 3


def test_an_answer_between_them_begins_the_count_anew(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH | {"attempts": 1}, policy={"stop_when": {"unanswered": 3}})
    three_plans(bench)
    bench.faults(*({"match": {"nth": nth}, "fault": LOST} for nth in (1, 2, 4, 5)))
    ended = apply_folder(bench)
    assert (ended.code, ended.json["stopped"]) == (5, "")
    assert len(bench.requests) == 6


def test_rejected_entries_are_counted_for_each_plan(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH, policy={"stop_when": {"rejected_percent": 100, "after": 3}})
    declare(bench, a_first=updates(100, 2), b_second=updates(110, 2), c_third=updates(120, 4), d_fourth=updates(130, 1))
    bench.faults({"fault": {"reject": {"message": "No"}}})
    ended = apply_folder(bench)
    assert ended.code == 4
    assert counts(ended) == {
        "a-first": {"rejected": 2},
        "b-second": {"rejected": 2},
        "c-third": {"rejected": 3, "not_sent": 1},
        "d-fourth": {"not_sent": 1},
    }
    assert "stop_when.rejected_percent" in ended.json["stopped"]


# The policy


def test_waves_begin_anew_in_each_plan(bench: Bench) -> None:
    bench.configure(policy={"waves": [1]})
    declare(bench, a_first=updates(100, 3), b_second=updates(110, 3))
    assert apply_folder(bench).code == 0
    assert [len(sent) for sent in bench.sent] == [1, 2, 1, 2]


def test_a_wave_that_stops_ends_the_command(bench: Bench) -> None:
    bench.configure(policy={"waves": [1]})
    three_plans(bench, updates)
    bench.faults({"match": {"lead": "110"}, "fault": {"reject": {"message": "No", "leads": ["110"]}}})
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 4, "policy.waves", a={"applied": 2}, b={"rejected": 1, "not_sent": 1})


def test_a_budget_ends_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH, policy={"budgets": [{"per": "day", "max_irreversible": 3}]})
    three_plans(bench)
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 4, "the budget of 3", a={"applied": 2}, b={"applied": 1, "not_sent": 1})


def test_a_budget_that_is_used_up_between_two_plans_ends_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH, policy={"budgets": [{"per": "day", "max_irreversible": 2}]})
    three_plans(bench)
    ended = apply_folder(bench)
    assert_the_rest_is_left(ended, 4, "the budget of 2", a={"applied": 2})
    assert bench.status()["unfinished_plans"] == []


def test_a_budget_that_is_used_up_before_refuses_the_command(bench: Bench) -> None:
    bench.configure(policy={"budgets": [{"per": "day", "max_irreversible": 0}]})
    three_plans(bench)
    ended = apply_folder(bench)
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE605")
    assert [each["code"] for each in ended.json["refused"]] == ["SE605"] * 3
    assert bench.history() == []


def test_outside_its_windows_the_command_is_refused(bench: Bench) -> None:
    closed = _DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    window = {"days": [closed], "from": "09:00", "to": "17:00", "time_zone": "UTC"}
    bench.configure(policy={"windows": [window]})
    three_plans(bench)
    ended = apply_folder(bench)
    assert (ended.code, ended.json["error"]["code"]) == (3, "SE604")
    assert bench.history() == []


# Time and people


def test_a_deadline_that_has_passed_sends_nothing(bench: Bench) -> None:
    three_plans(bench)
    ended = apply_folder(bench, "--deadline", "0")
    assert ended.code == 4
    assert counts(ended) == {name: {"not_sent": 2} for name in NAMES}
    assert "--deadline" in ended.json["stopped"]
    assert bench.requests == []
    finish(bench)


@pytest.mark.parametrize("nth", [2, 3])
def test_the_deadline_holds_for_all_plans_together(bench: Bench, nth: int) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    bench.faults({"match": {"nth": nth}, "fault": {"delay_after": 3}})
    ended = apply_folder(bench, "--deadline", "2.5")
    more = {"b": {"applied": 1, "not_sent": 1}} if nth == 3 else {}
    assert_the_rest_is_left(ended, 4, "--deadline", a={"applied": 2}, **more)
    finish(bench)


def signalled(bench: Bench, number: str, *, nth: int, at: str = "received", done: bool = True) -> Ended:
    """Apply the folder in a process of its own that gets a signal when the sandbox is at this step of a request."""
    process = bench.start("apply", "plans", "--format", "json", stdout=subprocess.PIPE)
    order = Signal(send=number, at=at, pid=process.pid)  # type: ignore[arg-type]
    # The answer waits a little, so that the signal has arrived when it comes.
    fault = Fault(signal=order, delay_after=0.3, effect="all" if done else "none")
    bench.faults(FaultRule(match=Match(nth=nth), fault=fault))
    out, _ = process.communicate(timeout=60)
    bench.faults()
    return Ended(process.returncode, out.decode(), "")


@pytest.mark.parametrize("number", ["INT", "TERM"])
@pytest.mark.parametrize("nth", [2, 3])
def test_a_signal_ends_the_command(either_bench: Bench, number: str, nth: int) -> None:
    bench = either_bench
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    ended = signalled(bench, number, nth=nth)
    more = {"b": {"applied": 1, "not_sent": 1}} if nth == 3 else {}
    assert_the_rest_is_left(ended, 130, f"SIG{number}", a={"applied": 2}, **more)
    assert len(bench.requests) == nth
    finish(bench)


def test_a_signal_during_the_last_request_of_all_leaves_nothing_to_do(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    ended = signalled(bench, "TERM", nth=6)
    assert (ended.code, counts(ended)) == (130, {name: {"applied": 2} for name in NAMES})


@pytest.mark.parametrize("nth", [1, 2, 3, 6])
@pytest.mark.parametrize("done", [True, False])
def test_killed_and_started_again_nothing_is_doubled(either_bench: Bench, nth: int, done: bool) -> None:
    bench = either_bench
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    assert signalled(bench, "KILL", nth=nth, done=done).code == -signal.SIGKILL
    if bench.ledger_url.startswith("postgres"):
        expire_leases(bench)
    ended = apply_folder(bench)
    assert ended.code == 5
    (doubt,) = bench.status()["in_doubt"]
    assert bench.resolve("applied" if done else "not-applied", doubt["operation"]).code == 0
    finish(bench)


def test_killed_among_updates_the_same_command_finishes(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench, updates)
    assert signalled(bench, "KILL", nth=3, done=False).code == -signal.SIGKILL
    finish(bench, "update")


def test_on_a_fresh_runner_the_interrupted_plan_goes_on(either_bench: Bench) -> None:
    bench = either_bench
    bench.configure(limits=ONE_EACH)
    folder = three_plans(bench, updates)
    before = {plan["changeset"]: plan["plan"] for plan in listed_in(folder)["plans"]}
    assert signalled(bench, "TERM", nth=3).code == 130
    shutil.rmtree(folder)
    plan_each(bench, *NAMES)
    again = {plan["changeset"]: plan["plan"] for plan in listed_in(folder)["plans"]}
    assert again == {name: before[name] for name in NAMES[1:]}
    ended = apply_folder(bench)
    assert (ended.code, counts(ended)) == (
        0,
        {"b-second": {"applied": 1, "already_applied": 1}, "c-third": {"applied": 2}},
    )
    assert set(bench.done().values()) == {1}


def expire_leases(bench: Bench) -> None:
    """As if half a minute had passed by the database's clock."""
    with psycopg.connect(bench.ledger_url) as connection:
        connection.execute("UPDATE syncengine.lanes SET expires = 1 WHERE expires > 1")


# While a command stands at a request


class Standing:
    """The command in a process of its own, with the answer to one request held back."""

    def __init__(self, bench: Bench, nth: int) -> None:
        self.bench = bench
        self.process = bench.start("apply", "plans", "--format", "json", stdout=subprocess.PIPE)
        order = Signal(send="STOP", at="after_effect", pid=self.process.pid)
        bench.faults(FaultRule(match=Match(nth=nth), fault=Fault(signal=order)))
        stopped = Path(f"/proc/{self.process.pid}/stat")
        while stopped.read_text().rpartition(")")[2].split()[0] != "T":
            assert self.process.poll() is None

    def go_on(self) -> Ended:
        self.process.send_signal(signal.SIGCONT)
        out, _ = self.process.communicate(timeout=60)
        return Ended(self.process.returncode, out.decode(), "")


@pytest.mark.parametrize("nth", [1, 3])
def test_one_lease_holds_over_the_whole_command(either_bench: Bench, nth: int) -> None:
    bench = either_bench
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    standing = Standing(bench, nth)
    for target in ("plans", "plans/c-third.plan"):
        other = bench.apply(target)
        assert (other.code, other.json["error"]["code"]) == (3, "SE660")
        assert f"process {standing.process.pid}" in other.json["error"]["message"]
    assert standing.go_on().code == 0
    finish(bench)


def test_waiting_for_the_lease(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    standing = Standing(bench, 3)
    second = bench.start("apply", "plans", "--format", "json", "--lock-timeout", "60", stdout=subprocess.PIPE)
    assert standing.go_on().code == 0
    out, _ = second.communicate(timeout=60)
    ended = Ended(second.returncode, out.decode(), "")
    assert (ended.code, counts(ended)) == (0, {name: {"already_applied": 2} for name in NAMES})
    finish(bench)


def test_a_lost_lease_ends_the_command(server_bench: Bench) -> None:
    bench = server_bench
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    standing = Standing(bench, 3)
    with Project.open(bench.folder / "syncengine.yaml").ledger() as ledger:
        assert ledger.release(ACCOUNT, by="ann", note="its machine does not answer")
    ended = standing.go_on()
    assert_the_rest_is_left(ended, 4, "lease", a={"applied": 2}, b={"applied": 1, "not_sent": 1})
    assert len(bench.requests) == 3
    finish(bench)


def test_a_lost_ledger_ends_the_command(server_bench: Bench) -> None:
    bench = server_bench
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    standing = Standing(bench, 2)
    name = bench.ledger_url.rpartition("/")[2]
    with psycopg.connect(bench.ledger_url.rpartition("/")[0] + "/postgres", autocommit=True) as server:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            ended = standing.go_on()
        finally:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert ended.code == 5, ended
    first, *others = ended.json["plans"]
    assert first["unrecorded"]
    assert [plan["counts"]["not_sent"] for plan in others] == [2, 2]
    assert len(bench.requests) == 2


def test_cancel_ends_the_command(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    three_plans(bench)
    standing = Standing(bench, 3)
    (plan,) = bench.status()["unfinished_plans"]
    assert bench.cli("cancel", plan["run"], "--by", "ann").code == 0
    assert_the_rest_is_left(standing.go_on(), 4, "cancel", a={"applied": 2}, b={"applied": 1, "not_sent": 1})


# The folder, meanwhile


def exchanged(folder: Path) -> None:
    (folder / "b-second.plan").write_bytes((folder / "c-third.plan").read_bytes())


def removed(folder: Path) -> None:
    (folder / "b-second.plan").unlink()


def garbage(folder: Path) -> None:
    (folder / "b-second.plan").write_text("no plan")


@pytest.mark.parametrize("change", [exchanged, removed, garbage])
def test_a_plan_that_is_changed_meanwhile_is_refused_and_the_others_go_on(
    bench: Bench, change: Callable[[Path], None]
) -> None:
    bench.configure(limits=ONE_EACH)
    folder = three_plans(bench)
    standing = Standing(bench, 1)
    change(folder)
    ended = standing.go_on()
    assert ended.code == 4, ended
    assert [each["changeset"] for each in ended.json["refused"]] == ["b-second"]
    assert ended.json["refused"][0]["code"] in {"SE610", "SE671"}
    assert counts(ended) == {"a-first": {"applied": 2}, "c-third": {"applied": 2}}


def test_a_new_list_and_new_plans_meanwhile_change_nothing(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    folder = three_plans(bench)
    standing = Standing(bench, 1)
    (folder / "plans.json").unlink()
    (folder / "d-fourth.plan").write_bytes((folder / "c-third.plan").read_bytes())
    ended = standing.go_on()
    assert ended.code == 0
    assert len(bench.done()) == 6


def test_a_ledger_that_moves_before_the_command_makes_its_plan_stale(bench: Bench) -> None:
    three_plans(bench)
    assert bench.send("other", {"lead": "110", "trigger": ["1053"]}).code == 0
    ended = apply_folder(bench)
    assert ended.code == 4
    assert [(each["changeset"], each["code"]) for each in ended.json["refused"]] == [("b-second", "SE620")]
    assert counts(ended) == {"a-first": {"applied": 2}, "c-third": {"applied": 2}}
