"""Phone numbers in international form, by the numbering plans of the library `phonenumbers`.

The library parses leniently: it extracts a number from a sentence, reads letters as keys, and the zero of a
spreadsheet's `.0` as a digit. A text is therefore validated first, and refused unless it is plainly one number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from syncengine.core.spreadsheets import fault_of_digits
from syncengine.core.text import UNSEEN, WHITE_SPACE
from syncengine.documents.rendering import FilterError

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

_UNSEEN = re.compile(f"[{UNSEEN}]+")
_SPACES = re.compile(f"[{WHITE_SPACE}]+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_PHONE = re.compile(r"[+(0-9][0-9 ().\-/]*", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9]+", re.ASCII)
_TRUNK_ZERO = re.compile(r"\( *0 *\)", re.ASCII)
_CALLING_CODE = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_NO_REGION = "001"
"""The library's region code for numbers of no country, such as +800."""
_UNKNOWN = "ZZ"
_LONGEST = 40
_FEWEST_DIGITS = 5
_MOST_DIGITS = 18
"""00, fifteen digits, and a trunk zero."""


def international(text: str, calling_code: str, shape: str) -> str:
    """`text` in E.164 form; `calling_code` applies to numbers without one. Raises FilterError.

    `shape` masks the text in messages.
    """
    region = _region(calling_code)
    plain = _plain_number(text, shape)
    found = _read(plain, calling_code, region)
    if isinstance(found, AmbiguousNumber):
        message = f"a text like {shape} begins with {calling_code}, as its calling code or as a part of the number"
        raise FilterError(message, f"both are numbers in use: write +{calling_code} or the first 0 in front of it")
    if found is None:
        country = "its country" if plain.startswith(("+", "00")) else f"the country with the code {calling_code}"
        message = f"a text like {shape} is not a possible phone number of {country}"
        hint = "it has too few or too many digits; another country's number begins with '+' and its code"
        raise FilterError(message, hint)
    return found


def _plain_number(text: str, shape: str) -> str:
    """The digits and signs of a number, its dashes and spaces made plain ones."""
    fault = fault_of_digits(text)
    if fault is not None:
        cause = fault.cause.replace("of an id", "of it")
        raise FilterError(f"a text like {shape} is not one phone number: {cause}", fault.remedy)
    plain = _DASHES.sub("-", _SPACES.sub(" ", _UNSEEN.sub("", text))).strip()
    plain = plain.replace("(+", "+(", 1) if plain.startswith("(+") else plain
    if len(plain) > _LONGEST or _PHONE.fullmatch(plain) is None:
        hint = "" if plain else "for empty cells: {{ '' if row.phone is blank else row.phone | e164 }}, and skip_empty"
        raise FilterError(f"a text like {shape} is not a phone number", hint)
    return plain


def other_notations(text: str, calling_code: str = "44") -> tuple[str, ...]:
    """A number in E.164 form and in national digits, as far as they differ from `text`.

    Empty where `text` is not a possible number; `calling_code` applies to numbers without one.
    """
    import phonenumbers

    try:
        form = international(text, calling_code, "this")
    except FilterError:
        return ()
    number = phonenumbers.parse(form)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    both = dict.fromkeys((form, _NOT_DIGITS.sub("", national)))
    return tuple(each for each in both if each != text)


def is_phone_like(text: str) -> bool:
    """Whether a trimmed text could be one phone number of some country. False for the remains of one that a spreadsheet
    damaged."""
    if fault_of_digits(text) is not None or len(text) > _LONGEST:
        return False
    plain = _DASHES.sub("-", _SPACES.sub(" ", _UNSEEN.sub("", text)))
    digits = len(_NOT_DIGITS.sub("", plain))
    return _PHONE.fullmatch(plain) is not None and _FEWEST_DIGITS <= digits <= _MOST_DIGITS


def _region(calling_code: str) -> str:
    import phonenumbers

    if _CALLING_CODE.fullmatch(calling_code):
        region = phonenumbers.region_code_for_country_code(int(calling_code))
        if region != _UNKNOWN:
            return region
    raise FilterError(f"{calling_code[:10]!r} is not a country's calling code", "write e164('44')")


class AmbiguousNumber:
    """The text is the notation of two numbers in use."""


def _read(plain: str, calling_code: str, region: str) -> str | AmbiguousNumber | None:
    """The number as it was written. Where a zero makes that ambiguous, the reading that is a number in use."""
    as_written, without_zero, with_plus = _readings(plain, calling_code, region)
    numbers = _possible(as_written, region)
    if with_plus and with_plus[0] not in numbers:
        # The library took the calling code for an area code, as plans with long numbers (Germany's) allow.
        coded = _with_code(plain, calling_code, numbers, _possible(with_plus, region))
        if coded is not None:
            return coded
    if _is_certain(plain, numbers):
        return next(iter(numbers))
    others = _possible(without_zero, region)
    in_use = _in_use({**numbers, **others})
    if in_use is not None:
        return in_use
    found = numbers or _possible(with_plus, region) or others
    # The readings differ in a zero. Whether it belongs to the number is unknown, so neither is chosen.
    return next(iter(found)) if len(found) == 1 else _in_use(found)


def _is_certain(plain: str, numbers: Mapping[str, PhoneNumber]) -> bool:
    """Whether the reading as written is the only one, so that no zero can make a difference."""
    if len(numbers) != 1 or plain.startswith("00"):
        return False
    return all(not number.italian_leading_zero for number in numbers.values())


def _with_code(
    plain: str, calling_code: str, national: Mapping[str, PhoneNumber], coded: Mapping[str, PhoneNumber]
) -> str | AmbiguousNumber | None:
    """The reading with the calling code, where the notation or the numbering plan supports it."""
    form, other = _in_use(coded), _in_use(national)
    if re.match(rf"{calling_code}[ .\-]*\( *0 *\)", plain):
        return form or next(iter(coded), None)
    set_apart = re.match(rf"{calling_code}[ .\-/(]", plain) is not None
    if form is None or form == other or other is None or set_apart:
        return form
    mobile = _is_mobile(coded[form])
    if mobile == _is_mobile(national[other]):
        return AmbiguousNumber()
    return form if mobile else other


def _is_mobile(number: PhoneNumber) -> bool:
    import phonenumbers

    return phonenumbers.number_type(number) in (
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    )


def _readings(plain: str, calling_code: str, region: str) -> tuple[list[str], list[str], list[str]]:
    """The literal reading, and those without a zero or with a '+' that the country's custom implies."""
    digits, bare = (_NOT_DIGITS.sub("", text) for text in (plain, _TRUNK_ZERO.sub("", plain, count=1)))
    each = dict.fromkeys((digits, bare))
    if plain[0] == "+":
        return ["+" + one for one in each], [_without_zero(digits)], []
    if digits.startswith("00"):
        return ["+" + one.removeprefix("00") for one in each], [_without_zero(digits[2:]), digits], []
    prefix = f"+{calling_code}" if region == _NO_REGION else ""
    national = [prefix + one for one in each]
    if digits.startswith(calling_code):
        return national, [], ["+" + digits, _without_zero(digits)]
    return national, [f"+{calling_code}{digits[1:]}"] if digits.startswith("0") else [], []


def _without_zero(digits: str) -> str:
    """An international number without the zero after its calling code."""
    import phonenumbers

    for length in (1, 2, 3):
        if digits[:length].isdecimal() and int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return "+" + digits[:length] + digits[length:].removeprefix("0")
    return "+" + digits


def _possible(readings: Iterable[str], region: str) -> dict[str, PhoneNumber]:
    """Those of the readings that are possible numbers, by E.164 form."""
    import phonenumbers

    found: dict[str, PhoneNumber] = {}
    for reading in readings:
        try:
            number = phonenumbers.parse(reading, None if region == _NO_REGION else region)
        except phonenumbers.NumberParseException:
            continue
        form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        if _is_possible(number, form):
            found[form] = number
    return found


def _is_possible(number: PhoneNumber, form: str) -> bool:
    import phonenumbers

    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.IS_POSSIBLE:
        # The library allows nine digits in Britain, which some landlines have; a mobile number has ten.
        return not form.startswith("+447") or len(form) == len("+447700900123")
    # A number that can be dialled only within its area lacks its area code; a few such numbers (+1 310 1234) have none.
    local = reason == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    return local and phonenumbers.is_valid_number(number)


def _in_use(numbers: Mapping[str, PhoneNumber]) -> str | None:
    import phonenumbers

    return next((form for form, number in numbers.items() if phonenumbers.is_valid_number(number)), None)
