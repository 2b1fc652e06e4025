"""Escapes CI workflow commands in printed output, so that a build log shows them as text.

GitHub's and Azure's runners execute commands in any program's output: `##[stop-commands]x` or `##vso[task.x]y` anywhere
in a line, `::add-mask::x` at the start of a line. TeamCity's commands begin with `##teamcity[`.
"""

from __future__ import annotations

import re
from typing import Literal

Syntax = Literal["text", "json", "html", "commands"]
"""Escape syntax: a space in text; an escape sequence in JSON, HTML and XML, which readers decode to the same text.
`commands`: the lines are the product's own workflow commands, and only commands inside them are escaped."""

# Default-ignorable code points: a runner that compares text by collation skips them.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_BLANK = rf"(?:[^\S\r\n]|[{_UNSEEN}])*+"
_INSIDE = rf"#[{_UNSEEN}]*+#[\w{_UNSEEN}]*+\["
_ANY = re.compile(rf"{_INSIDE}|(?:\A|(?<=[\r\n])){_BLANK}:[{_UNSEEN}]*+:")
_INSIDE_ONLY = re.compile(_INSIDE)
_LEADING = re.compile(_BLANK)
_PARTED_HASHES = re.compile(f"#[{_UNSEEN}]")
_PARTED_COLONS = re.compile(f":[{_UNSEEN}]")
_KEPT = 64
_MASK = "•"
"""Equal to core.redaction's, which takes too long to import for every command."""

_BREAKS = {
    "text": {"[": " [", ":": " :"},
    "commands": {"[": " ["},
    "json": {"[": "\\u005b", ":": "\\u003a"},
    "html": {"[": "&#91;", ":": "&#58;"},
}

# Characters that JSON permits unescaped and a terminal interprets: delete, C1 controls, and bidirectional marks.
_LOUD = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def broken(text: str, syntax: Syntax = "text", *, line: str = "") -> str:
    """`text` with every workflow command escaped. `line` is the unfinished last line printed so far, from `begun`.

    In JSON, terminal control characters are escaped too; the result parses to the same values.
    """
    whole = line + text if line else text
    # Mask characters occur in nearly every line. Without them most lines are ASCII, which is the fastest to search.
    bare = whole if whole.isascii() else whole.replace(_MASK, "")
    if _may_order(bare):
        pattern, breaks = (_INSIDE_ONLY if syntax == "commands" else _ANY), _BREAKS[syntax]
        whole = pattern.sub(lambda found: found[0][:-1] + breaks[found[0][-1]], whole)
    if syntax == "json" and _may_be_loud(bare):
        whole = _LOUD.sub(lambda found: f"\\u{ord(found[0]):04x}", whole)
    return whole[len(line) :]


# Fast path: most output holds no command, and these substring tests are much faster than the patterns.


def _may_order(text: str) -> bool:
    if "##" in text or "::" in text:
        return True
    return not text.isascii() and bool(_PARTED_HASHES.search(text) or _PARTED_COLONS.search(text))


def _may_be_loud(text: str) -> bool:
    if text.isascii():
        return "\x7f" in text
    return not text.replace("\n", "").isprintable()


def begun(line: str, text: str) -> str:
    """The part of the unfinished last line of `text` that `broken` needs to see; `line` is the result of the previous
    call."""
    if text.endswith("\n"):
        return ""
    start = max(text.rfind("\n"), text.rfind("\r")) + 1
    last = text[start:] if start else line + text
    # Runners ignore white space at the start of a line.
    last = last[found.end() :] if (found := _LEADING.match(last)) else last
    return last if len(last) <= _KEPT else f"-{last[-_KEPT:]}"
