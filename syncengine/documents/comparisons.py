"""Comparison and arithmetic in expressions: like with like, exact, or an error that says which filter is missing."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jinja2 import Undefined

from syncengine.documents.filters import kind_of_value
from syncengine.documents.rendering import MAX_TEXT, FilterError, NoText

_LOOKS_NUMERIC = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]+)?\s*", re.ASCII)
_MAX_DIGITS = 40
_USE_NUMBER = "values are texts: write row.payout | number to compare or add amounts"

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def defined(value: object) -> object:
    """`value`; raises where it is undefined."""
    if isinstance(value, Undefined):
        value._fail_with_undefined_error()
    return value


def is_number(value: object) -> bool:
    """Whole and exact decimal numbers; true and false are none."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def compare(left: object, right: object, how: str) -> bool:
    """One comparison. Comparing a text with a number is an error, since they never are equal; so is ordering digits."""
    defined(left)
    defined(right)
    if how in ("in", "notin"):
        return _contains(right, left) is (how == "in")
    if {is_number(left), is_number(right)} == {True, False} and isinstance(left, str) | isinstance(right, str):
        raise FilterError("a text is compared with a number", _USE_NUMBER)
    if how in ("eq", "ne"):
        return (left == right) is (how == "eq")
    both_text = isinstance(left, str) and isinstance(right, str)
    if both_text and _LOOKS_NUMERIC.fullmatch(str(left)) and _LOOKS_NUMERIC.fullmatch(str(right)):
        raise FilterError("two numbers are compared as texts, letter by letter", _USE_NUMBER)
    if not both_text and not (is_number(left) and is_number(right)):
        raise FilterError(f"{kind_of_value(left)} cannot be ordered against {kind_of_value(right)}", _USE_NUMBER)
    return _ORDERINGS[how](left, right)


def _contains(container: object, item: object) -> bool:
    if isinstance(container, str):
        if not isinstance(item, str):
            raise FilterError(f"{kind_of_value(item)} cannot stand in a text")
        return item in container
    if isinstance(container, list | tuple | dict | frozenset):
        if is_number(item) and any(isinstance(other, str) for other in container):
            raise FilterError("a number is looked for among texts", "put it into quotes")
        return item in container
    raise FilterError(f"'in' needs a list or a text on its right, not {kind_of_value(container)}")


def arithmetic(left: object, right: object, how: str) -> int | Decimal:
    """Sum or difference of two numbers, exact and bounded."""
    defined(left)
    defined(right)
    if not is_number(left) or not is_number(right):
        message = f"'{how}' adds numbers, not {kind_of_value(right if is_number(left) else left)}"
        raise FilterError(message, f"{_USE_NUMBER}; write ~ to put texts together")
    result: int | Decimal = left + right if how == "+" else left - right  # type: ignore[operator]
    if len(str(abs(result))) > _MAX_DIGITS:
        raise FilterError(f"a number of more than {_MAX_DIGITS} digits", "use smaller numbers")
    return result


def negative(value: object) -> int | Decimal:
    """A number with its sign turned."""
    return arithmetic(0, value, "-")


def decimal_constant(text: str) -> Decimal:
    """A decimal literal of an expression, exactly as written."""
    return Decimal(text)


def joined(*parts: object) -> str:
    """Texts and numbers put together, within the bound."""
    text = "".join([part if isinstance(part, str) else _printed(part) for part in parts])
    if len(text) > MAX_TEXT:
        raise FilterError(f"the result has more than {MAX_TEXT:,} characters")
    return text


def printed(value: object) -> str:
    """What one expression prints: a text or a number's digits; anything else is an error."""
    text = value if isinstance(value, str) else _printed(value)
    if len(text) > MAX_TEXT:
        raise FilterError(f"the result has more than {MAX_TEXT:,} characters")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise FilterError("the result holds half of a surrogate pair, which is no character") from None
    return text


def _printed(value: object) -> str:
    defined(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    hint = "write default('...') for missing ones"
    if isinstance(value, dict | list | tuple):
        hint = "name one of its values"
    elif isinstance(value, NoText):
        hint = value.advice
    raise FilterError(f"the template gives {kind_of_value(value)}, not a text", hint)
