"""jsonschema, the validator that decides about what the fast one does not accept, and explains it. Imported on first
use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft7Validator, Draft201909Validator, Draft202012Validator, extend
from referencing import Registry

from syncengine.documents.formats import checker
from syncengine.documents.schema_keywords import Draft, draft_of, rebuilt
from syncengine.documents.validators import pattern


class UnknownKey(ValidationError):
    """A key that the schema does not define; `key` is its name, `known` the defined keys."""

    key: str = ""
    known: tuple[str, ...] = ()


class MissingKey(ValidationError):
    """A required key that is missing."""

    key: str = ""


def validator_for(schema: Mapping[str, Any]) -> Validator:
    """The deciding validator, for the draft that the schema names (2020-12 by default)."""
    base = _OF_DRAFT[draft_of(schema) or "2020-12"]
    return _extended(base)(_placed(schema), registry=Registry(), format_checker=checker())


def _placed(schema: Any) -> Any:
    """The schema with each `false` written as a rule: jsonschema does not report where a document met a plain
    `false`."""
    if not isinstance(schema, dict):
        return schema
    return rebuilt(schema, lambda place, inner: NOTHING if inner is False and place != _CLOSED else _placed(inner))


def shape_error(schema: Mapping[str, Any], draft: Draft) -> tuple[tuple[str | int, ...], str] | None:
    """The location and the message of the first defect in a schema's own structure; None where it is valid.

    Patterns are not checked here: jsonschema would use Python's engine, and another one matches them.
    """
    try:
        validator: Any = _OF_DRAFT[draft]
        validator.check_schema(schema, format_checker=FormatChecker(()))
    except SchemaError as error:
        return tuple(error.absolute_path), error.message
    return None


NOTHING: dict[str, Any] = {"not": {}}
"""A schema that accepts nothing."""
_CLOSED = ("additionalProperties",)

_OF_DRAFT: dict[Draft, type[Validator]] = {
    "2020-12": Draft202012Validator,
    "2019-09": Draft201909Validator,
    "draft-07": Draft7Validator,
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
