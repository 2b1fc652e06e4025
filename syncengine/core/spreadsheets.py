"""Detection of damaged numbers: a number that a spreadsheet reformatted, and several numbers in one cell.

Such a text is refused with its cause and never repaired. The digits of `2932683.0` are the id of another lead, and
`2.93E+06` has lost four digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from syncengine.core.text import UNSEEN, WHITE_SPACE, is_blank


class SpreadsheetFault(NamedTuple):
    """Why a text is not one number, as a clause, and what to do about it."""

    cause: str
    remedy: str


SPREADSHEET = SpreadsheetFault(
    "a spreadsheet made this number of an id", "format the column as text in the spreadsheet, and export it again"
)
SEVERAL = SpreadsheetFault("it holds several numbers", "give each number a row or a column of its own")
_THOUSANDS = SpreadsheetFault(
    "a spreadsheet put separators between its thousands, or it holds several numbers",
    "format the column as text in the spreadsheet, and export it again",
)
_MARKED = SpreadsheetFault(
    "a spreadsheet's mark for text is part of it", "export the column again, without the apostrophe or ="
)
_OTHER_DIGITS = SpreadsheetFault("it holds digits other than 0 to 9", "write it with the digits 0 to 9")
_UNSEEN_AROUND = SpreadsheetFault(
    "there is white space or an invisible character beside the digits", "take it off: {{ row.COLUMN | trim }}"
)
_EMPTY = SpreadsheetFault("the value is empty", "every row needs its id: fill the cell, or leave the row out")
_BLANK = SpreadsheetFault("the value shows nothing", _EMPTY.remedy)

# Excel writes 2.93E+06 (2,93E+06 where the decimal mark is a comma), Python 2.93e+06, other programs 2.93e6.
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?\s?[eE]\s?[+-]?[0-9]{1,3}", re.ASCII)
# A comma before three digits groups thousands, or separates two numbers.
_FRACTION = re.compile(r"[+-]?[0-9]*(?:\.[0-9]+|,(?:[0-9]{1,2}|0+))", re.ASCII)
_THOUSANDS_APART = re.compile(r"[+-]?[0-9]{1,3}(?:[.,'\u2019\s\u2009\u202f\xa0][0-9]{3})+(?:[.,][0-9]+)?")
_LISTED = re.compile(r"[0-9]+(?:\s*(?:[;,|&+/\\\-\u2010-\u2015\u2212\s]|\band\b|\bor\b)\s*[0-9]+)+", re.IGNORECASE)
_MARK = re.compile(r"(?:=?\"[0-9]+\"|=?'[0-9]+'?|=[0-9]+)", re.ASCII)
_BUYER_EXPONENT = re.compile(r"[0-9]+(?:[.,][0-9]*)?[eE][+-][0-9]{1,3}|[0-9]+[.,][0-9]+[eE][0-9]{1,3}", re.ASCII)
_HYPHENATED = re.compile(r"[0-9]+(?:-[0-9]+)+", re.ASCII)
"""12-34 may be the name of one buyer."""
_BUYER_FRACTION = re.compile(r"[0-9]+[.,]0+", re.ASCII)

_CORE = re.compile(r"[0-9](?:.*[0-9])?", re.DOTALL)
_RUN = re.compile(r"[0-9]+")
_BETWEEN = re.compile(r"[^0-9]+")
_UNSEEN = re.compile(f"[{UNSEEN}]+")
_AROUND = re.compile(f"^[{WHITE_SPACE}{UNSEEN}]+|[{WHITE_SPACE}{UNSEEN}]+$")
_PUNCTUATION = re.compile(r"[ \xa0\u2000-\u200a\u202f\u205f\u3000.()/\-\u2010-\u2015\u2212]+")
"""Characters allowed between the digits of one number. Letters, commas, semicolons, line breaks and so on separate
two."""
_ZERO_FRACTION = re.compile(r"[^.]*\.0+")
_DATE_OR_TIME = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4}|[0-9]{4}/[0-9]{2}/[0-9]{2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_BRACKET_AT_END = re.compile(r"[0-9].*\([0-9 ]+\)\s*", re.DOTALL)
_LONG_RUN = 7
"""Two unbroken runs of this many digits are two numbers: the longest phone number has 15 digits, and none is written
so."""
_LONGEST_PHONE = 18
"""Maximum number of digits: 00, fifteen digits, and a trunk zero."""

_FAULTS_OF_IDS = (
    (_EXPONENT, SPREADSHEET),
    (_THOUSANDS_APART, _THOUSANDS),
    (_FRACTION, SPREADSHEET),
    (_LISTED, SEVERAL),
    (_MARK, _MARKED),
)


def fault_of_digits(text: str) -> SpreadsheetFault | None:
    """Why the digits of `text` are not one number; None where they are, or where it has no digits.

    A phone number is one number; it may contain spaces, dots, dashes, brackets and one slash after its area code.
    """
    if text.isascii() and text.isdecimal():
        return None
    # Word processors put invisible characters between digits: they part no number.
    text = text if text.isascii() else _UNSEEN.sub("", text)
    if _has_other_digits(text):
        return _OTHER_DIGITS
    match = _CORE.search(text)
    return None if match is None else _fault_of_core(text, match.group(), text[: match.start()].rstrip())


def _fault_of_core(text: str, core: str, before: str) -> SpreadsheetFault | None:
    """`core` goes from the first digit of `text` to its last, `before` is what precedes it."""
    if _is_fraction_or_exponent(text.strip(" \t\r\n'\"="), core, before):
        return SPREADSHEET
    if _DATE_OR_TIME.fullmatch(core):
        return None
    if "," in core and _THOUSANDS_APART.fullmatch(core):
        return _THOUSANDS
    return SEVERAL if _holds_several(text, core, before) else None


def _has_other_digits(text: str) -> bool:
    """Whether it holds digits other than 0 to 9, such as Arabic ones."""
    return not text.isascii() and any(character.isdecimal() and not character.isascii() for character in text)


def fault_of_id(text: str) -> SpreadsheetFault | None:
    """Why `text` is not an id, where the cause is known; None otherwise."""
    if is_blank(text):
        return _BLANK if text else _EMPTY
    if _has_other_digits(text):
        return _OTHER_DIGITS
    bare = _AROUND.sub("", text)
    for pattern, fault in _FAULTS_OF_IDS:
        if pattern.fullmatch(bare):
            return fault
    if bare.isdecimal():
        return _UNSEEN_AROUND if bare != text else None
    return None if bare[:1].isalpha() else fault_of_digits(bare)


def fault_of_buyer(text: str) -> SpreadsheetFault | None:
    """Why `text` is not a buyer's id. A buyer's id may be any word, so only the shape of a damaged number is a
    fault."""
    text = _AROUND.sub("", text)
    if not text[:1].isdigit() or text.isalnum():
        return None
    if _BUYER_EXPONENT.fullmatch(text) or _BUYER_FRACTION.fullmatch(text):
        return SPREADSHEET
    return SEVERAL if _LISTED.fullmatch(text) and not _HYPHENATED.fullmatch(text) else None


def _is_fraction_or_exponent(whole: str, core: str, before: str) -> bool:
    if _EXPONENT.fullmatch(whole) or (core.count(".") == 1 and _ZERO_FRACTION.fullmatch(core)):
        return True
    if _FRACTION.fullmatch(core) is None:
        return _FRACTION.fullmatch(whole) is not None
    return not _is_dotted_phone(core, before)


def _is_dotted_phone(core: str, before: str) -> bool:
    # "07700.900123" and "+44.7700900123" are phone numbers: no spreadsheet puts a zero or a plus before a number.
    marked = (core[0] == "0" and core[1] != ".") or before.endswith("+")
    return "." in core and len(core) > _LONG_RUN and marked


def _holds_several(text: str, core: str, before: str) -> bool:
    runs = _RUN.findall(core)
    if len(runs) == 1:
        return False
    if _are_apart(runs, _BETWEEN.findall(core)) or _BRACKET_AT_END.fullmatch(text, len(before)):
        return True
    international = before.endswith(("+", "+("))
    is_phone = international or core.startswith("0")
    if is_phone and sum(map(len, runs)) > _LONGEST_PHONE:
        return True
    return "/" in core and not (is_phone and _slash_ends_area_code(core, international=international))


def _are_apart(runs: Sequence[str], betweens: Sequence[str]) -> bool:
    """Whether other signs than the punctuation of one number part the digits, or two runs are long enough alone."""
    long = [run for run in runs if len(run) >= _LONG_RUN]
    return len(long) > 1 or not all(map(_PUNCTUATION.fullmatch, betweens))


def _slash_ends_area_code(core: str, *, international: bool) -> bool:
    """Whether the one slash of a phone number separates its area code from the rest, as in 030/1234567."""
    area, _, rest = core.partition("/")
    area, rest = "".join(_RUN.findall(area)), rest.lstrip()
    longest = 9 if international or area.startswith("00") else 6
    return "/" not in rest and len(area) <= longest and rest[0] in "123456789" and len(rest) >= 3
