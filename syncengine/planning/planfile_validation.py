"""Checks that planning could have produced a plan's lines.

The checksums of a plan show that it was not altered, not who made it: a file with correct checksums can hold anything.
Readers of plans therefore validate again what the service is sent, and what ledgers and views depend on.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from syncengine.core.operations import Financials, Operation, Update, generation_of, spec_of, target_of, values_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import are_service_ids, is_lead_id, is_service_id

_ID_LENGTH = 40
_HEXADECIMAL = re.compile(r"[0-9a-f]+", re.ASCII)
_OPERATION_ID = re.compile(rf"[0-9a-f]{{{_ID_LENGTH}}}", re.ASCII)
_MOST_GENERATIONS = 1_000_000
_MOST_CENTS = 10**17
_MOST_FACTS = 1 << 60


def odd_among(lines: Sequence[PlannedOperation], changesets: Collection[str]) -> str:
    """The defect of the first invalid line among these; empty where there is none."""
    if _are_plain(lines, changesets):
        return ""
    return next(filter(None, (oddity(planned, changesets) for planned in lines)), "")


def _are_plain(lines: Sequence[PlannedOperation], changesets: Collection[str]) -> bool:
    """Whether all of these lines are certainly valid. Checking them together takes a third of the time of single
    checks."""
    ids = [planned.id for planned in lines]
    operations = [planned.operation for planned in lines]
    return (
        {len(identity) for identity in ids} == {_ID_LENGTH}
        and _HEXADECIMAL.fullmatch("".join(ids)) is not None
        and are_service_ids([operation.lead for operation in operations])
        and {planned.changeset for planned in lines}.issubset(changesets)
        and min(planned.entry for planned in lines) >= 1
        and {planned.facts for planned in lines} == {0}
        and all(
            type(o) is Update and o.fields and p.send == tuple(o.fields) for o, p in zip(operations, lines, strict=True)
        )
    )


def oddity(planned: PlannedOperation, changesets: Collection[str]) -> str:
    """The defect of one line of a plan of these changesets; empty where there is none."""
    if _OPERATION_ID.fullmatch(planned.id) is None:
        return "an operation's id has another form"
    if not is_lead_id(planned.operation.lead):
        return "an operation's lead is no id"
    if planned.changeset not in changesets:
        # An author cannot approve the own changeset, so the plan's list of authors must be complete.
        return "an operation's changeset is not among the plan's"
    if planned.entry < 0 or not 0 <= planned.facts < _MOST_FACTS:
        return "an operation's numbers are out of range"
    return _odd_operation(planned.operation, planned.send)


def _odd_operation(operation: Operation, send: tuple[str, ...]) -> str:
    match operation:
        case Update(fields=fields):
            if not fields or not fields.keys() >= set(send):
                return "an update sends fields that it does not hold"
        case Financials(payout=payout, revenue=revenue):
            amounts = [amount for amount in (payout, revenue) if amount is not None]
            if not amounts or any(abs(amount) >= _MOST_CENTS for amount in amounts):
                return "an amount is missing or out of range"
        case _:
            return _odd_once(operation)
    return ""


def _odd_once(operation: Operation) -> str:
    spec = spec_of(operation)
    if spec.target == "delivery" and not is_service_id(target_of(operation)):
        return "a trigger's delivery is no id"
    if not all(values_of(operation).values()) or (spec.target and not target_of(operation)):
        return f"a {spec.noun} says not all that it must"
    if not 1 <= generation_of(operation) < _MOST_GENERATIONS:
        return "an operation's generation is out of range"
    return ""
