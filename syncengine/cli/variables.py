"""`--var NAME=VALUE` as a mapping."""

from __future__ import annotations

from collections.abc import Iterable

from syncengine.core.errors import InputError


def parse_variables(texts: Iterable[str]) -> dict[str, str]:
    """Raises InputError for a text without "=" and for a name given twice."""
    variables: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"--var {text!r} is not NAME=VALUE", code="SE901", hint="--var region=kent")
        if name in variables:
            raise InputError(f"--var {name} is given twice", code="SE901", hint="give each variable once")
        variables[name] = value
    return variables
