"""An account's own JSON Schema for leads: held against the fields of every rendered update.

The schema sees what is sent, so every value is a text, and an update holds some of a lead's fields only: `required`
means "every update must carry this field". Accepting is fast; jsonschema decides what is refused, and says why.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncengine.core.errors import InputError, Problem
from syncengine.documents.did_you_mean import nearest
from syncengine.documents.files import read_bounded
from syncengine.documents.formats import FORMATS
from syncengine.documents.validators import compiled, pattern

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_MAX_BYTES = 1024 * 1024
_MAX_EXPANDED = 10_000
_REFUSED_KEYWORDS = {
    "$dynamicRef": "use $ref",
    "$recursiveRef": "use $ref",
    "$id": "leave it out, except at the top",
}
_SUBSCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")


class LeadSchema:
    """A loaded lead schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.known_fields = _known_fields(schema)
        """Names of the fields that it describes; None where it leaves names open or describes them elsewhere."""
        self._fast = compiled(schema)
        self._schema = schema

    @cached_property
    def _deciding(self) -> Validator:
        # jsonschema takes longer to load than most documents take to be accepted; only what is refused needs it.
        from syncengine.documents.explaining import validator_for

        return validator_for(self._schema)

    @staticmethod
    def load(path: Path) -> LeadSchema | list[Problem]:
        """The schema in a JSON file, or everything that is wrong with it."""
        try:
            schema = _parsed(read_bounded(path, _MAX_BYTES), path)
        except InputError as error:
            return list(error.problems) or [_problem(path, error.message, hint=error.hint)]
        problems = list(_problems(schema, path))
        if problems:
            return problems
        try:
            return LeadSchema(schema)
        except ValueError as error:
            return [_problem(path, f"the lead schema cannot be used: {str(error).splitlines()[0]}")]

    def accepts(self, fields: dict[str, str]) -> bool:
        """Whether these fields may be sent."""
        return self._fast.is_valid(fields) or self._deciding.is_valid(fields)

    def findings(self, fields: dict[str, str]) -> list[tuple[str, str]]:
        """What is wrong with these fields: the field's name ("" for the update as a whole) and a sentence."""
        from syncengine.documents.schema_words import leaves, place_of, wording

        found: dict[tuple[str, str], None] = {}
        for error in leaves(self._deciding.iter_errors(fields)):
            path = list(error.absolute_path)
            words = wording(error, place_of(path) or "the update")
            field = str(path[0]) if path else words.at_key or ""
            hint = words.hint
            if error.validator == "type":
                hint = "the schema sees every value as text: give it type string, with a pattern"
            message = words.message.removesuffix(" in the update")
            found[(field, f"{message} ({hint})" if hint else message)] = None
        return list(found)

    def explain(self, fields: dict[str, str]) -> list[str]:
        """What is wrong with these fields, a sentence each; no sentence holds a value."""
        return [message for _, message in self.findings(fields)]


def _known_fields(schema: dict[str, Any]) -> frozenset[str] | None:
    named = schema.get("properties")
    elsewhere = ("$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "patternProperties")
    if not isinstance(named, dict) or not named or any(keyword in schema for keyword in elsewhere):
        return None
    return frozenset(named)


class _Twice(ValueError):
    """A key stands twice in one JSON object."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Twice(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
    return value


def _parsed(data: bytes, path: Path) -> dict[str, Any]:
    try:
        schema = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        problem = _problem(path, f"not valid JSON: {error.msg}", line=error.lineno, column=error.colno)
        raise InputError(problem.message, problems=[problem]) from error
    except _Twice as error:
        raise InputError(f"the key {str(error)!r} stands twice in the lead schema") from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputError("the lead schema is not JSON in UTF-8, or is nested too deeply") from error
    if not isinstance(schema, dict):
        raise InputError("a lead schema is a JSON object", hint='begin with {"type": "object", "properties": {...}}')
    return schema


def _problems(schema: dict[str, Any], path: Path) -> Iterator[Problem]:
    from jsonschema.exceptions import SchemaError

    from syncengine.documents.explaining import DRAFTS
    from syncengine.documents.schema_words import place_of

    draft = str(schema.get("$schema", "https://json-schema.org/draft/2020-12/schema")).rstrip("#")
    if draft not in DRAFTS:
        yield _problem(path, f"the draft {draft!r} is not supported", hint=f"use one of: {', '.join(DRAFTS)}")
        return
    try:
        DRAFTS[draft].check_schema(schema)
    except SchemaError as error:
        yield _problem(
            path, f"not a valid schema at {place_of(error.absolute_path) or 'the top'}: {error.message[:200]}"
        )
        return
    except RecursionError:
        yield _problem(path, "the lead schema is nested too deeply")
        return
    for place, subschema in _walk(schema, ()):
        for message, hint in _keyword_problems(subschema, schema, at_top=not place):
            yield _problem(path, f"{place_of(place) or 'the top'}: {message}", hint=hint)
    if not _is_bounded(schema):
        yield _problem(path, "its references are circular, missing or too many", hint="write the subschemas out")


def _keyword_problems(subschema: dict[str, Any], root: dict[str, Any], *, at_top: bool) -> Iterator[tuple[str, str]]:
    for keyword, hint in _REFUSED_KEYWORDS.items():
        if keyword in subschema and not (at_top and keyword == "$id"):
            yield f"{keyword} is not supported", hint
    reference = subschema.get("$ref")
    if reference is not None and _target(root, reference) is None:
        yield f"the reference {str(reference)[:100]!r} leads outside this file or nowhere", "references begin with '#/'"
    name = subschema.get("format")
    if name is not None and name not in FORMATS:
        yield f"the format {str(name)[:100]!r} is not checked", f"use a pattern; {nearest(str(name), FORMATS)}"
    if "patternProperties" in subschema and ("unevaluatedProperties" in root or "unevaluatedProperties" in subschema):
        yield "patternProperties cannot stand beside unevaluatedProperties", "use additionalProperties"
    for text in (subschema.get("pattern"), *subschema.get("patternProperties", {})):
        if text is not None and not _is_pattern(text):
            yield f"the pattern {text[:100]!r} cannot be compiled", "patterns follow ECMA 262, without back-references"


def _is_pattern(text: str) -> bool:
    try:
        pattern(text)
    except ValueError:
        return False
    return True


def _walk(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    """Every subschema with its place. Values of enum, const, default and examples are no schemas."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*place, index))
    elif isinstance(value, dict):
        yield place, value
        for keyword, item in value.items():
            if keyword in _SUBSCHEMA_MAPS and isinstance(item, dict):
                for name, subschema in item.items():
                    yield from _walk(subschema, (*place, keyword, name))
            elif keyword not in ("enum", "const", "default", "examples"):
                yield from _walk(item, (*place, keyword))


def _target(root: dict[str, Any], reference: Any) -> Any:
    """What a reference within this file points at, or None."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    here: Any = root
    for part in reference[2:].split("/"):
        here = here.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(here, dict) else None
    return here if isinstance(here, dict | bool) else None


def _is_bounded(root: dict[str, Any]) -> bool:
    """Whether every reference, followed to its end, ends, and the schema stays small when all are written out."""
    sizes: dict[str, int] = {}
    open_references: set[str] = set()

    def size(value: Any) -> int:
        total = 0
        for _, subschema in _walk(value, ()):
            total += 1
            reference = subschema.get("$ref")
            if reference is not None:
                total += followed(reference)
            if total > _MAX_EXPANDED:
                break
        return total

    def followed(reference: Any) -> int:
        target = _target(root, reference)
        if target is None or reference in open_references or len(open_references) > 100:
            return _MAX_EXPANDED + 1
        if reference not in sizes:
            open_references.add(reference)
            sizes[reference] = size(target)
            open_references.discard(reference)
        return sizes[reference]

    return size(root) <= _MAX_EXPANDED


def _problem(path: Path, message: str, *, hint: str = "", line: int = 0, column: int = 0) -> Problem:
    return Problem(code="SE210", message=message, file=str(path), hint=hint, line=line, column=column)
