"""One run that several processes carry out, each under the lease of a lane of its own."""

from __future__ import annotations

import pytest

from syncengine.core.errors import LeaseHeld, LeaseLost, LedgerTrouble
from syncengine.core.history import Standing
from syncengine.core.ports import OutgoingRequest
from syncengine.core.results import Totals
from syncengine.core.values import RunId
from syncengine.ledger import Ledger
from tests.ledger.building import (
    ACCOUNT,
    APPLIED,
    Home,
    allow,
    answered,
    entry,
    history_of,
    intend,
    send,
    start,
    trigger,
    update,
)


def shared(ledger: Ledger, total: int = 4) -> RunId:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        return ledger.begin_shared(lease, start(total=total))


def test_lanes_write_into_one_run_side_by_side(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    run = shared(ledger)
    with ledger.lease(ACCOUNT, wait=0, lane="0") as one, other.lease(ACCOUNT, wait=0, lane="1") as two:
        assert one.epoch != two.epoch
        assert ledger.held_lanes(ACCOUNT) == {"0": one.epoch, "1": two.epoch}
        ledger.join(one, run)
        other.join(two, run)
        send(ledger, one, run, entry(update(1)), APPLIED)
        send(other, two, run, entry(trigger(2)), APPLIED)
        request = intend(other, two, run, entry(trigger(3)))
        assert [doubt.in_flight for doubt in ledger.doubts()] == [True]
        other.commit(two, run, [], [answered(request, APPLIED)], allow)
    assert ledger.totals(run=run) == Totals(applied=3)
    assert ledger.requests_sent(run) == 3
    ledger.end(run, exit_code=0, stopped="")
    assert list(ledger.check()) == []
    assert [(record.exit, record.live, record.shared) for record in ledger.runs()] == [(0, False, True)]


def test_the_account_is_taken_until_the_run_has_ended(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    run = shared(ledger)
    assert [record.live for record in ledger.runs()] == [True]
    with pytest.raises(LeaseHeld, match=run), other.lease(ACCOUNT, wait=0.2):
        pytest.fail("an apply beside open shards")
    ledger.end(run, exit_code=4, stopped="cancelled")
    with other.lease(ACCOUNT, wait=0) as lease, pytest.raises(LedgerTrouble, match="has ended"):
        other.join(lease, run)


def test_what_a_lanes_last_holder_left_open_is_in_doubt_for_the_next(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    run = shared(ledger)
    with ledger.lease(ACCOUNT, wait=0, lane="0") as dead, other.lease(ACCOUNT, wait=0, lane="1") as alive:
        ledger.join(dead, run)
        other.join(alive, run)
        lost = intend(ledger, dead, run, entry(trigger(1)))
        intend(other, alive, run, entry(trigger(2)))
    with other.lease(ACCOUNT, wait=0, lane="0") as lease:
        other.join(lease, run)
        assert {doubt.lead: doubt.in_flight for doubt in other.doubts()} == {"1": False, "2": False}
        with pytest.raises(LeaseLost):
            ledger.commit(dead, run, [OutgoingRequest((entry(trigger(3)),))], [answered(lost, APPLIED)], allow)
    assert history_of(ledger, 3).attempts == ()
    assert [attempt.standing for attempt in history_of(ledger, 1).attempts] == [Standing.APPLIED]
    assert list(ledger.check()) == []


@pytest.mark.parametrize("between", ["nobody", "a worker that dies before it begins", "an operator"])
def test_what_was_left_open_is_listed_whoever_had_the_lane_in_between(server_home: Home, between: str) -> None:
    ledger, other = server_home.create(), server_home.open()
    run = shared(ledger)
    with ledger.lease(ACCOUNT, wait=0, lane="0") as dead:
        ledger.join(dead, run)
        intend(ledger, dead, run, entry(update(1)))
        if between == "an operator":
            assert other.release(ACCOUNT, by="ann", note="the machine is gone")
    if between == "a worker that dies before it begins":
        with other.lease(ACCOUNT, wait=0, lane="0"):
            pass
    with other.lease(ACCOUNT, wait=0, lane="0") as lease:
        other.join(lease, run)
        assert list(other.check()) == []
        send(other, lease, run, entry(update(1)), APPLIED)
    ledger.end(run, exit_code=0, stopped="")
    assert list(ledger.doubts()) == []
    # The next run of the account takes over whatever was left open: nothing may be, for the update was applied.
    with ledger.lease(ACCOUNT, wait=0) as lease:
        ledger.begin(lease, start("p2", 1))
    assert list(ledger.check()) == []
    assert list(ledger.doubts()) == []


def test_a_released_account_fences_off_every_lane(server_home: Home) -> None:
    ledger, other = server_home.create(), server_home.open()
    run = shared(ledger)
    with ledger.lease(ACCOUNT, wait=0, lane="0") as one, ledger.lease(ACCOUNT, wait=0, lane="1") as two:
        ledger.join(one, run)
        assert other.release(ACCOUNT, by="ann", note="both machines are gone")
        for lease in (one, two):
            with pytest.raises(LeaseLost):
                lease.renew()
    with other.lease(ACCOUNT, wait=0, lane="1") as later:
        assert later.epoch > max(one.epoch, two.epoch)
