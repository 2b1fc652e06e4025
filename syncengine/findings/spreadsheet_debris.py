"""What spreadsheets make of values: error cells, exponents, decimals of whole numbers, formulas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syncengine.findings.operations import Chunk, Column
from syncengine.findings.rule import ChangeKey, Description, Found
from syncengine.findings.values import Mistake, ValueRule

LONG_DIGITS = 6

_ERROR = re.compile(
    r"\s*(?:#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA|FIELD!|BLOCKED!|CONNECT!|UNKNOWN!|"
    r"NV|BEZUG!|WERT!|ZAHL!|ÜBERLAUF!|VALEUR!|NOM\?|NOMBRE!)|"
    r"(?:Err:|#ERR)[0-9]{0,3}!?|#ERROR!|#####+)\s*",
    re.IGNORECASE,
)
# Without fraction and sign it may be a code, as in 2E10.
_EXPONENT = re.compile(r"[-+]?[0-9](?:[.,][0-9]+E\+?|E\+)[0-9]{1,3}", re.IGNORECASE)
_WHOLE_FLOAT = re.compile(r"[0-9]+[.,]0+", re.ASCII)
_FORMULA = re.compile(r"=\s*[\"'(+@\w-].*", re.DOTALL)
"""Not an arrow (=>) nor a rule of equals signs in a note."""
_APOSTROPHE = re.compile(r"['’][+(]?[0-9][0-9 ().,/:-]*")
_WHOLE = re.compile(r"[0-9]+", re.ASCII)

_HIGH: dict[str, Mistake] = {
    "error": ("a spreadsheet's error (#N/A and its kin)", "high"),
    "exponent": ("an exponent in place of digits, as in 4.47E+11", "high"),
    "float": ("a decimal .0 that a spreadsheet added", "high"),
    "formula": ('a formula, as in ="0123"', "high"),
    "apostrophe": ("an apostrophe before digits", "high"),
}

_SIGNS = ("#", "\n=", "\n'", "\n’", "E+", "e+", "\nErr:")
"""What a column holds, its values joined by line breaks, if one of them may be an error, formula or exponent."""


class SpreadsheetDebris(ValueRule):
    """A short number with .0 counts only where the field's other values in the change are whole numbers."""

    about = Description(
        name="spreadsheet-debris",
        severity="high",
        threshold="#N/A, #REF! and their kin; 4.47E+11; `.0` after six digits or more, or where the field's other "
        "values "
        'are whole; ="..."; a leading apostrophe before digits',
        example="447700900123.0 as a phone number",
    )

    def __init__(self) -> None:
        super().__init__()
        self._whole: dict[str, bool] = {}
        self._short: dict[str, list[tuple[Column, int]]] = {}
        self._short_count: dict[str, int] = {}

    def may_hold(self, column: Column) -> bool:
        joined = column.joined
        return (
            any(sign in joined for sign in _SIGNS)
            or ("0\n" in joined and (".0" in joined or ",0" in joined))
            or any(shape in _EXPONENTS for shape in column.shape_counts)
        )

    def mistakes(self, value: str) -> Iterable[Mistake]:
        if value.startswith("="):
            found = "formula" if _FORMULA.fullmatch(value) else ""
        elif value.startswith(("'", "’")):
            found = "apostrophe" if _APOSTROPHE.fullmatch(value) else ""
        elif _EXPONENT.fullmatch(value):
            found = "exponent"
        elif _ERROR.fullmatch(value):
            found = "error"
        else:
            found = "float" if _is_long_float(value) else ""
        if found:
            yield _HIGH[found]

    def look(self, chunk: Chunk) -> None:
        super().look(chunk)
        for column in chunk.columns:
            self._look_at_short_ones(column)

    def _look_at_short_ones(self, column: Column) -> None:
        """Short numbers with .0 wait until it is known whether all others are whole."""
        field = column.field
        if not self._whole.get(field, True):
            return
        self._whole[field] = all(map(_is_whole_or_short_float, column.shape_counts))
        if self._whole[field] and any("." in shape or "," in shape for shape in column.shape_counts):
            self._wait(column)
        if not self._whole[field]:
            self._short.pop(field, None)

    def _wait(self, column: Column) -> None:
        waiting = self._short.setdefault(column.field, [])
        for index, shape in enumerate(column.shapes):
            if not _is_short_float(shape):
                continue
            if not _WHOLE_FLOAT.fullmatch(column.values[index]):
                self._whole[column.field] = False
                return
            self._short_count[column.field] = self._short_count.get(column.field, 0) + 1
            if len(waiting) < 10:
                waiting.append((column, index))

    def leave(self, change: ChangeKey) -> Iterator[Found]:
        for field, waiting in self._short.items():
            count = self._short_count.get(field, 0)
            if waiting and count < self._totals.get(field, 0):
                for column, index in waiting:
                    self.add(_HIGH["float"], column, index)
                self._samples[field, _HIGH["float"]].count += count - len(waiting)
        self._whole, self._short, self._short_count = {}, {}, {}
        yield from super().leave(change)


_EXPONENTS = frozenset(
    f"{sign}9{fraction}{letter}{digits}"
    for sign in ("", "-")
    for fraction in (f"{mark}{'9' * places}" for mark in ".," for places in range(1, 16))
    for letter in "Aa"
    for digits in ("9", "99", "999")
)


def _is_whole(shape: str) -> bool:
    return _WHOLE.fullmatch(shape) is not None


def _is_short_float(shape: str) -> bool:
    return _digits(shape) < LONG_DIGITS and _SHORT_FLOAT.fullmatch(shape) is not None


_SHORT_FLOAT = re.compile(r"9+[.,]9+")


def _is_whole_or_short_float(shape: str) -> bool:
    return _is_whole(shape) or _is_short_float(shape)


def _is_long_float(value: str) -> bool:
    # The lengths are compared first, since most values are texts that the pattern would read in vain.
    return len(value) >= LONG_DIGITS + 2 and bool(_WHOLE_FLOAT.fullmatch(value)) and _digits(value) >= LONG_DIGITS


def _digits(text: str) -> int:
    return len(re.split("[.,]", text, maxsplit=1)[0])
