"""The fast JSON Schema validator, jsonschema-rs. It only accepts; jsonschema decides about the rest (explaining.py).

Both are closed: references are never fetched. Patterns mean the same to both, since both use one engine that works in
linear time, or stops: no pattern can hang a validation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jsonschema_rs

from syncengine.core.errors import InputError
from syncengine.documents.ecma_pattern import engine_pattern
from syncengine.documents.formats import FORMATS, conformity
from syncengine.documents.schema_keywords import Draft, draft_of, rebuilt

# Released validators up to 0.46.1 accept {} here; those before 0.30 lack functions that are used below.
_ONCE_ACCEPTED = {"properties": {}, "additionalProperties": {}, "required": ["a", "b"]}
if not hasattr(jsonschema_rs, "FancyRegexOptions") or jsonschema_rs.Draft202012Validator(_ONCE_ACCEPTED).is_valid({}):
    raise InputError(
        "the jsonschema-rs that is installed is too old: it accepts what a schema refuses",
        code="SE909",
        hint="install what syncengine asks for: pip install 'jsonschema-rs>=0.46.2,<0.62'",
    )

_PATTERN_OPTIONS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)
_OF_DRAFT: dict[Draft, type[jsonschema_rs.Validator]] = {
    "draft-07": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}


@lru_cache(maxsize=1024)
def pattern(text: str) -> Callable[[str], bool]:
    """Matcher that searches a text for the pattern; raises ValueError where `text` is not a pattern."""
    return _validator({"pattern": engine_pattern(text)}, "2020-12").is_valid


def compiled(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """A compiled fast validator; raises ValueError where the schema is invalid or has outside references."""
    return _validator(_for_engine(schema), draft_of(schema) or "2020-12")


def _validator(schema: Any, draft: Draft) -> jsonschema_rs.Validator:
    make: Any = _OF_DRAFT[draft]
    return make(  # type: ignore[no-any-return]
        schema,
        validate_formats=True,
        formats={name: conformity(name) for name in FORMATS},
        retriever=_refuse,
        pattern_options=_PATTERN_OPTIONS,
    )


def _refuse(uri: str) -> Any:
    raise ValueError(f"references are never fetched: {uri}")


def _for_engine(schema: Any) -> Any:
    """The schema with every pattern converted for the engine."""
    if not isinstance(schema, dict):
        return schema
    copy = rebuilt(schema, lambda _, inner: _for_engine(inner))
    if isinstance(schema.get("pattern"), str):
        copy["pattern"] = engine_pattern(schema["pattern"])
    if isinstance(schema.get("patternProperties"), dict):
        copy["patternProperties"] = _by_engine_pattern(copy["patternProperties"])
    return copy


def _by_engine_pattern(schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text, schema in schemas.items():
        name = engine_pattern(text)
        # Two spellings of one pattern, as \d and [0-9], are two rules.
        while name in found:
            name += "(?:)"
        found[name] = schema
    return found
