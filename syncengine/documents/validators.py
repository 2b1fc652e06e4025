"""The fast JSON Schema validator, jsonschema-rs: it accepts; what it does not accept jsonschema judges (explaining.py).

Both are closed: no reference is ever fetched. Patterns mean the same to both, since both hand them to one engine that
works in linear time, or stops: no pattern can hang a validation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jsonschema_rs

from syncengine.documents.formats import FORMATS, checker

_PATTERN_OPTIONS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


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


def _refuse(uri: str) -> Any:
    raise ValueError(f"references are never fetched: {uri}")


def _format(name: str) -> Callable[[str], bool]:
    return lambda text: checker().conforms(text, name)
