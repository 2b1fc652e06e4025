"""What CI says about who approved: recorded with a run, never verified, and never counted as an approval."""

from __future__ import annotations

import re

from syncengine.core.errors import InputError
from syncengine.core.text import is_blank

MOST = 1000
"""Maximum length of a claim in characters."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_HINT = "write who approved and which run says so, such as 'anna, https://github.com/acme/leads/actions/runs/1'"


def checked_claim(text: str | None) -> str:
    """The claim to record; "" for None. Raises InputError where it is blank, too long or not one line of text."""
    if text is None:
        return ""
    if is_blank(text):
        raise InputError("the claimed approval is empty", code="SE676", hint=f"leave the option out, or {_HINT}")
    if len(text) > MOST:
        message = f"the claimed approval has {len(text):,} characters, more than {MOST:,}"
        raise InputError(message, code="SE676", hint=_HINT)
    control = _CONTROL.search(text)
    if control is not None:
        where = f"U+{ord(control[0]):04X} as character {control.start() + 1}"
        message = f"the claimed approval holds a control character, {where}"
        raise InputError(message, code="SE676", hint=f"one line of text: {_HINT}")
    return text
