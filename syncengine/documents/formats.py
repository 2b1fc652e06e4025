"""The formats of JSON Schema that are checked, by one checker for both validators."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsonschema import FormatChecker

FORMATS = ("date", "email", "ipv4", "ipv6", "uuid")
"""Formats that are checked; any other name is refused when a lead schema is loaded."""


@lru_cache(maxsize=1)
def checker() -> FormatChecker:
    """The checker of these formats."""
    # jsonschema takes longer to load than most documents take to be accepted; few schemas name a format.
    from jsonschema import FormatChecker

    return FormatChecker(FORMATS)
