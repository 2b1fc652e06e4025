"""One planned operation as a reader sees it: masked, in words, with where each value comes from."""

from __future__ import annotations

import re
from typing import assert_never

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.operations import (
    IRREVERSIBLE,
    SPECS,
    Financials,
    Kind,
    Update,
    is_irreversible,
    kind_of,
    spec_of,
    target_of,
    values_of,
)
from syncengine.core.plan import Before, PlannedOperation, State
from syncengine.core.redaction import Masker, visible
from syncengine.core.values import OperationId, parse_money
from syncengine.reports.facts import TargetNames, names_in, target_words
from syncengine.reports.places import NOWHERE, LinkedPlace, Places

_FRACTION = re.compile(r"\.0+Z\Z")

_NO_NAMES: TargetNames = {}

AMOUNTS = frozenset({"payout", "revenue"})
"""What financials set in hundredths; like the buyer, it is about money and never masked."""


class Diff(msgspec.Struct, frozen=True):
    """One field or amount, ready to be shown. `before` None: it is not known what was there. `before_name` and
    `after_name` are what the account calls a buyer.

    `origin` tells in words where the knowledge comes from. `sent` is False where the value is declared but already
    there. `change` is the difference of two known amounts, in hundredths.
    """

    name: str
    before: str | None
    after: str
    origin: str
    sent: bool
    change: int | None = None
    before_name: str = ""
    after_name: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, ready to be shown. `what` names a delivery or generation.

    `source` is the change's file and line, and the data row; `place` is where the values were written.
    """

    id: str
    changeset: str
    change: str
    entry: int
    kind: Kind
    lead: str
    state: State
    source: str
    what: str
    diffs: tuple[Diff, ...]
    reason: str
    done: tuple[str, ...]
    place: LinkedPlace = NOWHERE

    @property
    def irreversible(self) -> bool:
        """Whether it cannot be taken back."""
        return self.kind in IRREVERSIBLE


def row_of(
    planned: PlannedOperation, masker: Masker, names: TargetNames = _NO_NAMES, places: Places | None = None
) -> Row:
    """`planned`, masked by `masker` and free of characters that deceive."""
    operation = planned.operation
    kind = kind_of(operation)
    sent = frozenset(planned.send)
    called = {**names_in(planned), **names} if planned.names else names
    return Row(
        id=OperationId(visible(planned.id)),
        changeset=visible(planned.changeset),
        change=visible(planned.change),
        entry=planned.entry,
        kind=kind,
        lead=visible(operation.lead),
        state=planned.state,
        source=source_of(planned.origin),
        what=what_of(planned, names),
        diffs=tuple(
            diff_of(kind, (name, value), planned.before.get(name), masker, sent=name in sent or not sent, names=called)
            for name, value in (() if is_irreversible(operation) else values_of(operation).items())
        ),
        reason=visible(planned.reason),
        done=tuple(visible(run) for run in planned.done),
        place=NOWHERE if places is None else places.of_operation(planned),
    )


def source_of(origin: Origin) -> str:
    """ "specs/a.yaml:12", with the data row where there is one."""
    place = f"{visible(origin.file)}:{origin.line}"
    return place if origin.row is None else f"{place} row {origin.row}"


def what_of(planned: PlannedOperation, names: TargetNames = _NO_NAMES) -> str:
    """What an irreversible operation does beyond its kind, in words; "" for the others."""
    operation = planned.operation
    if isinstance(operation, Update | Financials):
        return ""
    target, parts = spec_of(operation).target, []
    if target:
        called = {**names_in(planned), **names} if planned.names else names
        parts.append(target_words(target, str(target_of(operation)), called))
    parts += [f"{name} {visible(value)}" for name, value in values_of(operation).items()]
    if operation.generation > 1:
        parts.append(f"rerun {operation.generation}")
    return ", ".join(parts)


def diff_of(
    kind: Kind,
    setting: tuple[str, str],
    before: Before | None,
    masker: Masker,
    *,
    sent: bool,
    names: TargetNames = _NO_NAMES,
) -> Diff:
    """One field or amount. Money and buyers are shown as they are: reviewers judge by them."""
    name, after = setting
    open_ = SPECS[kind].open_values
    known = None if before is None else before.value
    shown_before = None if known is None else visible(known) if open_ else masker.show(name, known)
    return Diff(
        visible(name),
        shown_before,
        visible(after) if open_ else masker.show(name, after),
        origin_of(before),
        sent,
        _difference(known, after) if open_ and name in AMOUNTS else None,
        *(_names_of(names, known, after) if open_ and name == "buyer" else ()),
    )


def _names_of(names: TargetNames, before: str | None, after: str) -> tuple[str, str]:
    return visible(names.get(("buyer", before or ""), "")), visible(names.get(("buyer", after), ""))


def _difference(before: str | None, after: str) -> int | None:
    old = None if before is None else parse_money(before)
    new = parse_money(after)
    return None if old is None or new is None else new - old


def origin_of(before: Before | None) -> str:
    """Where the knowledge about a before-value comes from, in words."""
    if before is None:
        return "unknown"
    match before.origin:
        case "ledger":
            kept = "" if before.value is not None else ", kept as a digest"
            return f"ledger: {visible(before.by)}{kept}" if before.by else f"ledger{kept}"
        case "observed":
            return f"observed {visible(_FRACTION.sub('Z', before.by))}".rstrip()
        case "unknown":
            return f"unknown: {visible(before.note)}" if before.note else "unknown"
        case _:
            assert_never(before.origin)
