"""Values that are written in another way than the others of their field."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine.core.operations import Kind
from syncengine.findings.operations import Chunk, Column
from syncengine.findings.rule import ChangeKey, Description, Found, Rule, Sample, counted, in_change
from syncengine.findings.shapes import (
    Family,
    family_of,
    is_clear_phone,
    is_contact,
    postcode_shape,
    way_written,
)

SHARE_PERCENT = 20
FEWEST = 10
_NOUNS: dict[str, str] = {"date": "dates", "phone": "phone numbers", "postcode": "postcodes"}
_Key = tuple[str, Family, str]
"""Field, family and shape."""


class MixedFormats(Rule):
    """Counts the shapes of dates, phone numbers and postcodes by field."""

    about = Description(
        name="mixed-formats",
        severity="medium",
        threshold=f"a shape that under {SHARE_PERCENT} % of one field's values in one change have, of {FEWEST} or "
        "more: "
        "dates by order and separator (03/04 counts with the majority), phones by kind of prefix (`+44`, `0044`, `0`, "
        "none), postcodes by space and case",
        example="3 dates of 200 are month/day/year, the others day/month/year",
    )
    kinds = frozenset({Kind.UPDATE})

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._totals: dict[str, int] = {}
        self._samples: dict[_Key, Sample] = {}

    def look(self, chunk: Chunk) -> None:
        for column in chunk.columns:
            self._totals[column.field] = self._totals.get(column.field, 0) + len(column.values)
            families = {shape: family for shape in column.shape_counts if (family := family_of(shape)) in _NOUNS}
            if families:
                self._count(column, families)

    def _count(self, column: Column, families: dict[str, Family]) -> None:
        alike = self._count_alike(column, families)
        for index, shape in enumerate(column.shapes):
            family = families.get(shape, "")
            if not family or shape in alike:
                continue
            value = column.values[index]
            how = way_written(family, shape, value)
            sample = self._samples.setdefault((column.field, family, how), Sample())
            if sample.full:
                sample.count += 1
            else:
                sample.add(column.operations[index], column.field, column.before(index), value)

    def _count_alike(self, column: Column, families: dict[str, Family]) -> set[str]:
        """Count at once the shapes of which there are examples enough; returns them.

        Postcodes of one shape are alike, so that most columns need not be looked at value by value.
        """
        alike: set[str] = set()
        for shape, family in families.items():
            if family == "postcode":
                sample = self._samples.setdefault((column.field, family, postcode_shape(shape)), Sample())
                if sample.full:
                    sample.count += column.shape_counts[shape]
                    alike.add(shape)
        return alike

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        by_field: dict[tuple[str, Family], dict[str, Sample]] = {}
        for (field, family, how), sample in self._samples.items():
            by_field.setdefault((field, family), {})[how] = sample
        for (field, family), found in by_field.items():
            yield from self._rare(field, family, _with_majority(found) if family == "date" else found, change)
        self._begin()

    def _rare(self, field: str, family: Family, shapes: dict[str, Sample], change: ChangeKey) -> Iterator[Found]:
        """The shapes that few values have, if most values of the field are of the family."""
        total, of_family = self._totals[field], sum(sample.count for sample in shapes.values())
        if total < FEWEST or len(shapes) < 2 or of_family * 2 <= total:
            return
        usual = max(shapes, key=lambda how: shapes[how].count)
        if not _is_meant(field, family, shapes[usual]):
            return
        for how, sample in shapes.items():
            if sample.count * 100 < SHARE_PERCENT * total and how != usual:
                message = (
                    f"{counted(sample.count, 'value')} of {field} in {in_change(change)}: {_NOUNS[family]} written "
                    f"{_words(family, how)}, most {_words(family, usual)}"
                )
                yield self.found("medium", message, change, sample)


def _words(family: Family, how: str) -> str:
    if family == "phone":
        return "with no prefix" if how == "no prefix" else f"with {how} in front"
    return f"in {how}" if family == "postcode" else f"as {how}"


def _with_majority(found: dict[str, Sample]) -> dict[str, Sample]:
    """Dates that could be either are counted with the larger of the two."""
    shapes = {how: sample for how, sample in found.items() if not how.startswith("?")}
    for how, unclear in found.items():
        if not how.startswith("?"):
            continue
        mark = how[1]
        orders = [f"day{mark}month{mark}year", f"month{mark}day{mark}year"]
        usual = max(orders, key=lambda order: shapes[order].count if order in shapes else 0)
        joined = Sample()
        joined.examples = [*(shapes[usual].examples if usual in shapes else []), *unclear.examples][:10]
        joined.count = unclear.count + (shapes[usual].count if usual in shapes else 0)
        shapes[usual] = joined
    return shapes


def _is_meant(field: str, family: Family, usual: Sample) -> bool:
    """Digits alone may be anything: where the field's name does not say so, most must be clearly phone numbers."""
    if family != "phone" or is_contact(field) == "phone":
        return True
    return all(is_clear_phone(example.after or "") for example in usual.examples)
