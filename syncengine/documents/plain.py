"""Converts a tree to the values that JSON Schema validates. They serve shape checks only; the text is what is sent."""

from __future__ import annotations

import re
from typing import Any

from syncengine.documents.nodes import Mapping, Node, Scalar

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC_START = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]{1,100}", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_MAX_NUMBER = 100


def plain(node: Node | None) -> Any:
    """The tree as dicts, lists and values, plain scalars typed by the core rules of YAML 1.2.

    `yes`, `010` with its leading zero as ten, dates and `1_000` follow YAML 1.2: text, an integer, text and text.
    Numbers that no float can hold stay text.
    """
    if isinstance(node, Scalar):
        return resolved(node.text) if node.plain else node.text
    if node is None:
        return None
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    return [plain(item) for item in node.items]


def resolved(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START or len(text) > _MAX_NUMBER:
        return text
    if _INTEGER.fullmatch(text) is not None:
        return int(text)
    if _BASED.fullmatch(text) is not None:
        return int(text, 0)
    if _FLOAT.fullmatch(text) is not None:
        value = float(text)
        return value if abs(value) < float("inf") else text
    return text
