"""What budgets read from the ledger, on each database."""

from __future__ import annotations

import pytest

from syncengine.core.ports import Spent
from syncengine.ledger import Ledger
from tests.ledger.building import (
    ACCOUNT,
    APPLIED,
    NOT_SENT,
    REJECTED,
    UNKNOWN,
    Home,
    entry,
    financials,
    reprocess,
    run_once,
    send,
    start,
    trigger,
    update,
)
from tests.ledger.conftest import home, ledger
from tests.postgres_server import postgres_server

__all__ = ["home", "ledger", "postgres_server"]

BEGIN = "2026-11-23T09:00:00.000000Z"


def test_an_empty_ledger_spent_nothing(ledger: Ledger) -> None:
    assert ledger.spent(ACCOUNT, BEGIN) == Spent()


def test_intents_count_whatever_became_of_them(ledger: Ledger) -> None:
    run_once(ledger, entry(update(1), trigger(1)), APPLIED)
    run_once(ledger, entry(reprocess(2)), REJECTED, plan="p2")
    run_once(ledger, entry(trigger(3)), UNKNOWN, plan="p3")
    run_once(ledger, entry(financials(4, 8000)), UNKNOWN, plan="p4")
    run_once(ledger, entry(trigger(5)), plan="p5")  # it died before its answer came
    assert ledger.spent(ACCOUNT, BEGIN) == Spent(irreversible=4, leads=5, payout=8000)
    assert ledger.spent("other", BEGIN) == Spent()


def test_what_never_left_and_what_others_did_do_not_count(ledger: Ledger) -> None:
    run_once(ledger, entry(trigger(1)), NOT_SENT)
    run_once(ledger, entry(update(2), trigger(2)), APPLIED, NOT_SENT, plan="p2")
    with ledger.lease(ACCOUNT, wait=0) as lease:
        ledger.baseline(lease, start("p3"), [entry(trigger(3)), entry(financials(4))], by="ann", note="by hand")
    assert ledger.spent(ACCOUNT, BEGIN) == Spent(leads=1)


def test_in_one_run_an_operation_counts_once(ledger: Ledger) -> None:
    with ledger.lease(ACCOUNT, wait=0) as lease:
        run = ledger.begin(lease, start(total=2))
        for ruling in (UNKNOWN, UNKNOWN, APPLIED):
            send(ledger, lease, run, entry(financials(1, 500)), ruling)
        send(ledger, lease, run, entry(financials(2, -200)), APPLIED)
        ledger.end(run, exit_code=0, stopped="")
    assert ledger.spent(ACCOUNT, BEGIN) == Spent(leads=2, payout=300)
    run_once(ledger, entry(financials(1, 500)), APPLIED)
    assert ledger.spent(ACCOUNT, BEGIN) == Spent(leads=3, payout=800)


@pytest.mark.parametrize("ended", [True, False])
def test_only_what_came_since_counts(home: Home, ledger: Ledger, ended: bool) -> None:
    rulings = (APPLIED,) if ended else ()
    run_once(ledger, entry(trigger(1)), *rulings)
    middle = home.clock.now()
    run_once(ledger, entry(trigger(2)), *rulings, plan="p2")
    assert ledger.spent(ACCOUNT, middle).irreversible == 1
    assert ledger.spent(ACCOUNT, home.clock.now()) == Spent()
    assert ledger.spent(ACCOUNT, BEGIN).irreversible == 2
