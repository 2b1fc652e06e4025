"""The supported formats of JSON Schema: one function each, called by both validators.

The engine implements them by their RFCs, whatever draft a schema names. Its email format alone is too permissive (`"J"
<j@x.org>`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import jsonschema_rs

if TYPE_CHECKING:
    from jsonschema import FormatChecker

FORMATS = ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid")
"""Supported formats. Loading a lead schema with any other name is an error."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*"'
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# RFC 5321, section 4.1.2: Mailbox = Local-part "@" ( Domain / address-literal ), in ASCII.
_MAILBOX = (
    rf"(?P<local>{_ATOM}(?:\.{_ATOM})*|{_QUOTED})@(?:(?P<domain>{_LABEL}(?:\.{_LABEL})*)|\[(?P<literal>[^\[\]]*)\])"
)


@lru_cache(maxsize=len(FORMATS))
def conformity(name: str) -> Callable[[str], bool]:
    """Whether a text has the format `name`."""
    if name == "email":
        return _is_mailbox
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True).is_valid


@lru_cache(maxsize=1)
def checker() -> FormatChecker:
    """The same checks as a jsonschema FormatChecker."""
    # Importing jsonschema takes longer than accepting most documents, and only explanations need it.
    from jsonschema import FormatChecker

    made = FormatChecker(())
    for name in FORMATS:
        made.checks(name)(_for_texts(conformity(name)))
    return made


def _for_texts(conforms: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or conforms(value)


def _is_mailbox(text: str) -> bool:
    found = re.fullmatch(_MAILBOX, text)
    if found is None or len(found["local"]) > 64:
        return False
    literal = found["literal"]
    if literal is None:
        return len(found["domain"]) <= 255
    if literal[:5].lower() == "ipv6:":
        return conformity("ipv6")(literal[5:])
    return conformity("ipv4")(literal)
