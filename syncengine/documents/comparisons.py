"""Comparison, truth and arithmetic in expressions: operands of one kind, or an error that shows what to write
instead."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from jinja2 import Undefined

from syncengine.core.text import Texts, is_blank
from syncengine.documents.filters import kind_of_value, text_of
from syncengine.documents.rendering import MAX_TEXT, FilterError, NoText

_LOOKS_NUMERIC = re.compile(r"\s*[+-]?[0-9]+(?:\.[0-9]+)?\s*", re.ASCII)
_MAX_DIGITS = 40
_USE_NUMBER = "values are texts: write row.payout | number to compare or add amounts"
_WRITE_A_LIST = "write a list: row.status in ['approved', 'returned'], or a list under vars"

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


def is_undefined(value: object) -> bool:
    """Whether the value is undefined."""
    return isinstance(value, Undefined)


def is_number(value: object) -> bool:
    """Whether it is a whole or exact decimal number; booleans are not."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def true_or_false(value: object, user: str, source: str) -> bool:
    """`value` where it is a boolean; raises otherwise. By Python's rules any text but '' would be true, 'FALSE'
    included.

    `user` is the operator that needs the boolean ("if", "not", "and", "or"; "" for a whole condition), `source` the
    operand as written.
    """
    if value is True or value is False:
        return value
    kind = kind_of_value(defined(value))
    hint = _comparison_to_write(value, source or "row.status")
    if not user:
        raise FilterError(f"the condition gives {kind}, not true or false", hint)
    named = f"{source} is {kind}" if source else f"this is {kind}"
    raise FilterError(f"'{user}' takes true or false, and {named}", hint)


def _comparison_to_write(value: object, source: str) -> str:
    if isinstance(value, NoText):
        return value.advice
    if value is None:
        return f"compare it: {source} is not none"
    if isinstance(value, str):
        return f"compare it: {source} == 'TRUE', or {source} is not blank"
    if is_number(value):
        return f"compare it: {source} > 0"
    if isinstance(value, list | tuple):
        return f"look something up in it: 'approved' in {source}"
    return f"compare one of its values: {source}.name == 'TRUE'"


def amount_or_none(value: object) -> object:
    """A number, or none where there is no value. In a policy `or` and a literal may follow such an operand."""
    if value is None or is_number(defined(value)):
        return value
    hint = "compare it, as in op.buyer == '33'; 'or' with a number behind it is for amounts: (op.payout or 0) > 200"
    raise FilterError(f"'or' takes true or false, and this is {kind_of_value(value)}", hint)


def equal(left: object, right: object) -> bool:
    """Whether two values are equal. Comparing values of two kinds is an error."""
    if left.__class__ is str and right.__class__ is str:
        return left == right
    defined(left)
    defined(right)
    kinds = {_kind(left), _kind(right)}
    if len(kinds) == 1 or not kinds <= _OWN_KINDS:
        return left == right
    raise FilterError(_unlike(left, right), _unlike_hint(kinds))


def unequal(left: object, right: object) -> bool:
    """The opposite of `equal`."""
    return not equal(left, right)


_OWN_KINDS = frozenset({"text", "number", "truth", "list", "group"})


def _kind(value: object) -> str:
    match value:
        case str():
            return "text"
        case bool():
            return "truth"
        case int() | Decimal():
            return "number"
        case list() | tuple():
            return "list"
        case dict():
            return "group"
    return "none" if value is None else "other"


def _unlike(left: object, right: object) -> str:
    return f"{kind_of_value(left)} is compared with {kind_of_value(right)}, which it never equals"


def _unlike_hint(kinds: set[str]) -> str:
    if kinds == {"text", "number"}:
        return _USE_NUMBER
    if kinds == {"text", "truth"}:
        return "values are texts: write what the file holds, as in row.optin == 'TRUE'"
    if "list" in kinds:
        return "write in for one of several: row.status in ['approved', 'returned']"
    return "compare like with like"


def order(left: object, right: object, how: str) -> bool:
    """One ordering. Ordering digits as texts is an error, since '9' would come after '10'."""
    defined(left)
    defined(right)
    both_text = isinstance(left, str) and isinstance(right, str)
    if both_text and _LOOKS_NUMERIC.fullmatch(str(left)) and _LOOKS_NUMERIC.fullmatch(str(right)):
        raise FilterError("two numbers are compared as texts, letter by letter", _USE_NUMBER)
    if not both_text and not (is_number(left) and is_number(right)):
        raise FilterError(f"{kind_of_value(left)} cannot be ordered against {kind_of_value(right)}", _USE_NUMBER)
    return _ORDERINGS[how](left, right)


def among(item: object, container: object) -> bool:
    """Whether `item` equals an element of a list. A text is refused as list, since `in` would find every substring and
    ''."""
    if isinstance(container, Texts) and item.__class__ is str:
        return item in container.members
    defined(item)
    defined(container)
    if not isinstance(container, list | tuple | frozenset | set):
        raise FilterError(f"'in' needs a list on its right, not {kind_of_value(container)}", _list_hint(container))
    # Compare every element, so that an element of another kind is an error on each row, not only on some.
    return sum([equal(item, entry) for entry in container]) > 0


def _list_hint(container: object) -> str:
    if isinstance(container, str):
        return _WRITE_A_LIST + "; for a part of a text: row.notes is containing('approved')"
    if isinstance(container, dict):
        return "a mapping is for lookup: row.status | lookup(vars.names); " + _WRITE_A_LIST
    return _WRITE_A_LIST


def among_or_key(item: object, container: object) -> bool:
    """The same in a policy, where `'postcode' in op.fields` also tests the name of a field."""
    if isinstance(container, dict) and isinstance(item, str):
        return item in container
    return among(item, container)


def among_texts(item: object, container: tuple[str, ...]) -> bool:
    """The same for a list that holds quoted texts only."""
    if item.__class__ is str:
        return item in container
    return among(item, container)


def blank(value: object) -> bool:
    """The test `is blank`: whether a text is empty or invisible. None, which occurs in a policy, is blank too."""
    if isinstance(value, str):
        return is_blank(value)
    if defined(value) is None:
        return True
    hint = value.advice if isinstance(value, NoText) else "name a single value"
    raise FilterError(f"'is blank' asks about a text, not {kind_of_value(value)}", hint)


def containing(value: object, part: object) -> bool:
    """The test `is containing`: whether `part` is a substring."""
    wanted = text_of(part, "containing")
    if not wanted:
        raise FilterError("'is containing' needs a text to look for", "the text in brackets is empty")
    if isinstance(value, list | tuple):
        raise FilterError("'is containing' looks into a text, not a list", "write 'approved' in vars.sold")
    return wanted in text_of(value, "containing")


def is_none(value: object) -> bool:
    """The test `is none`. An undefined value is an error, as everywhere."""
    return defined(value) is None


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
    """A number, negated."""
    return arithmetic(0, value, "-")


def decimal_constant(text: str) -> Decimal:
    """A decimal literal of an expression, exactly as written."""
    return Decimal(text)


def joined(*parts: object) -> str:
    """Texts and numbers concatenated, up to the length limit."""
    text = "".join([part if isinstance(part, str) else _printed(part) for part in parts])
    if len(text) > MAX_TEXT:
        raise FilterError(f"the result has more than {MAX_TEXT:,} characters")
    return text


def printed(value: object) -> str:
    """Output of one expression: a text, or a number's digits; anything else is an error."""
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
    raise FilterError(f"the template gives {kind_of_value(value)}, not a text", _print_hint(value))


def _print_hint(value: object) -> str:
    if isinstance(value, dict):
        return "name one of its values, or write row.status | lookup(vars.names)"
    if isinstance(value, list | tuple):
        return "a list is for in, as in row.status in vars.sold; join makes a text of one"
    if isinstance(value, bool):
        return "write 'yes' if ... else 'no'"
    if isinstance(value, NoText):
        return value.advice
    return "write default('...') for missing ones"
