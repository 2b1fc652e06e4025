"""Builds a changeset that reverts a plan: it sets the known previous values, and lists why others cannot be restored.

It restores only values that were not written since. Each change carries `expect` with the value that the plan applied,
so that a lead which changed in between is blocked when the changeset is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, takewhile
from typing import assert_never

import msgspec

from syncengine.core.history import DOUBTFUL, Attempt, LeadHistory, Standing
from syncengine.core.observations import AMOUNTS
from syncengine.core.operations import Financials, Kind, Update, is_irreversible, kind_of, values_of
from syncengine.core.plan import Before, PlannedOperation
from syncengine.core.settings import Account
from syncengine.core.text import is_blank
from syncengine.core.values import (
    LeadId,
    PlanDigest,
    format_money,
    is_changeset_id,
    is_quarantined,
    number_of,
    parse_money,
)
from syncengine.documents.quoting import quoted, quoted_value

BATCH = 500
_ID = 64
"""Maximum length of a changeset's id in characters."""
_LISTED = 1_000
"""Maximum number of comments on values that are not restored."""

Histories = Callable[[list[LeadId]], Mapping[LeadId, LeadHistory]]


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """Values of one operation to restore, and the values that the plan had applied."""

    planned: PlannedOperation
    values: dict[str, str]
    applied: dict[str, str]


class NotReverted(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the plan did, or may have done, and that is not restored. `name` is "" for the whole operation."""

    planned: PlannedOperation
    name: str
    reason: str


Turned = Restored | NotReverted


def revert_id(changesets: Iterable[str], digest: str) -> str:
    """Id of the reverting changeset, from the plan's first changeset and its digest. Valid for any of them."""
    tail = f"-{digest[:8]}"
    first = next(iter(changesets), "plan")
    found = f"revert-{first[: _ID - len('revert-') - len(tail)]}{tail}"
    assert is_changeset_id(found)
    return found


def turn_round(
    operations: Iterable[PlannedOperation],
    histories: Histories,
    *,
    digest: PlanDigest,
    account: Account,
    allow_negative: bool,
) -> Iterator[Turned]:
    """Every operation that this plan applied or may have applied, in plan order."""
    remaining = iter(operations)
    turning = _Turning(digest, account, allow_negative=allow_negative)
    while batch := list(islice(remaining, BATCH)):
        known = histories(list({planned.operation.lead for planned in batch}))
        for planned in batch:
            history = known.get(planned.operation.lead)
            if history is not None:
                yield from turning.turn(planned, history)


class _Turning:
    def __init__(self, digest: PlanDigest, account: Account, *, allow_negative: bool) -> None:
        self._digest = digest
        self._account = account
        self._allow_negative = allow_negative

    def turn(self, planned: PlannedOperation, history: LeadHistory) -> Iterator[Turned]:
        own = [attempt for attempt in history.of_operation(planned.id) if attempt.plan == self._digest]
        applied = [attempt for attempt in own if attempt.standing is Standing.APPLIED]
        if applied and is_irreversible(planned.operation):
            yield NotReverted(planned=planned, name="", reason="irreversible: it cannot be taken back")
        elif applied:
            yield from self._values(planned, applied[-1], history)
        elif any(attempt.standing in DOUBTFUL for attempt in own):
            reason = "in doubt: it is not known whether it was done; resolve it first"
            yield NotReverted(planned=planned, name="", reason=reason)

    def _values(self, planned: PlannedOperation, applied: Attempt, history: LeadHistory) -> Iterator[Turned]:
        kind = kind_of(planned.operation)
        new = values_of(planned.operation)
        back: dict[str, str] = {}
        for name in [name for name in new if name in applied.values]:
            before = planned.before.get(name)
            reason = self._overwritten(kind, name, applied, history) or self._unusable(kind, name, before)
            if reason:
                yield NotReverted(planned=planned, name=name, reason=reason)
            elif before is not None and before.value is not None:
                back[name] = before.value
        if kind is Kind.FINANCIALS and set(back) == {"buyer"}:
            yield NotReverted(planned=planned, name="buyer", reason="a buyer cannot be sent without payout or revenue")
        elif back:
            yield Restored(planned=planned, values=back, applied={name: new[name] for name in back})

    def _overwritten(self, kind: Kind, name: str, applied: Attempt, history: LeadHistory) -> str:
        if history.forgotten:
            return "the lead was erased from the ledger"
        later = takewhile(lambda attempt: attempt.number > applied.number, reversed(history.attempts))
        for attempt in later:
            if attempt.kind is not kind or name not in attempt.values:
                continue
            where = f"changeset {attempt.changeset} in run {attempt.run}"
            match attempt.standing:
                case Standing.APPLIED:
                    return f"overwritten since by {where}"
                case Standing.UNKNOWN | Standing.IN_FLIGHT | Standing.REJECTED:
                    return f"perhaps overwritten since by {where}, whose outcome is {attempt.standing.value}"
                case Standing.NOT_SENT:
                    continue
                case _:
                    assert_never(attempt.standing)
        return ""

    def _unusable(self, kind: Kind, name: str, before: Before | None) -> str:
        if before is None or before.origin == "unknown":
            note = f": {before.note}" if before is not None and before.note else ""
            return f"its value before is unknown{note}"
        if before.value is None:
            return f"the ledger keeps its value before as a digest only (set by {before.by})"
        if kind is Kind.UPDATE:
            return self._unusable_text(before.value)
        return self._unusable_amount(before.value) if name in AMOUNTS else ""

    def _unusable_text(self, text: str) -> str:
        if not is_blank(text):
            return ""
        if text:
            return "it showed nothing before: it held only white space or unseen characters"
        return "" if self._account.fields.allow_empty else "it was empty before, and fields.allow_empty is off"

    def _unusable_amount(self, text: str) -> str:
        cents = parse_money(text)
        if cents is None or cents >= 0 or self._allow_negative:
            return ""
        return f"it was {format_money(cents)} before, and policy.allow_negative is off"


def reverting_changeset(changeset: str, account: str, plan: PlanDigest, turned: Iterable[Turned]) -> Iterator[str]:
    """The changeset's YAML, piece by piece. Every value is a quoted text, so braces in values are not templates."""
    yield (
        f"# Sets back what plan {plan[:12]} changed, as far as values before are known and were not written since.\n"
        "# Review it like any other changeset: values that the service itself changed meanwhile are not known here.\n"
        "version: 1\n"
        f"changeset: {changeset}\n"
        f"account: {account}\n"
        f"title: {quoted(f'Revert of plan {plan[:12]}')}\n"
        "changes:\n"
    )
    comments: list[str] = []
    more = 0
    for one in turned:
        match one:
            case Restored():
                yield _change(one)
            case NotReverted():
                if len(comments) < _LISTED:
                    comments.append(f"#   {kept_words(one)}\n")
                else:
                    more += 1
            case _:
                assert_never(one)
    if comments:
        yield "\n# Not set back:\n"
        yield from comments
    if more:
        yield f"#   and {more} more\n"


def kept_words(kept: NotReverted) -> str:
    """One line about a value that is not restored."""
    planned = kept.planned
    what = f"{kind_of(planned.operation).value} of lead {planned.operation.lead}"
    name = f", {_printable(kept.name)}" if kept.name else ""
    return f"{what}{name} ({planned.id[:12]}): {_printable(kept.reason)}"


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _change(restored: Restored) -> str:
    planned = restored.planned
    operation = planned.operation
    source = _printable(f"{planned.origin.file}:{planned.origin.line}")
    row = f" row {planned.origin.row}" if planned.origin.row is not None else ""
    key = "financials" if isinstance(operation, Financials) else "update"
    address = "quarantined" if is_quarantined(operation.lead) else "lead"
    assert isinstance(operation, Update | Financials)
    return (
        f"  # {planned.changeset} {_printable(planned.change)}, {source}{row}\n"
        f"  - {address}: {quoted(number_of(operation.lead))}\n"
        f"    expect: {_mapping(restored.applied)}\n"
        f"    {key}: {_mapping(restored.values)}\n"
    )


def _mapping(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(name)}: {quoted_value(value)}" for name, value in values.items()) + "}"


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
