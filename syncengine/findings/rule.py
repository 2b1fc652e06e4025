"""What every rule is made of: its description, the operations that it keeps as examples, and the finding it reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.finding import RULES, SHOWN, Basis, Evidence, Severity
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.findings.operations import Chunk

ChangeKey = tuple[str, str]
"""Changeset and change."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What docs/findings.md says of a rule. `basis` is what it rests on, which decides whether it may block."""

    name: str
    severity: str
    threshold: str
    example: str


class Example(msgspec.Struct, frozen=True):
    """An operation kept as evidence, and the field and values that it is evidence of."""

    operation: str | None
    lead: str | None
    origin: Origin
    changeset: str = ""
    change: str = ""
    field: str | None = None
    before: str | None = None
    after: str | None = None


class Sample:
    """How many operations a finding is about, and the first of them."""

    __slots__ = ("count", "examples")

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[Example] = []

    def add(
        self, planned: PlannedOperation, field: str | None = None, before: str | None = None, after: str | None = None
    ) -> None:
        """One more operation."""
        self.count += 1
        if len(self.examples) < SHOWN:
            self.examples.append(_example(planned, field, before, after))

    def keep(self, example: Example) -> None:
        """One more operation, of which no more is at hand than its evidence."""
        self.count += 1
        if len(self.examples) < SHOWN:
            self.examples.append(example)

    @property
    def full(self) -> bool:
        """Whether more operations would only be counted."""
        return len(self.examples) >= SHOWN


def _example(planned: PlannedOperation, field: str | None, before: str | None, after: str | None) -> Example:
    return Example(
        planned.id, planned.operation.lead, planned.origin, planned.changeset, planned.change, field, before, after
    )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding whose examples are operations still: where their values came from is known once the plan is read."""

    rule: str
    severity: Severity
    message: str
    change: tuple[str | None, str | None] = (None, None)
    count: int = 0
    examples: tuple[Example, ...] = ()
    untyped: str | None = None
    """The finding is dropped where this field was typed in the changeset."""
    basis: Basis | None = None
    """Where it is not what the rule usually rests on."""


class Rule:
    """One rule. It looks at the open operations of one change after the other, `leave`s each, and `finish`es."""

    about: ClassVar[Description]
    kinds: ClassVar[frozenset[Kind]] = frozenset(Kind)
    """Kinds of operation of which it must see at least one in a chunk."""
    looks_at_rows: ClassVar[bool] = False
    """Whether it also needs the operations that are not open, in `Chunk.rows`: it sees every chunk then."""

    def look(self, chunk: Chunk) -> None:
        """Some more operations of the present change."""

    def leave(self, change: ChangeKey) -> Iterable[Found]:  # noqa: ARG002 - most rules name it
        """The present change has ended."""
        return ()

    def finish(self) -> Iterable[Found]:
        """The plan has ended."""
        return ()

    def basis_of(self, found: Found) -> Basis:
        """What a finding of this rule rests on."""
        return found.basis or RULES[self.about.name]

    def found(
        self,
        severity: Severity,
        message: str,
        change: tuple[str | None, str | None],
        sample: Sample,
        *,
        untyped: str | None = None,
    ) -> Found:
        """A finding about the operations of a sample."""
        return Found(
            rule=self.about.name,
            severity=severity,
            message=message,
            change=change,
            count=sample.count,
            examples=tuple(sample.examples),
            untyped=untyped,
        )


def evidence_of(example: Example, place: tuple[str, int, int | None]) -> Evidence:
    """An example with its place."""
    return Evidence(
        operation=example.operation,
        lead=example.lead,
        field=example.field,
        before=example.before,
        after=example.after,
        file=place[0],
        line=place[1],
        row=place[2],
    )


def first_leads(leads: Iterable[str | None]) -> tuple[str, ...]:
    """The first leads, each once."""
    return tuple(dict.fromkeys(lead for lead in leads if lead is not None))[:SHOWN]


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 lead", "2,000 leads"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def in_change(change: tuple[str | None, str | None]) -> str:
    """A change by its name and its changeset."""
    changeset, name = change
    return f"change {name} of {changeset}" if name else f"changeset {changeset}"


def place_words(origin: Origin) -> str:
    """ "specs/a.yaml:12 row 7"."""
    row = f" row {origin.row}" if origin.row is not None else ""
    return f"{origin.file}:{origin.line}{row}"
