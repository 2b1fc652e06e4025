"""Converts cells of spreadsheets to text by one documented rule, and marks those without a reliable text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite

from syncengine.core.text import is_blank
from syncengine.tables.cells import Unusable

Cell = str | Unusable

_DIGITS_KEPT = 15
"""Significant digits that spreadsheets keep of a number; further digits are zeros, whatever was typed."""


def text_of(value: object) -> Cell:
    """The text of a cell from the value reader."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return number(value)
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case time():
            return _without_zeros(value.isoformat())
        case timedelta():
            return duration(value)
    return Unusable(f"of a type that is not known ({type(value).__name__})")


def number(value: float) -> Cell:
    """Digits without exponent: whole numbers unchanged, fractions as spreadsheets show them."""
    if not isfinite(value):
        return Unusable("no number", code="SE345")
    rounded = Decimal(value) if isinstance(value, int) else Decimal(f"{value:.{_DIGITS_KEPT}g}")
    if abs(rounded) >= 10**_DIGITS_KEPT:
        return _too_long(f"{value:.0f}")
    text = format(rounded, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _too_long(text: str) -> Unusable:
    return Unusable(
        f"a number of {len(text.lstrip('-'))} digits, of which a spreadsheet keeps {_DIGITS_KEPT}",
        code="SE346",
        advice="format the column as text and enter the value again, or take it from where it came from, as CSV",
        text=text,
    )


def duration(value: timedelta) -> str:
    """Hours, which may be more than 24, minutes and seconds."""
    seconds = round(value.total_seconds())
    sign = "-" if seconds < 0 else ""
    minutes, second = divmod(abs(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{sign}{hours:02}:{minute:02}:{second:02}"


def error_cell(text: str) -> Unusable:
    """A formula with an error as its result."""
    advice = "correct the cell in the spreadsheet; neither default nor skip_empty replaces an error"
    return Unusable(f"the error {text.strip()[:20] or '#N/A'} of a spreadsheet", code="SE345", advice=advice, text=text)


def uncomputed_cell() -> Unusable:
    """A formula without a stored result."""
    advice = "open the file in a spreadsheet program and save it, so that it holds results"
    return Unusable("a formula whose result the file does not hold", code="SE347", advice=advice)


def merged_cell() -> Unusable:
    """A cell that is covered by a merged one."""
    advice = "unmerge the cells, and write the value into each row that it is meant for"
    return Unusable("a part of a merged cell, whose value the file holds once only", code="SE348", advice=advice)


def is_empty(cell: Cell) -> bool:
    """Whether a cell is visibly empty."""
    return cell.__class__ is str and is_blank(cell)


def are_empty(cells: Sequence[Cell]) -> bool:
    """Whether all cells are visibly empty."""
    return all(map(is_empty, cells))


def _moment(value: datetime) -> str:
    if value.time() == time(0):
        return value.date().isoformat()
    return _without_zeros(value.isoformat())


def _without_zeros(text: str) -> str:
    return text.rstrip("0") if "." in text else text
