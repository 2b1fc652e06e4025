"""Lines of plans for tests of single rules, and the findings that come of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from syncengine.core.changes import ChangeFacts, Origin
from syncengine.core.finding import Finding
from syncengine.core.operations import Financials, Operation, Reprocess, Trigger, Update, kind_of, names_of
from syncengine.core.plan import Before, PlannedOperation, State
from syncengine.core.values import BuyerId, Cents, ChangesetId, DeliveryId, LeadId, OperationId
from syncengine.findings import FindingsFold
from syncengine.findings.rule import Rule


def line(operation: Operation, **more: Any) -> PlannedOperation:
    """One line that is to be sent; `before` maps names to known values."""
    before = {name: Before("observed", value) for name, value in more.pop("before", {}).items()}
    number = int(operation.lead)
    given = {
        "id": OperationId(f"{kind_of(operation).value}-{number}"),
        "changeset": ChangesetId(more.pop("changeset", "repair")),
        "change": "#1",
        "entry": number,
        "origin": Origin("changesets/repair.yaml", 7, number, number + 1),
        "state": State.TO_SEND,
        "send": names_of(operation),
        "before": before,
    }
    return PlannedOperation(operation=operation, **(given | more))


def update(lead: int, fields: dict[str, str], **more: Any) -> PlannedOperation:
    return line(Update(LeadId(str(lead)), fields), **more)


def money(
    lead: int, payout: int | None = None, revenue: int | None = None, buyer: str | None = None, **more: Any
) -> PlannedOperation:
    """Amounts are in hundredths."""
    operation = Financials(
        LeadId(str(lead)),
        payout=None if payout is None else Cents(payout),
        revenue=None if revenue is None else Cents(revenue),
        buyer=None if buyer is None else BuyerId(buyer),
    )
    return line(operation, **more)


def trigger(lead: int, delivery: str, generation: int = 1, **more: Any) -> PlannedOperation:
    return line(Trigger(LeadId(str(lead)), DeliveryId(delivery), generation), **more)


def reprocess(lead: int, **more: Any) -> PlannedOperation:
    return line(Reprocess(LeadId(str(lead))), **more)


def column(values: Iterable[str], field: str = "c1", **more: Any) -> list[PlannedOperation]:
    """One update for each value, of leads 1001 and on."""
    return [update(1001 + index, {field: value}, **more) for index, value in enumerate(values)]


def found(lines: Iterable[PlannedOperation], *, rules: Sequence[Rule] = (), typed: Sequence[str] = ()) -> list[Finding]:
    """Every finding, in no order; values come from a file but for those of the fields `typed`."""
    fold = FindingsFold(more=rules)
    changes: dict[tuple[str, str], ChangeFacts] = {}
    for planned in lines:
        fold.see(planned)
        changes[planned.changeset, planned.change] = ChangeFacts(
            changeset=planned.changeset, change=planned.change, source="rows", file="data/rows.csv", typed=tuple(typed)
        )
    return [finding for findings in fold.finish(changes).values() for finding in findings]


def told(lines: Iterable[PlannedOperation], rule: str, **more: Any) -> list[tuple[str, int]]:
    """Severity and count of a rule's findings."""
    return [(finding.severity, finding.count) for finding in found(lines, **more) if finding.rule == rule]
