"""JSON Schema validators: jsonschema, which decides and explains, and jsonschema-rs, which accepts quickly.

Both are closed: no reference is ever fetched. Patterns mean the same to both, since both hand them to one engine that
works in linear time, or stops: no pattern can hang a validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Formats that are checked; any other name is refused when a lead schema is loaded."""

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


def explaining(schema: Mapping[str, Any]) -> Validator:
    """The validator that decides, for the draft that the schema names (2020-12 where it names none)."""
    # jsonschema takes longer to load than most documents take to be accepted; only what is refused needs it.
    from syncengine.documents.explaining import validator_for

    return validator_for(schema)


def _refuse(uri: str) -> Any:
    raise ValueError(f"references are never fetched: {uri}")


def _format(name: str) -> Callable[[str], bool]:
    def conforms(text: str) -> bool:
        from syncengine.documents.explaining import CHECKER

        return CHECKER.conforms(text, name)

    return conforms
