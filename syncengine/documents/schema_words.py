"""Messages for schema violations, in plain language and without the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from jsonschema.exceptions import ValidationError

from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.explaining import NOTHING, MissingKey, UnknownKey

_TYPES = {
    "string": "a text",
    "object": "a mapping",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_RULES = {
    "const": "must be {}",
    "pattern": "does not have the form {}",
    "format": "is not a valid {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minItems": "must have at least {} entries",
    "maxItems": "must have at most {} entries",
    "minProperties": "must have at least {} entries",
    "maxProperties": "must have at most {} entries",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "uniqueItems": "holds an item twice",
    "anyOf": "fits none of the forms that are allowed here",
    "oneOf": "fits none of the forms that are allowed here",
    "propertyNames": "has a key that is not allowed",
    "dependentRequired": "lacks a key that another of its keys needs",
    "dependencies": "lacks a key that another of its keys needs",
}
OWN_MESSAGE = "x-message"
"""Schema keyword that holds the message for a violation of the keywords beside it; OWN_HINT likewise."""
OWN_HINT = "x-hint"


class Wording(NamedTuple):
    """Code, message and hint of one violation; `at_key` where the place is a key of the mapping at the path."""

    code: str
    message: str
    hint: str
    at_key: str | None = None


def leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """The violations to show to an author: of alternatives, those of the one that was probably meant."""
    for error in errors:
        if error.validator in ("anyOf", "oneOf") and error.context and not _own(error):
            yield from _best_branch(error)
        else:
            yield error


def wording(error: ValidationError, place: str) -> Wording:
    """The message for one violation at `place` ("changes[2].lead"; "" is the whole document)."""
    own = _own(error)
    if isinstance(error, UnknownKey | MissingKey):
        return _of_key(error, own, f" in {place}" if place else "")
    where = place or "the document"
    code = "SE203" if error.validator == "type" else "SE204"
    if own and not _wants_quotes(error):
        return Wording(code, f"{where}: {own}", _hint(error))
    if code == "SE203":
        return Wording(code, f"{where} must be {_types(error.validator_value)}, not {_kind(error)}", _hint(error))
    return Wording(code, f"{where} {_rule(error)}", _hint(error))


def _of_key(error: UnknownKey | MissingKey, own: str, inside: str) -> Wording:
    if isinstance(error, UnknownKey):
        hint = did_you_mean(error.key, error.known)
        return Wording("SE201", f"unknown key {_cut(error.key)}{inside}", hint, error.key)
    return Wording("SE202", own or f"the key {error.key!r} is missing{inside}", _hint(error))


def place_of(path: Iterable[str | int]) -> str:
    """A path in the authors' notation: changes[2].update.postcode; items count from 1."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text if len(text) <= 200 else text[:199] + "…"


def _rule(error: ValidationError) -> str:
    value: Any = error.validator_value
    match error.validator:
        case "enum":
            return f"must be one of: {', '.join(map(_json, value))}"
        case "not":
            return _not(value)
        case "minLength" | "minItems" | "minProperties" if value == 1:
            return "must not be empty"
        case str() as keyword:
            return _RULES.get(keyword, f"does not fit the rule {keyword!r} of the schema").format(_json(value))
    return "is not allowed"


def _not(value: Any) -> str:
    if value == NOTHING["not"]:
        return "is not allowed"
    names = value.get("required") if isinstance(value, dict) else None
    if names:
        return f"must not have {' and '.join(map(repr, names))}" + (" together" if len(names) > 1 else "")
    return "has a form that is not allowed"


def _wants_quotes(error: ValidationError) -> bool:
    """Whether a number or boolean was written where a text is required, so that its format is not the problem."""
    return error.validator == "type" and error.validator_value == "string" and isinstance(error.instance, int | float)


def _hint(error: ValidationError) -> str:
    schema = error.schema if isinstance(error.schema, dict) else {}
    if _wants_quotes(error):
        return "write it in quotes"
    if schema.get(OWN_HINT):
        return str(schema[OWN_HINT])
    if error.validator == "type" and error.instance is None:
        return "write a value; for the word itself use quotes"
    if error.validator == "enum" and isinstance(error.instance, str):
        listed: Any = error.validator_value
        return did_you_mean(error.instance, filter(_is_text, listed))
    return _example(schema) if error.validator in ("pattern", "type", "format") else ""


def _example(schema: dict[str, Any]) -> str:
    examples = schema.get("examples")
    return f"for example: {_json(examples[0])}" if isinstance(examples, list) and examples else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _best_branch(error: ValidationError) -> list[ValidationError]:
    """Of the alternatives, the one for the kind of value that was written; the message of `anyOf` itself where none
    fits."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [branch for branch in branches.values() if not any(map(_is_about_the_kind, branch))]
    if not fitting:
        return [_of_every_kind(error, branches.values())]
    if len(fitting) == 1 or all(map(_deep, fitting)):
        return list(leaves(min(fitting, key=_distance)))
    return [error]


def _distance(branch: Iterable[ValidationError]) -> tuple[int, int]:
    """How far an alternative is from what was written: the deeper its mistakes lie, the more of it fits."""
    depths = [len(inner.relative_path) for inner in branch]
    return -max(depths), len(depths)


def _is_about_the_kind(error: ValidationError) -> bool:
    """Whether it refuses the value itself for being a text, a list and so on."""
    return error.validator == "type" and not error.relative_path


def _of_every_kind(error: ValidationError, branches: Iterable[list[ValidationError]]) -> ValidationError:
    """One error that names the types of all alternatives."""
    types = sorted({name for branch in branches for inner in branch for name in _names(inner)})
    merged = ValidationError(
        error.message, validator="type", validator_value=types, instance=error.instance, schema=error.schema
    )
    merged.parent = error.parent
    merged.path, merged.relative_path = error.path, error.relative_path
    return merged


def _deep(branch: list[ValidationError]) -> bool:
    return any(inner.relative_path for inner in branch)


def _names(error: ValidationError) -> list[str]:
    if error.validator != "type":
        return []
    value: Any = error.validator_value
    return [value] if isinstance(value, str) else list(value)


def _types(value: Any) -> str:
    names = [value] if isinstance(value, str) else list(value)
    words = [_TYPES.get(str(name), str(name)) for name in names if not (name == "integer" and "number" in names)]
    return " or ".join(words) or "something else"


def _kind(error: ValidationError) -> str:
    match error.instance:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
    return "a mapping"


def _own(error: ValidationError) -> str:
    return str(error.schema.get(OWN_MESSAGE, "")) if isinstance(error.schema, dict) else ""


def _json(value: Any) -> str:
    return value if isinstance(value, str) else "null" if value is None else str(value).lower()


def _cut(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")
