"""A PostgreSQL ledger whose connection breaks: nothing is lost, nothing is recorded twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from syncengine.core.errors import ConfigError, LedgerTrouble
from syncengine.core.ports import OutgoingRequest
from tests.ledger.building import (
    ACCOUNT,
    APPLIED,
    Home,
    allow,
    answered,
    entry,
    history_of,
    intend,
    run_once,
    settle,
    start,
    trigger,
    update,
)
from tests.ledger.cutting_proxy import Cut, CuttingProxy
from tests.postgres_server import running_server


@pytest.fixture
def proxy(server_home: Home) -> Iterator[CuttingProxy]:
    server_home.create().close()
    proxy = CuttingProxy(server_home.pin.url)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_cut_off_is_recorded_exactly_once(server_home: Home, proxy: CuttingProxy, cut: Cut) -> None:
    behind = Home(server_home.root, proxy.url)
    ledger = behind.open()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        proxy.cut = cut
        run = ledger.begin(lease, start())
        proxy.cut = cut
        request = intend(ledger, lease, run, entry(trigger(1)))
        proxy.cut = cut
        following = ledger.commit(
            lease, run, [OutgoingRequest((entry(trigger(2)),))], [answered(request, APPLIED)], allow
        )
        assert following.requests[0] is not None
        proxy.cut = cut
        settle(ledger, lease, run, answered(following.requests[0], APPLIED))
        proxy.cut = cut
        ledger.end(run, exit_code=0, stopped="")
    assert proxy.cuts == 5
    assert len(ledger.runs()) == 1
    for lead in (1, 2):
        assert len(history_of(ledger, lead).attempts) == 1
    assert ledger.totals().applied == 2
    assert list(ledger.check()) == []
    behind.close()


ENDING_THE_OLD_SESSION = b"pg_terminate_backend(pid) FROM pg_stat_activity"
READING_THE_NEW_SESSION = b"FROM pg_stat_activity WHERE pid = pg_backend_pid()"
SETTING_UP = b"SET search_path"


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_is_recorded_once_although_the_connections_after_it_break_too(
    server_home: Home, proxy: CuttingProxy, cut: Cut
) -> None:
    behind = Home(server_home.root, proxy.url)
    ledger = behind.open()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        proxy.then = [SETTING_UP, ENDING_THE_OLD_SESSION, READING_THE_NEW_SESSION]
        proxy.cut = cut
        request = intend(ledger, lease, run, entry(trigger(1)))
        assert proxy.cuts == 4
        proxy.then = [ENDING_THE_OLD_SESSION, READING_THE_NEW_SESSION]
        proxy.cut = cut
        settle(ledger, lease, run, answered(request, APPLIED))
        assert proxy.cuts == 7
        ledger.end(run, exit_code=0, stopped="")
    assert len(history_of(ledger, 1).attempts) == 1
    assert ledger.totals().applied == 1
    assert list(ledger.check()) == []
    behind.close()


@pytest.mark.parametrize("text", [SETTING_UP, READING_THE_NEW_SESSION])
def test_a_connection_that_breaks_while_the_ledger_is_opened_is_reported_as_trouble(
    server_home: Home, proxy: CuttingProxy, text: bytes
) -> None:
    proxy.then = [text]
    with pytest.raises(LedgerTrouble, match=r"the ledger.* at postgresql://"):
        Home(server_home.root, proxy.url).open()
    assert proxy.cuts == 1


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lease_is_renewed_and_given_back_over_a_cut_connection(
    server_home: Home, proxy: CuttingProxy, cut: Cut
) -> None:
    behind = Home(server_home.root, proxy.url)
    ledger = behind.open()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        proxy.cut = cut
        lease.renew()
        assert ledger.held_lanes(ACCOUNT) == {"": lease.epoch}
        proxy.cut = cut
    assert proxy.cuts == 2
    with ledger.lease(ACCOUNT, wait=0) as following:
        assert following.epoch == lease.epoch + 1
    behind.close()


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lease_taken_over_a_cut_connection_is_taken_once(server_home: Home, proxy: CuttingProxy, cut: Cut) -> None:
    behind = Home(server_home.root, proxy.url)
    ledger = behind.open()
    proxy.cut = cut
    with ledger.lease(ACCOUNT, wait=0) as lease:
        assert lease.epoch == 1
    assert proxy.cuts == 1
    behind.close()


def test_a_killed_connection_is_opened_again(server_home: Home) -> None:
    ledger = server_home.create()
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start())
        request = intend(ledger, lease, run, entry(trigger(1)))
        with psycopg.connect(server_home.pin.url, autocommit=True) as killer:
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        settle(ledger, lease, run, answered(request, APPLIED))
        ledger.end(run, exit_code=0, stopped="")
    assert ledger.totals().applied == 1
    assert list(ledger.check()) == []


def test_a_restarted_server_is_waited_for(tmp_path: Path) -> None:
    with running_server() as server:
        home = Home(tmp_path, server.new_database())
        ledger = home.create()
        try:
            with ledger.lease(ACCOUNT, wait=0) as lease:
                run = ledger.begin(lease, start())
                request = intend(ledger, lease, run, entry(trigger(1)))
                server.stop()
                restart = threading.Thread(target=server.start)
                restart.start()
                settle(ledger, lease, run, answered(request, APPLIED))
                restart.join()
                ledger.end(run, exit_code=0, stopped="")
            assert ledger.totals().applied == 1
            assert list(ledger.check()) == []
        finally:
            home.close()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    home = Home(tmp_path, "postgresql://ann:secret@127.0.0.1:9/ledger?password=secret")
    for opening in (home.open, home.view, home.create):
        with pytest.raises(LedgerTrouble, match="cannot be reached") as caught:
            opening()
        assert "secret" not in str(caught.value)
        assert "postgresql://ann@127.0.0.1:9/ledger" in str(caught.value)


def test_other_addresses_are_refused(tmp_path: Path) -> None:
    for url in ("mysql://host/db", "sqlite:///", "ledger.db"):
        with pytest.raises(ConfigError, match="neither"):
            Home(tmp_path, url).open()


def test_two_accounts_write_side_by_side(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with other.lease("elsewhere", wait=0) as lease:
                begun = start()
                run = other.begin(lease, type(begun)(**{**_fields(begun), "account": "elsewhere"}))
                for lead in range(1, 40):
                    settle(other, lease, run, answered(intend(other, lease, run, entry(update(lead))), APPLIED))
        except BaseException as error:  # noqa: BLE001  # carried to the test's own thread
            failures.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    for lead in range(1, 40):
        run_once(ledger, entry(update(lead)), APPLIED)
    thread.join()
    assert failures == []
    assert ledger.totals(ACCOUNT).applied == ledger.totals("elsewhere").applied == 39
    assert list(ledger.check()) == []


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__struct_fields__}  # type: ignore[attr-defined]
