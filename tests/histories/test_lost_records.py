"""A ledger that lost records: a `-wal` file that is gone, a backup put in its place, a ledger that is gone."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.crash.bench import Bench
from tests.histories.test_ledgers import database, planning, refused

ONE_EACH = {"leads_per_request": 1, "irreversible_per_request": 1}
ACCEPT = ("ledger", "accept-position", "--by", "ann", "--note", "restored")


def triggers(*leads: int) -> list[dict[str, Any]]:
    return [{"lead": str(lead), "trigger": ["1053"]} for lead in leads]


@pytest.fixture
def pinned(bench: Bench) -> str:
    """The id of the bench's ledger, which is pinned."""
    ledger: str = bench.status()["ledger"]["id"]
    bench.configure(ledger={"id": ledger}, limits=ONE_EACH)
    return ledger


def replace(bench: Bench, saved: Path) -> None:
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        database(bench).with_name(name).unlink(missing_ok=True)
    shutil.copy(saved, database(bench))


def restored(bench: Bench) -> Path:
    """A ledger put back to where it was before lead 12 was sent; the plan of lead 13 was made before."""
    bench.send("first", *triggers(11))
    saved = bench.folder / "backup.db"
    saved.unlink(missing_ok=True)
    ended = bench.cli("ledger", "backup", saved)
    assert ended.code == 0, ended
    bench.send("second", *triggers(12))
    bench.changeset("third", *triggers(13))
    plan = bench.plan("third")
    replace(bench, saved)
    return plan


def test_a_lost_wal_is_noticed(bench: Bench, pinned: str) -> None:
    bench.changeset("first", *triggers(*range(11, 31)))
    bench.plan()
    bench.faults({"fault": {"delay_after": 0.02}})
    running = bench.start("apply", "release.plan")
    while len(bench.sandbox.requests_log.read_text().splitlines()) < 5:
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = bench.done()
    for end in ("-wal", "-shm"):
        database(bench).with_name(f"ledger.db{end}").unlink()
    assert "it lost records" in refused(planning(bench), "SE664")
    assert "accept-position" in bench.apply().json["error"]["hint"]
    refused(bench.apply(), "SE664")
    assert bench.done() == before


def test_a_backup_put_in_its_place_is_refused_until_that_is_accepted(bench: Bench, pinned: str) -> None:
    plan = restored(bench)
    refused(planning(bench), "SE664")
    refused(bench.apply(plan.name), "SE664")
    ended = bench.cli(*ACCEPT)
    assert ended.code == 0, ended
    assert f'id: "{pinned}@' in ended.out
    assert "resolve --baseline" in ended.out
    assert "neither the plan nor its approvals" in refused(bench.apply(plan.name), "SE665")
    assert bench.states() == {
        "11": ["trigger already_applied"],
        "12": ["trigger to_send"],
        "13": ["trigger to_send"],
    }
    assert bench.apply(bench.plan("third").name).code == 0
    assert bench.cli("ledger", "check").code == 0


def test_accepting_twice_or_where_nothing_is_behind_changes_nothing(bench: Bench, pinned: str) -> None:
    bench.send("first", *triggers(11))
    before = bench.cli("ledger", "check", "--format", "json").json["head"]
    ended = bench.cli(*ACCEPT)
    assert (ended.code, "nothing was changed" in ended.out) == (0, True)
    assert bench.cli("ledger", "check", "--format", "json").json["head"] == before
    restored(bench)
    assert "goes on" in bench.cli(*ACCEPT).out
    assert "nothing was changed" in bench.cli(*ACCEPT).out


def test_the_pin_is_never_overridden(bench: Bench, pinned: str) -> None:
    restored(bench)
    bench.configure(ledger={"id": f"{pinned}@1000"})
    ended = bench.cli(*ACCEPT)
    assert (ended.code, "1000 is pinned" in ended.out) == (0, True)
    assert "behind the pinned" in refused(planning(bench), "SE650")
    assert "nothing was changed" in bench.cli(*ACCEPT).out
    line = ended.out.partition('id: "')[2].partition('"')[0]
    bench.configure(ledger={"id": line})
    assert planning(bench).code == 0


def test_a_ledger_that_is_gone_is_refused(bench: Bench, pinned: str) -> None:
    bench.send("first", *triggers(11))
    database(bench).unlink()
    assert "is gone" in refused(planning(bench), "SE664")


def test_an_unpinned_sandbox_is_told(bench: Bench) -> None:
    restored(bench)
    ended = planning(bench)
    assert ended.code == 0
    assert "it lost records" in ended.out + ended.err
    database(bench).unlink()
    ended = planning(bench)
    assert (ended.code, "is gone" in ended.out + ended.err) == (0, True)


def test_a_restored_server_counts_as_one_that_lost_records(server_bench: Bench) -> None:
    server_bench.send("first", *triggers(11))
    server_bench.changeset("second", *triggers(12))
    plan = server_bench.plan("second")
    assert "goes on" in server_bench.cli(*ACCEPT).out
    assert "nothing was changed" in server_bench.cli(*ACCEPT).out
    refused(server_bench.apply(plan.name), "SE665")
    ended = server_bench.cli("ledger", "backup", server_bench.folder / "copy.db")
    assert (ended.code, "pg_dump" in ended.err) == (1, True)


def test_a_copy_is_whole_while_a_run_goes_on(bench: Bench) -> None:
    bench.configure(limits=ONE_EACH)
    bench.changeset("first", *triggers(*range(11, 61)))
    bench.plan()
    running = bench.start("apply", "release.plan")
    copies: list[Path] = []
    while running.poll() is None or not copies:
        copies.append(bench.folder / f"copy-{len(copies)}.db")
        ended = bench.cli("ledger", "backup", copies[-1])
        assert ended.code == 0, ended
    assert running.returncode == 0
    assert copies[0].stat().st_mode & 0o777 == 0o600
    assert bench.cli("ledger", "backup", copies[0]).code == 1
    for copy in copies[:: max(1, len(copies) // 20)]:
        replace(bench, copy)
        assert bench.cli("ledger", "check").code == 0
    assert list(bench.folder.glob(".copy*")) == []
