"""Converts dates from one written form to another, by exact formats.

The directives are those of Python's strptime, read more strictly: month names are English in every locale, white space
counts, and parts that the text does not state (a day, a time) are not filled in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from syncengine.documents.rendering import FilterError

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = 3
_FIRST_YEAR = 1000
"""Earliest accepted year: year 24 written with four digits (0024) lost its century."""
_CENTURY_TURNS = 69


def _names(names: Sequence[str]) -> str:
    return "|".join(names)


_PATTERNS = {
    "d": r"[0-9]{1,2}",
    "m": r"[0-9]{1,2}",
    "Y": r"[0-9]{4}",
    "y": r"[0-9]{2}",
    "b": _names([name[:_SHORT] for name in _MONTHS]),
    "B": _names(_MONTHS),
    "a": _names([name[:_SHORT] for name in _DAYS]),
    "A": _names(_DAYS),
    "H": r"[0-9]{1,2}",
    "I": r"[0-9]{1,2}",
    "p": r"AM|PM",
    "M": r"[0-9]{2}",
    "S": r"[0-9]{2}",
}
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "d": lambda day: f"{day.day:02d}",
    "m": lambda day: f"{day.month:02d}",
    "Y": lambda day: f"{day.year:04d}",
    "y": lambda day: f"{day.year % 100:02d}",
    "b": lambda day: _MONTHS[day.month - 1][:_SHORT],
    "B": lambda day: _MONTHS[day.month - 1],
    "a": lambda day: _DAYS[day.weekday()][:_SHORT],
    "A": lambda day: _DAYS[day.weekday()],
    "H": lambda day: f"{day.hour:02d}",
    "I": lambda day: f"{(day.hour - 1) % 12 + 1:02d}",
    "p": lambda day: "AM" if day.hour < 12 else "PM",
    "M": lambda day: f"{day.minute:02d}",
    "S": lambda day: f"{day.second:02d}",
}
_KNOWN = ", ".join(f"%{name}" for name in _PATTERNS)
_DIRECTIVES = re.compile(r"%(.?)|([^%]+)", re.DOTALL)
_SAYS = {
    **{"d": "day", "m": "month", "b": "month", "B": "month", "Y": "year", "y": "year"},
    **{"H": "hour", "I": "hour of twelve", "p": "half of the day", "M": "minute", "S": "second"},
}
_NEEDS = {
    **{"d": ("day",), "m": ("month",), "b": ("month",), "B": ("month",), "Y": ("year",), "y": ("year",)},
    **{"a": ("day", "month", "year"), "A": ("day", "month", "year")},
    **{"H": ("hour",), "I": ("hour",), "p": ("hour",), "M": ("minute",), "S": ("second",)},
}
_LONGEST_FORMAT = 100


class _DateReader(NamedTuple):
    """A compiled format: its pattern and its directives in order."""

    pattern: re.Pattern[str]
    directives: tuple[str, ...]
    says: frozenset[str]


def rewritten(text: str, formats: Sequence[str], to: str, shape: str) -> str:
    """The date in `text`, which has one of `formats`, formatted as `to`. Raises FilterError; `shape` masks the text."""
    parts = _parts(to)
    found: dict[str, None] = {}
    for each in formats:
        reader = _reader(each)
        _check_says(reader, each, parts, to)
        moment = _read(text, reader)
        if moment is not None:
            found["".join(_WRITERS[part[1]](moment) if part[0] == "%" else part[1:] for part in parts)] = None
    if len(found) == 1:
        return next(iter(found))
    if found:
        message = f"a text like {shape} is one date in one of the formats, and another date in another"
        raise FilterError(message, "name the one format that the column has")
    expected = (
        f"a date in the format {formats[0]}"
        if len(formats) == 1
        else f"a date in one of the formats {', '.join(formats)}"
    )
    raise FilterError(f"a text like {shape} is not {expected}", _advice(text, formats))


def _advice(text: str, formats: Sequence[str]) -> str:
    if re.fullmatch(r"[0-9]{5}(?:[.,][0-9]+)?", text):
        return "a spreadsheet made this number of a date: format the column as a date or as text, and export it again"
    if any("%Y" in each and _read(text, _reader(each.replace("%Y", "%y"))) for each in formats):
        return "a year of two digits is %y, which means 1969 to 2068"
    if not text:
        return "for empty cells: {{ '' if row.date is blank else row.date | date(...) }}, and skip_empty"
    return "several formats are a list: date(['%d/%m/%Y', '%Y-%m-%d'], to='%Y-%m-%d')"


@lru_cache(maxsize=64)
def _parts(form: str) -> tuple[str, ...]:
    """The tokens of a format: "%d" for a directive, "=" and the characters for literal text."""
    if len(form) > _LONGEST_FORMAT or not form:
        raise FilterError(f"a format of a date has 1 to {_LONGEST_FORMAT} characters")
    parts: list[str] = []
    for match in _DIRECTIVES.finditer(form):
        name, between = match.groups()
        if name is None or name == "%":
            parts.append("=" + (between or "%"))
        elif name in _PATTERNS:
            parts.append("%" + name)
        else:
            raise FilterError(f"a format of a date has no %{name}", f"there are: {_KNOWN}, and %% for a percent sign")
    return tuple(parts)


@lru_cache(maxsize=64)
def _reader(form: str) -> _DateReader:
    parts = _parts(form)
    pattern = "".join(_part_pattern(parts, index) for index in range(len(parts)))
    directives = tuple(part[1] for part in parts if part[0] == "%")
    return _DateReader(re.compile(pattern, re.ASCII), directives, _said_by(directives, form))


def _part_pattern(parts: Sequence[str], index: int) -> str:
    part = parts[index]
    if part[0] == "=":
        return re.escape(part[1:])
    one = _PATTERNS[part[1]]
    beside = (*parts[max(index - 1, 0) : index], *parts[index + 1 : index + 2])
    if one.endswith("{1,2}") and any(_is_number(other) for other in beside):
        one = one.replace("{1,2}", "{2}")  # 1122024 is ambiguous.
    return f"({one})" if "[0-9]" in one else f"((?i:{one}))"


def _said_by(directives: Iterable[str], form: str) -> frozenset[str]:
    """What the directives of a format read together; refuses formats that read something twice or by half."""
    said = [_SAYS[name] for name in directives if name in _SAYS]
    says = set(said)
    if len(said) != len(says):
        raise FilterError(f"the format {form!r} reads one thing twice", "name day, month and year once each")
    if {"hour of twelve", "half of the day"} <= says:
        says.add("hour")
    elif says & {"hour of twelve", "half of the day"}:
        raise FilterError(f"the format {form!r} reads half a time", "%I and %p go together; %H is the hour of 24")
    return frozenset(says)


def _is_number(part: str) -> bool:
    return part[1:2].isdigit() if part[0] == "=" else "[0-9]" in _PATTERNS[part[1]]


def _check_says(reader: _DateReader, form: str, parts: tuple[str, ...], to: str) -> None:
    for part in parts:
        if part[0] == "%":
            missing = [what for what in _NEEDS[part[1]] if what not in reader.says]
            if missing:
                message = f"the format {to!r} writes the {missing[0]}, which the format {form!r} does not read"
                raise FilterError(message, "nothing is made up: read it, or leave it out")


def _read(text: str, reader: _DateReader) -> datetime | None:
    match = reader.pattern.fullmatch(text)
    if match is None:
        return None
    read = dict(zip(reader.directives, match.groups(), strict=True))
    try:
        # A leap year is the default where no year is read, so that 29 February is valid.
        day = (_year(read), _month(read), int(read.get("d", 1)))
        moment = datetime(*day, _hour(read), int(read.get("M", 0)), int(read.get("S", 0)), tzinfo=UTC)
    except ValueError:
        return None
    if {"day", "month", "year"} <= reader.says and not _fits_weekday(moment, read):
        return None
    return moment if moment.year >= _FIRST_YEAR else None


def _fits_weekday(moment: datetime, read: Mapping[str, str]) -> bool:
    weekday = (read.get("a") or read.get("A") or "")[:_SHORT].lower()
    return not weekday or _DAYS[moment.weekday()][:_SHORT].lower() == weekday


def _hour(read: Mapping[str, str]) -> int:
    if "I" not in read:
        return int(read.get("H", 0))
    twelve = int(read["I"])
    if not 1 <= twelve <= 12:
        raise ValueError(twelve)
    return twelve % 12 + (12 if read["p"].upper() == "PM" else 0)


def _year(read: Mapping[str, str]) -> int:
    if "y" in read:
        year = int(read["y"])
        return year + (1900 if year >= _CENTURY_TURNS else 2000)
    return int(read.get("Y", 2000))


def _month(read: Mapping[str, str]) -> int:
    name = (read.get("b") or read.get("B") or "")[:_SHORT].lower()
    if not name:
        return int(read.get("m", 1))
    return next(number for number, month in enumerate(_MONTHS, 1) if month[:_SHORT].lower() == name)
