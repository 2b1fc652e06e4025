"""What a value is by its shape: digits written as 9, letters as A and a. Shared by rules on formats and repeats."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Family = Literal["date", "phone", "postcode", "email", ""]

_DATE = re.compile(r"(?:(9999)([-/.])99?\2(99?)|99?([-/.])99?\4(9999|99))([T ]99:99.*)?")
_PHONE = re.compile(r"(\+|00)?[09][0-9 ().-]{6,}|\+?\(?9[9 ().-]{7,}\)?[9 ().-]*")
_POSTCODE = re.compile(r"[Aa]{1,2}9[9Aa]?( ?)9[Aa]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[Aa]{2,}")


@lru_cache(maxsize=16_384)
def family_of(shape: str) -> Family:
    """What values of this shape can be."""
    if "@" in shape:
        return "email" if _EMAIL.fullmatch(shape) else ""
    if "9" not in shape:
        return ""
    if len(shape) <= 8 and _POSTCODE.fullmatch(shape):
        return "postcode"
    if _DATE.fullmatch(shape):
        return "date"
    if 9 <= shape.count("9") <= 15 and _PHONE.fullmatch(shape):
        return "phone"
    return ""


@lru_cache(maxsize=16_384)
def postcode_shape(shape: str) -> str:
    """Space and case of a postcode."""
    space = "with a space" if " " in shape else "without a space"
    case = "capitals" if shape == shape.upper() else "small letters" if "A" not in shape else "mixed letters"
    return f"{case}, {space}"


_CLEAR_PHONE = re.compile(r"\+[0-9]{9,15}|00[1-9][0-9]{9,12}|0[1-9][0-9]{9}")


def is_clear_phone(value: str) -> bool:
    """Whether a value shows by itself that it is a phone number; other digits may be the number of anything.

    Without plus or international prefix it is one with eleven digits, as in most of Europe.
    """
    return _CLEAR_PHONE.fullmatch(value.translate(_GROUPING)) is not None


_GROUPING = str.maketrans("", "", " ().-")


def phone_shape(value: str) -> str:
    """How a phone number begins."""
    text = value.lstrip("( ")
    if text.startswith("+"):
        return "+"
    if text.startswith("00"):
        return "00"
    return "0" if text.startswith("0") else "no prefix"


def date_shape(value: str) -> str:
    """Order and separator of a date; "?" in front where day and month could be either."""
    found = _NUMBERS.match(value)
    if found is None:
        return ""
    one, separator, two = found.group(1), found.group(2), found.group(3)
    if len(one) == 4:
        return f"year{separator}month{separator}day"
    if int(one) > 12:
        return f"day{separator}month{separator}year"
    if int(two) > 12:
        return f"month{separator}day{separator}year"
    return f"?{separator}"


_NUMBERS = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})")


def way_written(family: Family, shape: str, value: str) -> str:
    """How a value of this shape is written, of the ways of its family; "" where the family has only one."""
    match family:
        case "postcode":
            return postcode_shape(shape)
        case "date":
            return date_shape(value)
        case "phone":
            return phone_shape(value)
        case _:
            return ""


def is_contact(field: str) -> Family:
    """Whether a field's name says that it holds e-mail addresses or phone numbers."""
    name = field.lower()
    if "mail" in name:
        return "email"
    return "phone" if any(part in name for part in ("phone", "mobile", "tel")) else ""
