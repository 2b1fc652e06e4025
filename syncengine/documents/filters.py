"""The filters of templates and conditions. filter_docs.py documents them.

Every filter is deterministic: same text in, same text out, on any machine, in any locale, on any day. An unsuitable
value raises FilterError, whose message is shown with the line of the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from jinja2 import Undefined

from syncengine.core.spreadsheets import SPREADSHEET, fault_of_digits
from syncengine.core.text import is_blank
from syncengine.documents import dates
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.rendering import MAX_TEXT, FilterError, NoText
from syncengine.documents.trimming import squeezed, trimmed

_MAX_NUMBER = 40

_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,12})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_MONEY = {
    ".": re.compile(
        r"(?P<sign>-?)[£$€]?\s?(?P<whole>[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.(?P<fraction>[0-9]{1,2}))?",
        re.ASCII,
    ),
    # Where the decimal mark is a comma, a point or a space groups thousands, and the currency may follow the number.
    ",": re.compile(
        r"(?P<sign>-?)(?P<currency>[£$€][ \xa0]?)?"
        r"(?P<whole>[0-9]{1,3}(?:(?P<mark>[. \xa0\u202f])[0-9]{3})(?:(?P=mark)[0-9]{3}){0,3}|[0-9]{1,15})"
        r"(?:,(?P<fraction>[0-9]{1,2}))?(?(currency)|(?:[ \xa0\u202f]?[£$€])?)"
    ),
}
_POSTCODE_PARTS = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?|GIR)([0-9][A-Z]{2})", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9]", re.ASCII)
_WORD = re.compile(r"[^\W\d_]+")
_SPACES = re.compile(r"\s+")


def text_of(value: object, filter_name: str) -> str:
    """The text that a filter works on; a number of an expression becomes its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return number_text(value)
    advice = value.advice if isinstance(value, NoText) else ""
    raise FilterError(f"the filter {filter_name} takes a text, not {kind_of_value(value)}", advice)


def number_text(value: int | Decimal) -> str:
    """A number without exponent, with as few digits as possible."""
    return str(value) if isinstance(value, int) else format(value, "f")


def kind_of_value(value: object) -> str:
    """Name of a value's type in messages."""
    match value:
        case NoText():
            return value.kind
        case None:
            return "nothing (none)"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case float():
            return "a binary float"
    return "a group of values"


def shape(text: str) -> str:
    """The shape of a text without its content ("TN25 6QD" is 'XX99 9XX'), since messages must not hold values."""
    cut = text if len(text) <= 40 else text[:39] + "…"
    masked = "".join("9" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in cut)
    return repr(masked)


def upper(value: object) -> str:
    return _bounded(text_of(value, "upper").upper(), "upper")


def lower(value: object) -> str:
    return _bounded(text_of(value, "lower").lower(), "lower")


def title(value: object) -> str:
    text = text_of(value, "title")
    return _bounded(_WORD.sub(lambda match: match.group()[0].upper() + match.group()[1:].lower(), text), "title")


def trim(value: object) -> str:
    return trimmed(text_of(value, "trim"))


def squeeze(value: object) -> str:
    return squeezed(text_of(value, "squeeze"))


def default(value: object, replacement: object = "") -> object:
    if isinstance(value, str):
        return replacement if is_blank(value) else value
    return replacement if isinstance(value, Undefined) or value is None else value


def replace(value: object, old: object, new: object) -> str:
    text, old_text, new_text = text_of(value, "replace"), text_of(old, "replace"), text_of(new, "replace")
    if not old_text:
        raise FilterError("replace needs a text to look for", "its first argument is empty")
    if len(text) + text.count(old_text) * (len(new_text) - len(old_text)) > MAX_TEXT:
        raise FilterError(f"replace would make a text of more than {MAX_TEXT:,} characters")
    return text.replace(old_text, new_text)


def truncate(value: object, length: object) -> str:
    if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= MAX_TEXT:
        raise FilterError(f"truncate takes a length from 0 to {MAX_TEXT:,}")
    return text_of(value, "truncate")[:length]


def digits(value: object) -> str:
    text = text_of(value, "digits")
    fault = fault_of_digits(text)
    if fault is not None:
        raise FilterError(f"a text like {shape(text)} is not one number: {fault.cause}", fault.remedy)
    return _NOT_DIGITS.sub("", text)


def join(value: object, separator: object = "") -> str:
    if not isinstance(value, list | tuple):
        raise FilterError("join takes a list, as in [row.a, row.b] | join(' ')")
    return _bounded(text_of(separator, "join").join(text_of(item, "join") for item in value), "join")


def lookup(value: object, mapping: object, replacement: object = None) -> object:
    if not isinstance(mapping, dict):
        hint = "write row.status | lookup(vars.names), and names: {approved: Sold} under vars"
        raise FilterError(f"lookup takes a mapping of vars, not {kind_of_value(mapping)}", hint)
    text = text_of(value, "lookup")
    if text in mapping:
        return mapping[text]
    if replacement is None:
        hint = f"{did_you_mean(text, mapping) or 'there is none'}; or give what else to use: lookup(..., 'other')"
        raise FilterError(f"a text like {shape(text)} is no key of the mapping that lookup uses", hint)
    return replacement


def money(value: object, decimal: object = ".") -> str:
    pattern = _MONEY.get(decimal) if isinstance(decimal, str) else None
    if pattern is None:
        raise FilterError("the decimal mark of money is '.' or ','", "write money(decimal=',')")
    text = trimmed(text_of(value, "money"))
    match = pattern.fullmatch(text)
    if match is None:
        message = f"a text like {shape(text)} is not an amount with at most two decimals"
        raise FilterError(message, _money_hint(text, str(decimal)))
    whole = int(_NOT_DIGITS.sub("", match["whole"]))
    return f"{match['sign']}{whole}.{(match['fraction'] or '').ljust(2, '0')}"


def _money_hint(text: str, decimal: str) -> str:
    if not text:
        return "for empty cells: {{ '' if row.payout is blank else row.payout | money }}, and skip_empty"
    if decimal == ",":
        return "an amount looks like 1.234,50"
    if "," in text and _MONEY[","].fullmatch(text):
        return "an amount looks like 1234.50; where the comma is the decimal mark, write money(decimal=',')"
    return "an amount looks like 1234.50"


def number(value: object) -> Decimal:
    text = trimmed(text_of(value, "number"))
    if len(text) > _MAX_NUMBER or _NUMBER.fullmatch(text) is None:
        raise FilterError(f"a text like {shape(text)} is not a plain number", "a number looks like 12 or 12.50")
    return Decimal(text)


def integer(value: object) -> int:
    text = trimmed(text_of(value, "int"))
    if _INTEGER.fullmatch(text) is None:
        hint = "for decimals use the filter number"
        if fault_of_digits(text) is SPREADSHEET:
            hint += f"; an id is no number: where {SPREADSHEET.cause}, {SPREADSHEET.remedy}"
        raise FilterError(f"a text like {shape(text)} is not a whole number", hint)
    return int(text)


def add_percent(value: object, percent: object) -> str:
    amount, share = number(money(value)), number(percent)
    raised = amount + amount * share / 100
    return money(format(raised.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP), "f"))


def e164(value: object, calling_code: object = "44") -> str:
    from syncengine.documents.phone import international

    text = text_of(value, "e164")
    return international(text, text_of(calling_code, "e164").removeprefix("+"), shape(text))


def date(value: object, formats: object, to: object = "%Y-%m-%d") -> str:
    named = formats if isinstance(formats, list | tuple) else [formats]
    if not named or not all(isinstance(each, str) for each in (*named, to)):
        raise FilterError("date takes a format or a list of formats, as in date('%d/%m/%Y', to='%Y-%m-%d')")
    text = trimmed(text_of(value, "date"))
    return dates.rewritten(text, [str(each) for each in named], str(to), shape(text))


def uk_postcode(value: object) -> str:
    text = text_of(value, "uk_postcode")
    match = _POSTCODE_PARTS.fullmatch(_SPACES.sub("", text).upper())
    if match is None:
        raise FilterError(f"a text like {shape(text)} is not a UK postcode", "a postcode looks like TN25 6QD")
    return f"{match.group(1)} {match.group(2)}"


def _bounded(text: str, filter_name: str) -> str:
    if len(text) > MAX_TEXT:
        raise FilterError(f"{filter_name} would make a text of more than {MAX_TEXT:,} characters")
    return text


FILTERS: dict[str, Callable[..., object]] = {
    "add_percent": add_percent,
    "date": date,
    "default": default,
    "digits": digits,
    "e164": e164,
    "int": integer,
    "join": join,
    "lookup": lookup,
    "lower": lower,
    "money": money,
    "number": number,
    "replace": replace,
    "squeeze": squeeze,
    "title": title,
    "trim": trim,
    "truncate": truncate,
    "uk_postcode": uk_postcode,
    "upper": upper,
}
