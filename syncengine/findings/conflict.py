"""What another changeset that is not sent yet means to do to the same leads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec

from syncengine.core.history import touch_of
from syncengine.core.operations import SPECS, Financials, Kind, Operation, Update, kind_of, target_of, values_of
from syncengine.core.plan import PlannedOperation
from syncengine.core.values import LeadId
from syncengine.findings.operations import Chunk
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change

_GROUPS = 2_000
"""Different conflicts of a plan that are distinguished."""


class UnsentClaim(msgspec.Struct, frozen=True):
    """Something that a changeset still has to send: a value for a field or amount, or the thing `name` that an
    irreversible kind does. `value` is None for those."""

    changeset: str
    kind: Kind
    name: str
    value: str | None = None


class UnsentClaims(Protocol):
    """What changesets still have to send, by lead."""

    def of(self, lead: LeadId, *, besides: str) -> Iterator[UnsentClaim]:
        """Everything about a lead that is not of the changeset `besides`."""
        ...


class Conflict(Rule):
    """Compares every operation with what the other changesets still have to send to its lead."""

    about = Description(
        name="conflict",
        severity="high",
        threshold="another unsent changeset among the PATHs (those that `--since` or `--changeset` leaves out too) "
        "declares the same delivery, reprocess, return or decision on a quarantined lead, or another value for the "
        "same field or amount",
        example="two changesets trigger delivery 1053 for lead 2932683",
    )

    def __init__(self, others: UnsentClaims) -> None:
        self._others = others
        self._groups: dict[tuple[ChangeKey, str, str], Sample] = {}

    def look(self, chunk: Chunk) -> None:
        for planned in chunk.operations:
            lead = planned.operation.lead
            for claim in self._others.of(lead, besides=planned.changeset):
                self._compare(planned, claim, chunk.change)

    def _compare(self, planned: PlannedOperation, claim: UnsentClaim, change: ChangeKey) -> None:
        operation = planned.operation
        kind = kind_of(operation)
        if claim.value is None:
            if not isinstance(operation, Update | Financials) and claim.name == touch_of(kind, target_of(operation)):
                self._add(planned, claim, change, words=_twice(operation, claim))
            return
        if claim.kind is not kind or (planned.send and claim.name not in planned.send):
            return
        own = values_of(operation).get(claim.name)
        if own is not None and own != claim.value:
            self._add(planned, claim, change, words=f"sets another {claim.name}", field=claim.name, value=own)

    def _add(
        self,
        planned: PlannedOperation,
        claim: UnsentClaim,
        change: ChangeKey,
        *,
        words: str,
        field: str | None = None,
        value: str | None = None,
    ) -> None:
        key = (change, claim.changeset, words)
        sample = self._groups.get(key)
        if sample is None:
            if len(self._groups) >= _GROUPS:
                return
            sample = self._groups[key] = Sample()
        if sample.full:
            sample.count += 1
        else:
            sample.add(planned, field, planned.value_before(field) if field else None, value)

    def finish(self) -> Iterator[Found]:
        for (change, other, words), sample in self._groups.items():
            message = (
                f"changeset {other}, which is not sent yet, {words} for {counted(sample.count, 'lead')} of "
                f"{in_change(change)}"
            )
            yield self.found("high", message, change, sample)


def _twice(operation: Operation, claim: UnsentClaim) -> str:
    own, theirs = SPECS[kind_of(operation)], SPECS[claim.kind]
    target = target_of(operation)
    if own is theirs:
        return f"declares {own.the.format(target=target)} as well"
    return f"declares {theirs.the.format(target=target)} instead of {own.the.format(target=target)}"
