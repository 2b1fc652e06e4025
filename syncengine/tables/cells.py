"""Cells of typed sources: values that are not text, and the conversion of columns of them to rows of text.

A value with exactly one written form becomes that text. A binary float has none that can be relied on, and lists, bytes
and the like have none at all: they become values that raise when used as text, and are reported then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Never, cast

from syncengine.documents.rendering import FilterError, NoText
from syncengine.tables.sources import NumberedRow, Row

MOST_COLUMNS = 2_000

FLOAT_ADVICE = (
    "give the column an exact type where it is made: a decimal for amounts, an integer or a text for ids and phone "
    "numbers; in an SQL source, cast it in the SELECT"
)

Convert = Callable[[str], object]
"""Converts a cell from the reader to the value in the row."""


class Inexact(float):
    """A binary float. `text` is the shortest one that parses to the same number."""

    text: str

    def __new__(cls, text: str) -> Inexact:
        """The float of `text`."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def _refuse(self, _other: object) -> Never:
        raise FilterError("a binary float cannot be compared exactly", FLOAT_ADVICE)

    __eq__ = __ne__ = _refuse
    __hash__ = float.__hash__


class Unusable(NoText):
    """A value without a written form; `kind` names its type ("a list"), `text` is what the file shows."""

    def __init__(
        self, kind: str, *, code: str = "SE317", advice: str = "name a column with a single value", text: str = ""
    ) -> None:
        self.kind = kind
        self.code = code
        self.advice = advice
        self.text = text

    def _refuse(self, _other: object) -> Never:
        raise FilterError(f"{self.kind} cannot be compared with a text", self.advice)

    __eq__ = __ne__ = _refuse
    __hash__ = object.__hash__


def kind_of(value: object) -> str:
    """Name of the type of a row's value that is not text."""
    if isinstance(value, Unusable):
        return value.kind
    if isinstance(value, Inexact):
        return "a binary float"
    return "a list" if isinstance(value, list) else "an object"


def advice_for(value: object) -> str:
    """Hint for such a value."""
    if isinstance(value, Unusable):
        return value.advice
    return FLOAT_ADVICE if isinstance(value, Inexact) else "name a column with a single value"


def shown_cell(cell: object) -> str:
    """A cell as its file shows it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Inexact | Unusable):
        return cell.text
    return json.dumps(cell, ensure_ascii=False)


def unusable(kind: str) -> Convert:
    """A converter for columns whose type has no written form."""
    value = Unusable(kind)
    return lambda _: value


def iso_timestamp(text: str) -> str:
    """A timestamp as databases print it, in ISO 8601; UTC where it has an offset."""
    text = text.replace(" ", "T", 1)
    return text[:-3] + "Z" if text.endswith("+00") else text


def fault_of(names: Sequence[str]) -> str | None:
    """Why these cannot be the columns of a source; None where they can."""
    if len(names) > MOST_COLUMNS:
        return f"there are {len(names):,} columns, more than {MOST_COLUMNS:,}"
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if not name.strip():
            return f"column {position} has no name"
        if name in seen:
            return f"there are two columns {name!r}"
        seen.add(name)
    return None


def rows_of(
    names: Sequence[str], converts: Sequence[Convert | None], batches: Iterable[Sequence[Sequence[str | None]]]
) -> Iterator[NumberedRow]:
    """The rows, without line numbers. A cell that is None is left out. `converts` has None for columns of texts."""
    number = 0
    as_they_are = not any(converts)
    for batch in batches:
        for cells in batch:
            number += 1
            if as_they_are and None not in cells:
                yield number, 0, dict(zip(names, cast("Sequence[str]", cells)))  # noqa: B905  # the database's own width
            else:
                row = {
                    name: cell if convert is None else convert(cell)
                    for name, convert, cell in zip(names, converts, cells, strict=True)
                    if cell is not None
                }
                yield number, 0, cast("Row", row)  # Values that are not text are refused where they are used.
