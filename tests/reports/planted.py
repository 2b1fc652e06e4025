"""A plan of a few hundred leads with one mistake of many kinds each, as a reviewer would have to find them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from syncengine.core.changes import ChangeFacts, NameUse, Origin
from syncengine.core.finding import in_order
from syncengine.core.operations import Financials, Operation, Return, Trigger, Update
from syncengine.core.plan import Before, PlannedOperation, PlanSummary
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId
from syncengine.findings.fold import FindingsFold, facts_by_change
from tests.reports.samples import lead, planned, summary_of

_NAMES = (
    NameUse("delivery", "northwind", "1053"),
    NameUse("delivery", "contoso", "1503"),
    NameUse("buyer", "fabrikam", "33"),
)
NAMES = {(use.kind, str(use.target)): use.name for use in _NAMES}
_FIRST = ("Joe", "Amélie", "Siobhán", "Li", "Muhammad", "Oluwaseun", "Zoë", "Ann")
_TOWNS = ("Ashford", "Dover", "Luton", "Crewe", "Leeds", "York", "Bath", "Ely")
_FACTS = tuple(
    ChangeFacts(
        changeset=ChangesetId(changeset), change=change, source=file, file=f"data/{file}.csv", rows=rows, taken=rows
    )
    for changeset, change, file, rows in (
        ("uplift-2026-11", "switched", "calls", 160),
        ("uplift-2026-11", "restated", "restated", 60),
        ("repair-2026-11", "contacts", "contacts", 200),
        ("resale-2026-11", "to-northwind", "unsold", 80),
    )
)


def planted() -> Iterator[PlannedOperation]:
    """500 operations."""
    yield from map(_uplift, range(160))
    yield from map(_restated, range(60))
    yield from map(_contacts, range(200))
    yield from map(_resale, range(80))


def planted_summary() -> PlanSummary:
    """Its end, with what the rules find."""
    fold = FindingsFold()
    for line in planted():
        fold.see(line)
    found = fold.finish(facts_by_change(_FACTS))
    plain = summary_of(planted())
    return msgspec.structs.replace(
        plain, changes=_FACTS, findings=in_order(each for some in found.values() for each in some)
    )


def _line(
    n: int,
    change: tuple[str, str],
    operation: Operation,
    before: dict[str, Before] | None = None,
    done: tuple[str, ...] = (),
) -> PlannedOperation:
    made = planned(
        operation, changeset=change[0], change=change[1], entry=n + 1, before=before, names=_NAMES, done=done
    )
    return msgspec.structs.replace(made, origin=Origin(f"specs/{change[0]}.yaml", 9, n + 1, n + 2))


def _observed(value: str) -> Before:
    return Before("observed", value, "2026-11-20T08:00:00Z")


def _uplift(n: int) -> PlannedOperation:
    old, new = 6000 + n % 7 * 100, 6600 + n % 7 * 110
    payout, revenue, buyer = new, 11000 + n % 9 * 100, "33"
    if n in (41, 97):
        payout = new * 10
    if n == 77:
        payout, revenue = revenue, payout
    if n == 120:
        buyer = "38"
    before = {
        "payout": _observed(f"{old / 100:.2f}"),
        "revenue": _observed(f"{(10500 + n % 9 * 100) / 100:.2f}"),
        "buyer": _observed("33"),
    }
    return _line(
        n, ("uplift-2026-11", "switched"), Financials(lead(n), Cents(payout), Cents(revenue), BuyerId(buyer)), before
    )


def _restated(n: int) -> PlannedOperation:
    before = {"payout": _observed(f"{5000 + n * 10:.0f}"[:2] + ".50"), "revenue": _observed("90.00")}
    return _line(n, ("uplift-2026-11", "restated"), Financials(lead(200 + n), Cents(505000 + n), None), before)


def _contacts(n: int) -> PlannedOperation:
    fields = {"firstname": f"{_FIRST[n % 8]}", "phone1": f"+4479{n:08d}", "town": _TOWNS[n * 3 % 8]}
    before = {
        "firstname": _observed(f"{_FIRST[n % 8]} {n}"),
        "phone1": _observed(f"0{79 * 10**8 + n}"),
        "town": _observed("Kent"),
    }
    match n:
        case 12:
            fields["phone1"] = "4.48E+11"
        case 13:
            fields["firstname"] = "AmÃ©lie"
        case 14:
            fields["firstname"] = "\N{ZERO WIDTH SPACE}Ann"
        case 15:
            fields["town"] = "#N/A"
        case 16:
            fields["firstname"] = "asdf"
        case _ if 30 <= n < 42:
            fields["town"] = "N/A"
        case _ if 50 <= n < 53:
            fields["phone1"] = f"0044{79 * 10**8 + n}"
    return _line(n, ("repair-2026-11", "contacts"), Update(lead(300 + n), fields), before)


def _resale(n: int) -> PlannedOperation:
    if n >= 78:
        return _line(n, ("resale-2026-11", "to-northwind"), Return(lead(n), BuyerId("33"), "duplicate"))
    target = "1503" if n == 50 else "1053"
    return _line(
        n,
        ("resale-2026-11", "to-northwind"),
        Trigger(lead(520 + n), DeliveryId(target)),
        done=("run-17",) if n in (3, 4) else (),
    )
