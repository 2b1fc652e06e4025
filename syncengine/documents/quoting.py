"""Quotes texts as YAML scalars with exactly these characters, for changesets that a program writes."""

from __future__ import annotations

_NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_PIECE = 200
"""Maximum length of one constant in an expression; longer ones are refused there."""
_OPENINGS = ("{{", "{%", "{#")
_IN_TEMPLATE = str.maketrans(
    {"\\": "\\\\", "'": "\\x27", '"': "\\x22", "{": "\\x7b", "}": "\\x7d", "\n": "\\n", "\r": "\\r"}
)


def quoted(text: str) -> str:
    """A double-quoted scalar for a key, or for a value that is never rendered."""
    return '"' + "".join(_NAMED.get(letter) or _escaped(letter) for letter in text) + '"'


def quoted_value(text: str) -> str:
    """A double-quoted scalar that renders to `text`: braces in data are not templates."""
    if any(opening in text for opening in _OPENINGS):
        pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
        text = "{{ " + " ~ ".join(f"'{piece.translate(_IN_TEMPLATE)}'" for piece in pieces) + " }}"
    return quoted(text)


def comment(text: str) -> str:
    """`text` for a comment: on one line, without deceptive characters."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _escaped(letter: str) -> str:
    if letter.isprintable():
        return letter
    point = ord(letter)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
