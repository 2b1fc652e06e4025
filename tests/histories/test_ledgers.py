"""The wrong ledger, a broken one, a full disk: refused before anything is sent, or everything answered is recorded."""

from __future__ import annotations

import ctypes
import json
import resource
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import Project
from tests.crash.bench import Bench, Ended

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}
UPDATE: dict[str, Any] = {"lead": "11", "update": {"c1": "a"}}
TRIGGER: dict[str, Any] = {"lead": "11", "trigger": ["buyer-a"]}


def refused(ended: Ended, code: str, exit_code: int = 3) -> str:
    """The message of a refusal."""
    assert (ended.code, ended.json["error"]["code"]) == (exit_code, code), ended
    message: str = ended.json["error"]["message"]
    return message


def database(bench: Bench) -> Path:
    return bench.folder / ".syncengine" / "ledger.db"


def planning(bench: Bench) -> Ended:
    return bench.cli("plan", bench.folder / "specs", "--format", "json")


# The pin


def test_a_pin_that_differs_is_refused_even_on_loopback(bench: Bench) -> None:
    bench.changeset("first", UPDATE)
    bench.plan()
    bench.configure(ledger={"id": "L0123456789abcdef0123"})
    assert "pins L0123456789abcdef0123" in refused(bench.apply(), "SE650")
    refused(planning(bench), "SE650")
    assert bench.requests == []


def test_a_restored_ledger_is_behind_its_pin(bench: Bench) -> None:
    saved = bench.folder / "backup.db"
    shutil.copy(database(bench), saved)
    ended = bench.send("first", UPDATE)
    bench.changeset("second", TRIGGER | {"trigger": ["1053"]})
    bench.plan("second")
    pin = ended.json["pin"].partition('"')[2].rstrip('"')
    bench.configure(ledger={"id": pin})
    assert bench.apply().code == 0
    for file in database(bench).parent.glob("ledger.db*"):
        file.unlink()
    shutil.copy(saved, database(bench))
    assert "behind the pinned" in refused(bench.apply(), "SE650")
    refused(planning(bench), "SE650")
    assert bench.done().total() == 2


def test_beyond_loopback_a_pin_is_needed(bench: Bench) -> None:
    bench.configure(base_url="https://acme.invalid")
    bench.changeset("first", UPDATE)
    bench.plan()
    assert "does not pin" in refused(bench.apply(), "SE658")


def test_beyond_loopback_a_missing_ledger_is_refused(bench: Bench) -> None:
    bench.changeset("first", UPDATE)
    bench.configure(
        base_url="https://acme.invalid", ledger={"id": "L0123456789abcdef0123", "url": "sqlite:///elsewhere.db"}
    )
    bench.plan()
    assert "there is no ledger" in refused(bench.apply(), "SE650")
    assert not (bench.folder / "elsewhere.db").exists()


def test_where_a_plans_ledger_is_gone_none_is_put_into_its_place(bench: Bench) -> None:
    assert bench.send("first", UPDATE).code == 0
    bench.configure(ledger={"id": None})
    bench.changeset("second", UPDATE | {"update": {"c1": "b"}})
    bench.plan("second")
    for file in database(bench).parent.glob("ledger.*"):
        file.unlink()
    assert "there is no ledger" in refused(bench.apply(), "SE650")
    assert not database(bench).exists()
    assert len(bench.requests) == 1


def test_another_ledger_than_the_plans_is_refused(bench: Bench) -> None:
    bench.changeset("first", UPDATE)
    bench.plan()
    bench.configure(ledger={"url": "sqlite:///.syncengine/other.db"})
    assert "there is no ledger" in refused(bench.apply(), "SE650")
    assert bench.send("elsewhere", UPDATE | {"lead": "12"}).code == 0
    assert "was made against ledger" in refused(bench.apply(), "SE650")
    assert len(bench.requests) == 1


# The host and the account


def test_a_moved_host_is_refused_until_it_is_listed(bench: Bench) -> None:
    pinned = {"id": bench.status()["ledger"]["id"]}
    assert bench.send("first", UPDATE).code == 0
    bench.configure(base_url="https://acme.invalid", ledger=pinned)
    bench.changeset("second", UPDATE | {"lead": "12"})
    assert "first applied on loopback" in refused(planning(bench), "SE653")
    with sqlite3.connect(database(bench)) as connection:
        connection.execute("UPDATE accounts SET host = 'old.invalid'")
    connection.close()
    assert "old.invalid" in refused(planning(bench), "SE653")
    bench.configure(base_url="https://acme.invalid", ledger=pinned, hosts=["old.invalid"])
    assert planning(bench).code == 0


def test_a_known_host_under_a_new_name_is_refused_until_it_says_what_it_was(bench: Bench) -> None:
    bench.changeset("first", TRIGGER | {"trigger": ["1053"]})
    assert bench.apply(bench.plan()).code == 0
    with sqlite3.connect(database(bench)) as connection:
        connection.execute("UPDATE accounts SET host = 'acme.invalid'")
    connection.close()
    bench.changeset("first", TRIGGER | {"trigger": ["1053"]}, account="renamed")
    pinned = {"id": bench.status()["ledger"]["id"]}
    bench.configure(name="renamed", base_url="https://acme.invalid", ledger=pinned)
    assert "as account acme" in refused(planning(bench), "SE654")
    bench.configure(name="renamed", base_url="https://acme.invalid", ledger=pinned, was="acme")
    assert bench.states() == {"11": ["trigger already_applied"]}


def test_the_host_is_checked_again_when_applying(bench: Bench) -> None:
    bench.changeset("first", UPDATE)
    bench.plan()
    bench.configure(base_url="https://acme.invalid", ledger={"id": bench.status()["ledger"]["id"]})
    assert "was made for host loopback" in refused(bench.apply(), "SE651")


# Names of deliveries


def test_a_name_that_now_means_another_delivery_is_blocked(bench: Bench) -> None:
    bench.configure(deliveries={"buyer-a": "1053"})
    assert bench.send("first", TRIGGER).code == 0
    bench.configure(deliveries={"buyer-a": "1054"})
    assert bench.states() == {"11": ["trigger blocked"]}
    assert "meant 1053" in bench.reasons()[0]
    # The ways out: the old id counts as applied, or the new id gets another name.
    bench.changeset("first", TRIGGER | {"trigger": ["1053"]})
    assert bench.states() == {"11": ["trigger already_applied"]}
    bench.configure(deliveries={"buyer-a": "1053", "buyer-b": "1054"})
    bench.changeset("first", TRIGGER | {"trigger": ["buyer-a", "buyer-b"]})
    assert bench.states() == {"11": ["trigger already_applied", "trigger to_send"]}
    # A changeset that was never applied may use the name as it stands.
    bench.configure(deliveries={"buyer-a": "1054"})
    bench.changeset("second", TRIGGER | {"lead": "12"})
    assert bench.states("second") == {"12": ["trigger to_send"]}


# The key


@pytest.mark.parametrize("state", ["missing", "another"])
def test_a_changed_key_warns_in_the_plan_and_is_refused_by_apply(bench: Bench, state: str) -> None:
    assert bench.send("first", UPDATE).code == 0
    key = bench.folder / ".syncengine" / "ledger.key"
    kept = key.read_bytes()
    key.unlink()
    if state == "another":
        key.write_text("ab" * 32 + "\n")
        key.chmod(0o600)
    ended = planning(bench)
    assert ended.code == 0
    assert "the ledger's key is" in ended.json["warnings"][0]
    bench.plan()
    assert "key is" in refused(bench.apply(), "SE659")
    assert len(bench.requests) == 1
    key.write_bytes(kept)
    assert bench.states() == {"11": ["update already_applied"]}


# Files that are not a healthy ledger


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()


def _damaged(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def _newer(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    connection.close()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (_garbage, "not an SQLite database"),
        (_empty, "is empty"),
        (_foreign, "another program"),
        (_damaged, "damaged"),
        (_newer, "newer"),
    ],
)
def test_a_file_that_is_no_healthy_ledger_is_refused(bench: Bench, harm: Callable[[Path], None], words: str) -> None:
    bench.changeset("first", UPDATE)
    bench.plan()
    harm(database(bench))
    content = database(bench).read_bytes()
    for ended in (bench.apply(), planning(bench), bench.cli("status", "--format", "json")):
        assert ended.code in (1, 3), ended
        assert words in ended.json["error"]["message"]
        assert ended.json["error"]["hint"]
    assert bench.requests == []
    assert database(bench).read_bytes() == content


def _not_almighty() -> None:
    """Root writes everywhere, unless the right to is taken from the program that is about to start."""
    drop_from_bounding_set, override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, override, 0, 0, 0)


@pytest.mark.parametrize("what", ["the file", "the folder", "both"])
def test_a_ledger_that_cannot_be_written_is_refused_before_anything_is_sent(bench: Bench, what: str) -> None:
    bench.changeset("first", UPDATE)
    bench.plan("first")
    folder = database(bench).parent
    if what != "the file":
        folder.chmod(0o500)
    if what != "the folder":
        database(bench).chmod(0o400)
    try:
        ended = bench.process("apply", "release.plan", "--format", "json", preexec_fn=_not_almighty)
        status = bench.process("status", "--format", "json", preexec_fn=_not_almighty)
    finally:
        folder.chmod(0o700)
        database(bench).chmod(0o600)
    assert ended.code in (1, 3), ended
    assert "ledger" in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]
    assert bench.requests == []
    assert status.code == 0, status
    assert bench.apply().code == 0


# A disk that fills up


@pytest.mark.parametrize("room", [0, 6_000, 20_000, 60_000, 120_000, 250_000])
def test_a_disk_that_fills_up_in_mid_run(bench: Bench, room: int) -> None:
    bench.configure(limits=ONE_EACH | {"concurrency": 2})
    leads = range(1100, 1160)
    bench.changeset("first", *({"lead": str(lead), "update": {"c1": "a"}, "trigger": ["1053"]} for lead in leads))
    bench.plan()
    limit = max(file.stat().st_size for file in database(bench).parent.iterdir()) // 4096 * 4096 + room

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ended = bench.process("apply", "release.plan", "--format", "json", preexec_fn=small_disk)
    sent = len(bench.requests)
    if sent:
        assert ended.code in (0, 4, 5), ended
        counts = ended.json["counts"]
        assert sum(counts.values()) == 2 * len(leads)
        assert ended.json["exit"] == ended.code
        listed = [line["operation"] for line in ended.json["in_doubt"] + ended.json["unrecorded"]]
        assert sorted(listed) == sorted(doubt["operation"] for doubt in bench.status()["in_doubt"])
    else:
        assert ended.code in (1, 3, 4), ended
    recorded = bench.outcomes()
    done = bench.done()
    for name, count in done.items():
        assert count == 1
        assert recorded.get(name) in ("applied", "in_doubt"), name
    assert all(done[name] for name, outcome in recorded.items() if outcome == "applied")
    doubts = [doubt["operation"] for doubt in bench.status()["in_doubt"] if doubt["kind"] == "trigger"]
    if doubts:
        # What could not be recorded was done: the answers had come.
        assert ended.code == 5
        assert bench.resolve("applied", *doubts).code == 0
    last = bench.apply()
    assert last.code == 0, last.out
    assert {name: count for name, count in bench.done().items() if name.startswith("trigger")} == {
        f"trigger {lead} 1053": 1 for lead in leads
    }


def test_the_last_records_of_a_run_cannot_be_written(bench: Bench) -> None:
    """Whatever fails after the first intent, the exit is never 1 or 3."""
    bench.changeset("first", UPDATE)
    bench.plan()
    with sqlite3.connect(database(bench)) as connection:
        connection.execute(
            "CREATE TRIGGER no_end BEFORE UPDATE OF ended ON runs BEGIN SELECT raise(FAIL, 'no room'); END"
        )
    connection.close()
    ended = bench.apply()
    assert (ended.code, ended.json["counts"]["applied"]) == (0, 1)


def test_a_junit_file_that_cannot_be_written_does_not_hide_the_run(bench: Bench) -> None:
    bench.changeset("first", UPDATE)
    ended = bench.apply(bench.plan(), "--junit", str(bench.folder / "no" / "folder" / "junit.xml"))
    assert ended.code == 0, ended
    assert ended.json["counts"]["applied"] == 1


def test_a_plan_file_that_changes_in_mid_run_ends_the_run_and_not_the_account_of_it(bench: Bench) -> None:
    leads = range(1000, 7000)
    bench.configure(limits={"leads_per_request": 50})
    bench.changeset("first", *({"lead": str(lead), "update": {"c1": "a"}} for lead in leads))
    path = bench.plan()
    bench.faults({"match": {"nth": 1}, "fault": {"delay_after": 1.5}})
    process = bench.start("apply", path, "--format", "json", stdout=-1)
    while not bench.status()["in_doubt"]:
        assert process.poll() is None
    lines = path.read_bytes().splitlines(keepends=True)
    with path.open("r+b") as file:
        file.truncate(len(b"".join(lines[:5000])) - 40)
    out, _ = process.communicate(timeout=60)
    assert process.returncode in (4, 5), out
    counts = json.loads(out)["counts"]
    assert sum(counts.values()) == len(leads)
    assert counts["applied"] == bench.done().total() > 0


# Resuming


def test_settled_lines_stay_settled(bench: Bench) -> None:
    """What a plan applied is settled for that plan, whatever happened later."""
    bench.changeset("first", UPDATE, {"lead": "12", "trigger": ["1053"]})
    bench.faults({"match": {"nth": 1}, "fault": {"reject": {"message": "No", "leads": ["12"]}}})
    first = bench.apply(bench.plan("first", out="1.plan"))
    assert (first.code, first.json["counts"]["applied"], first.json["counts"]["rejected"]) == (4, 1, 1)
    assert bench.send("second", UPDATE | {"update": {"c1": "later"}}).code == 0
    again = bench.apply("1.plan")
    assert (again.code, again.json["counts"]["applied"], again.json["counts"]["already_applied"]) == (0, 1, 1)
    assert [effect.get("fields") for effect in bench.effects if effect["effect"] == "update"] == [
        {"c1": "a"}, {"c1": "later"},
    ]  # fmt: skip


def test_an_unfinished_plan_is_named_by_the_next_one(bench: Bench) -> None:
    bench.changeset("first", UPDATE, {"lead": "12", "update": {"c1": "b"}})
    bench.faults({"match": {"nth": 1}, "fault": {"reject": {"message": "No", "leads": ["12"]}}})
    digest = bench.apply(bench.plan()).json["plan"]
    assert [plan["plan"] for plan in bench.status()["unfinished_plans"]] == [digest]
    assert any(digest[:12] in warning for warning in planning(bench).json["warnings"])
    assert bench.apply().code == 0
    assert bench.status()["unfinished_plans"] == []


def test_a_plan_that_a_later_one_of_its_changesets_finished_stands_open_no_more(bench: Bench) -> None:
    bench.changeset("first", UPDATE, {"lead": "12", "update": {"c1": "b"}})
    bench.changeset("other", {"lead": "13", "update": {"c1": "b"}})
    bench.faults({"match": {"lead": "12"}, "fault": {"reject": {"message": "No", "leads": ["12"]}}})
    digest = bench.apply(bench.plan("first", out="1.plan")).json["plan"]
    assert bench.apply(bench.plan("other", out="2.plan")).code == 0
    assert [plan["plan"] for plan in bench.status()["unfinished_plans"]] == [digest]
    bench.faults()
    assert bench.apply(bench.plan("first", out="3.plan")).code == 0
    assert bench.status()["unfinished_plans"] == []
    assert bench.apply("1.plan").code == 3


def test_resolved_as_applied_counts_for_the_same_plan_and_not_applied_is_sent(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *({"lead": str(lead), "trigger": ["1053"]} for lead in (11, 12)))
    bench.faults(
        {"match": {"lead": "11"}, "fault": {"effect": "all", "answer": "reset"}},
        {"match": {"lead": "12"}, "fault": {"effect": "none", "answer": "reset"}},
    )
    ended = bench.apply(bench.plan())
    assert (ended.code, ended.json["counts"]["in_doubt"]) == (5, 2)
    again = bench.apply()
    assert (again.code, again.json["run"], len(bench.requests)) == (5, None, 2)
    done, not_done = (doubt["operation"] for doubt in bench.status()["in_doubt"])
    assert bench.resolve("applied", done).code == 0
    young = bench.resolve("not-applied", not_done)
    assert "may still work on it" in young.err
    bench.faults()
    last = bench.apply()
    assert (last.code, last.json["counts"]["applied"], last.json["counts"]["already_applied"]) == (0, 1, 1)
    assert bench.done() == {"trigger 11 1053": 1, "trigger 12 1053": 1}
    notes = [row["note"] for row in bench.history()]
    assert [("resolved as applied by ann" in note, "not applied by ann" in note) for note in notes] == [
        (True, False), (False, True),
    ]  # fmt: skip


def test_all_doubts_of_a_run_are_resolved_at_once(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *({"lead": str(lead), "trigger": ["1053"]} for lead in (11, 12)))
    bench.faults({"fault": {"effect": "all", "answer": "reset"}})
    run = bench.apply(bench.plan()).json["run"]
    resolved = bench.resolve("applied", "--run", run)
    assert resolved.code == 0
    assert resolved.err.count("was sent less than a minute ago") == 2
    assert bench.status()["in_doubt"] == []
    assert bench.apply().code == 0
    settled = bench.history()[0]["operation"]
    assert bench.resolve("applied", settled).code == 1


def test_the_projects_ledger_is_the_configured_one(bench: Bench) -> None:
    with Project.open(bench.folder / "syncengine.yaml").view() as ledger:
        assert ledger is not None
        assert ledger.identity().id == bench.status()["ledger"]["id"]
