"""Phone numbers in international form, as the library `phonenumbers` knows the numbering plans.

The library reads leniently: it takes a number out of a sentence, letters as keys, and the zero of a spreadsheet's `.0`
as a digit. So a text is looked at first, and what is not plainly one number is refused.
"""

from __future__ import annotations

import re

from syncengine.core.spreadsheets import fault_of_digits
from syncengine.core.text import UNSEEN, WHITE_SPACE
from syncengine.documents.rendering import FilterError

_UNSEEN = re.compile(f"[{UNSEEN}]+")
_SPACES = re.compile(f"[{WHITE_SPACE}]+")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_PHONE = re.compile(r"[+(0-9][0-9 ().\-/]*", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9]+", re.ASCII)
_TRUNK_ZERO = re.compile(r"\( *0 *\)", re.ASCII)
_CALLING_CODE = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_NO_REGION = "001"
"""What the library calls the numbers of no country, such as +800."""
_UNKNOWN = "ZZ"
_LONGEST = 40


def international(text: str, calling_code: str, shape: str) -> str:
    """`text` in E.164 form, `calling_code` being that of numbers without one. Raises FilterError.

    `shape` shows the text in messages.
    """
    region = _region(calling_code)
    fault = fault_of_digits(text)
    if fault is not None:
        cause = fault.cause.replace("of an id", "of it")
        raise FilterError(f"a text like {shape} is not one phone number: {cause}", fault.remedy)
    plain = _DASHES.sub("-", _SPACES.sub(" ", _UNSEEN.sub("", text))).strip()
    plain = plain.replace("(+", "+(", 1) if plain.startswith("(+") else plain
    if len(plain) > _LONGEST or _PHONE.fullmatch(plain) is None:
        hint = "" if plain else "leave empty cells out"
        raise FilterError(f"a text like {shape} is not a phone number", hint)
    found = _read(plain, calling_code, region)
    if found is None:
        country = "its country" if plain.startswith(("+", "00")) else f"the country with the code {calling_code}"
        message = f"a text like {shape} is not a possible phone number of {country}"
        hint = "it has too few or too many digits; another country's number begins with '+' and its code"
        raise FilterError(message, hint)
    return found


def _region(calling_code: str) -> str:
    import phonenumbers

    if _CALLING_CODE.fullmatch(calling_code):
        region = phonenumbers.region_code_for_country_code(int(calling_code))
        if region != _UNKNOWN:
            return region
    raise FilterError(f"{calling_code[:10]!r} is not a country's calling code", "write e164('44')")


def _read(plain: str, calling_code: str, region: str) -> str | None:
    """The first reading that is a number in use; else the possible one, where the notation leaves one."""
    as_written, without_zero, with_plus = _readings(plain, calling_code, region)
    for reading in (*as_written, *without_zero):
        number, in_use = _possible(reading, region)
        if in_use:
            return number
    for readings in (as_written, with_plus, without_zero):
        found = {_possible(reading, region)[0] for reading in readings} - {""}
        if found:
            # Readings differ in a zero: whether it belongs to the number is then not known, and not guessed.
            return found.pop() if len(found) == 1 else None
    return None


def _readings(plain: str, calling_code: str, region: str) -> tuple[list[str], list[str], list[str]]:
    """What the notation says, and what it says without a zero or with a '+' that its country's custom asks for."""
    digits, bare = (_NOT_DIGITS.sub("", text) for text in (plain, _TRUNK_ZERO.sub("", plain, count=1)))
    each = dict.fromkeys((digits, bare))
    if plain[0] == "+":
        return ["+" + one for one in each], [_without_zero(digits)], []
    if digits.startswith("00"):
        return ["+" + one.removeprefix("00") for one in each], [_without_zero(digits[2:]), digits], []
    national = [f"+{calling_code}{one}" for one in each] if region == _NO_REGION else list(each)
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


def _possible(reading: str, region: str) -> tuple[str, bool]:
    """`reading` in E.164 form, "" where it is no possible number; and whether such numbers are in use."""
    import phonenumbers

    try:
        number = phonenumbers.parse(reading, None if region == _NO_REGION else region)
    except phonenumbers.NumberParseException:
        return "", False
    form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number):
        return form, True
    # A number that can be dialled within its area only is not possible here: its area code is not known.
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    # The library allows nine digits in Britain, which some landlines have; a mobile number has ten.
    short = form.startswith("+447") and len(form) != len("+447700900123")
    return (form, False) if possible and not short else ("", False)
