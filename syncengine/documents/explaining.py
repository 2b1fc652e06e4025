"""jsonschema, which decides about what the fast validator does not accept, and explains: loaded when first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import Draft7Validator, Draft201909Validator, Draft202012Validator, extend
from referencing import Registry

from syncengine.documents.formats import checker
from syncengine.documents.validators import pattern


class UnknownKey(ValidationError):
    """A key that the schema does not know; `key` is its name, `known` what the schema knows there."""

    key: str = ""
    known: tuple[str, ...] = ()


class MissingKey(ValidationError):
    """A required key that is not there."""

    key: str = ""


def validator_for(schema: Mapping[str, Any]) -> Validator:
    """The validator that decides, for the draft that the schema names (2020-12 where it names none)."""
    base = DRAFTS.get(str(schema.get("$schema", "")).rstrip("#"), Draft202012Validator)
    return _extended(base)(schema, registry=Registry(), format_checker=checker())


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
