"""One e-mail address or phone number for many leads."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator

import msgspec

from syncengine.core.changes import Origin
from syncengine.core.operations import Kind
from syncengine.core.plan import PlannedOperation
from syncengine.core.redaction import mask, visible
from syncengine.documents.disk_spool import DiskSpool
from syncengine.findings.operations import Chunk, Column
from syncengine.findings.rule import ChangeKey, Description, Example, Found, Rule, Sample, counted, in_change
from syncengine.findings.shapes import family_of, is_clear_phone, is_contact

LEADS = 5
_PARTS_OF = 100_000
"""Digests that are counted at once."""
_TOLD = 100
"""Values of one field and change that are reported one by one; further ones are counted together."""


class _Piece(msgspec.Struct, array_like=True):
    """Values of one column, with the operations that set them."""

    field: str
    operations: list[str]
    leads: list[str]
    origins: list[Origin]
    values: list[str]


class RepeatedValue(Rule):
    """First pass: a digest of each value, eight bytes. Only where some occur often are the values read again."""

    about = Description(
        name="repeated-value",
        severity="medium",
        threshold=f"one e-mail or phone (by field name or shape) for {LEADS} leads or more, unless the changeset "
        "itself types it",
        example="one phone number for 12 leads",
    )
    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._digests: dict[str, array[int]] = {}
        self._spool: DiskSpool[_Piece] | None = None

    def look(self, chunk: Chunk) -> None:
        for column in chunk.columns:
            operations, values = _contacts(column)
            if not values:
                continue
            if column.field not in self._digests:
                self._digests[column.field] = array("q")
            self._digests[column.field].extend(map(hash, values))
            if self._spool is None:
                self._spool = DiskSpool(_Piece, at_once=1)
            self._spool.put(
                _Piece(
                    column.field,
                    [planned.id for planned in operations],
                    [planned.operation.lead for planned in operations],
                    [planned.origin for planned in operations],
                    values,
                )
            )

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for field, digests in self._digests.items():
            often = _occurring_often(digests)
            if often:
                yield from self._told(field, often, change)
        if self._spool is not None:
            self._spool.close()
        if self._digests:
            self._begin()

    def _told(self, field: str, often: set[int], change: ChangeKey) -> Iterator[Found]:
        samples = self._samples(field, often, change)
        repeated = [(value, sample) for value, sample in samples.items() if sample.count >= LEADS]
        repeated.sort(key=lambda pair: -pair[1].count)
        for value, sample in repeated[:_TOLD]:
            message = f"{visible(mask(value))} as {field} of {counted(sample.count, 'lead')} in {in_change(change)}"
            yield self.found("medium", message, change, sample, untyped=field)
        if len(repeated) > _TOLD:
            rest = Sample()
            rest.count = sum(sample.count for _, sample in repeated[_TOLD:])
            values = counted(len(repeated) - _TOLD, "more value")
            message = f"{values} of {field} for {LEADS} leads or more each in {in_change(change)}"
            yield self.found("medium", message, change, rest, untyped=field)

    def _samples(self, field: str, often: set[int], change: ChangeKey) -> dict[str, Sample]:
        """The leads of each value whose digest occurs often. Two values may share a digest, so these are compared."""
        samples: dict[str, Sample] = {}
        last: dict[str, str] = {}
        for piece in self._pieces(field):
            for index, value in enumerate(piece.values):
                lead = piece.leads[index]
                if hash(value) in often and last.get(value) != lead:
                    last[value] = lead
                    example = Example(piece.operations[index], lead, piece.origins[index], *change, field, None, value)
                    samples.setdefault(value, Sample()).keep(example)
        return samples

    def _pieces(self, field: str) -> Iterator[_Piece]:
        if self._spool is not None:
            yield from (piece for piece in self._spool.read() if piece.field == field)


def _contacts(column: Column) -> tuple[list[PlannedOperation], list[str]]:
    """The values that are e-mail addresses or phone numbers, by the field's name or by their own shape."""
    if is_contact(column.field):
        chosen = [index for index, value in enumerate(column.values) if value]
    else:
        chosen = list(_contact_shaped(column))
    return [column.operations[index] for index in chosen], [column.values[index] for index in chosen]


def _contact_shaped(column: Column) -> Iterator[int]:
    contacts = {shape: family for shape in column.shape_counts if (family := family_of(shape)) in _CONTACTS}
    if not contacts:
        return
    for index, shape in enumerate(column.shapes):
        if shape in contacts and (contacts[shape] == "email" or is_clear_phone(column.values[index])):
            yield index


_CONTACTS = frozenset({"email", "phone"})


def _occurring_often(digests: array[int]) -> set[int]:
    if len(digests) < LEADS:
        return set()
    parts = 1 + len(digests) // _PARTS_OF
    often: set[int] = set()
    for part in range(parts):
        counts = Counter(digests if parts == 1 else [digest for digest in digests if digest % parts == part])
        often.update(digest for digest, count in counts.items() if count >= LEADS)
    return often
