"""What may reach a terminal: lead data, file names and the service's words can hold control sequences."""

from __future__ import annotations

import re

# Bold, dim, normal, the six colours and the default: nothing that hides text, moves the cursor or talks back.
_SAFE_STYLE = r"\x1b\[(?:0|1|2|22|3[1-6]|39)(?:;(?:0|1|2|22|3[1-6]|39))*m"
# C0 (newline and tab stay), DEL, C1, and the marks that reorder what is read.
_UNSAFE = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"

_WITH_STYLE = re.compile(f"({_SAFE_STYLE})|{_UNSAFE}")
_WITHOUT_STYLE = re.compile(f"{_SAFE_STYLE}|{_UNSAFE}")


def safe(text: str, *, styled: bool = False) -> str:
    """`text` without control characters; with `styled`, plain colours are kept.

    Carriage returns before a newline vanish silently; everything else that is dropped leaves U+FFFD, so that it shows.
    """
    text = text.replace("\r\n", "\n")
    if styled:
        return _WITH_STYLE.sub(lambda match: match[1] or "\ufffd", text)
    return _WITHOUT_STYLE.sub(lambda match: "" if match[0].startswith("\x1b[") else "\ufffd", text)
