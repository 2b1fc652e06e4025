"""JSON Schema validators: jsonschema, which decides and explains, and jsonschema-rs, which accepts quickly.

Both are closed: no reference is ever fetched. Patterns mean the same to both, since both hand them to one engine that
works in linear time, or stops: no pattern can hang a validation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import (
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
    extend,
)
from referencing import Registry

FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Formats that are checked; any other name is refused when a lead schema is loaded."""

_PATTERN_OPTIONS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)
_CHECKER = FormatChecker(FORMATS)


class UnknownKey(ValidationError):
    """A key that the schema does not know; `key` is its name, `known` what the schema knows there."""

    key: str = ""
    known: tuple[str, ...] = ()


class MissingKey(ValidationError):
    """A required key that is not there."""

    key: str = ""


@lru_cache(maxsize=1024)
def pattern(text: str) -> Callable[[str], bool]:
    """Whether a text contains a match; raises ValueError where `text` is no pattern."""
    return compiled({"pattern": text}, jsonschema_rs.Draft202012Validator).is_valid


def compiled(schema: Any, validator: type[jsonschema_rs.Validator] | None = None) -> jsonschema_rs.Validator:
    """A fast validator; raises ValueError where the schema is wrong or refers to anything outside itself."""
    make: Any = validator or jsonschema_rs.validator_for
    return make(  # type: ignore[no-any-return]
        schema,
        validate_formats=True,
        formats={name: _format(name) for name in FORMATS},
        retriever=_refuse,
        pattern_options=_PATTERN_OPTIONS,
    )


def explaining(schema: Mapping[str, Any]) -> Validator:
    """The validator that decides, for the draft that the schema names (2020-12 where it names none)."""
    base = DRAFTS.get(str(schema.get("$schema", "")).rstrip("#"), Draft202012Validator)
    return _extended(base)(schema, registry=Registry(), format_checker=_CHECKER)


DRAFTS: dict[str, type[Validator]] = {
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
}


@lru_cache(maxsize=4)
def _extended(base: type[Validator]) -> type[Validator]:
    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "required": _required,
    }
    make: Any = extend
    return make(base, own)  # type: ignore[no-any-return]


def _refuse(uri: str) -> Any:
    raise ValueError(f"references are never fetched: {uri}")


def _format(name: str) -> Callable[[str], bool]:
    return lambda text: _CHECKER.conforms(text, name)


def _pattern(_validator: Validator, wanted: str, instance: object, _schema: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not pattern(wanted)(instance):
        yield ValidationError("does not match the pattern")


def _pattern_properties(
    validator: Any, patterns: Mapping[str, Any], instance: object, _schema: object
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for text, subschema in patterns.items():
        for key, value in instance.items():
            if pattern(text)(key):
                yield from validator.descend(value, subschema, path=key, schema_path=text)


def _additional_properties(
    validator: Any, additional: Any, instance: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    known = schema.get("properties", {})
    patterns = [pattern(text) for text in schema.get("patternProperties", {})]
    for key, value in instance.items():
        if key in known or any(matches(key) for matches in patterns):
            continue
        if additional is False:
            error = UnknownKey(f"unknown key {key!r}")
            error.key, error.known = key, tuple(known)
            yield error
        else:
            yield from validator.descend(value, additional, path=key)


def _required(_validator: Validator, names: list[str], instance: object, _schema: object) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name in names:
        if name not in instance:
            error = MissingKey(f"the key {name!r} is missing")
            error.key = name
            yield error
