"""Reads typed entries from mappings and lists: known keys, texts that are texts, and one problem for each that is
not."""

from __future__ import annotations

import re
from collections.abc import Collection

from syncengine.changeset.declared import Named, Place, is_null, kind_in_words
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence

_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]|\r(?!\n)")
QUOTE = 'write a text; quote it where it looks like something else: "null", "~"'


def unsendable(text: str) -> str | None:
    """Name of the first character that cannot be sent; None where there is none. Line breaks and tabs can be sent."""
    match = _UNSENDABLE.search(text)
    return None if match is None else f"U+{ord(match.group()):04X}"


class Parts:
    """The entries of one mapping, each read once by name."""

    def __init__(
        self, place: Place, node: Mapping, what: str, known: frozenset[str], required: Collection[str]
    ) -> None:
        self.node = node
        self._place = place
        self._what = what
        self._parts = {key.text: value for key, value in node.entries}
        if not self._parts.keys() <= known:
            self._unknown(known)
        for name in required:
            if name not in self._parts:
                place.problem("SE202", f"{what} needs the key {name!r}", node)

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def place_of(self, name: str) -> Node:
        """Position of a key; that of the mapping where the key is missing."""
        return self.node.key(name) or self.node

    def node_of(self, name: str) -> Node | None:
        """The value of any type; None where the key is missing or empty, which is reported."""
        value = self._parts.get(name)
        if value is None:
            return None
        if is_null(value):
            at = self.place_of(name) if isinstance(value, Scalar) and value.text == "" else value
            self._place.problem("SE206", f"{name} has no value", at, hint=QUOTE)
            return None
        return value

    def text(self, name: str) -> Scalar | None:
        """The value where it is a text; anything else is reported."""
        value = self.node_of(name)
        return None if value is None else as_text(self._place, value, name)

    def scalar_text(self, name: str) -> str:
        """The characters of a text; "" for anything else, which `text` reports."""
        value = self._parts.get(name)
        return value.text if isinstance(value, Scalar) else ""

    def mapping(self, name: str) -> Mapping | None:
        """The value where it is a mapping with entries."""
        value = self.node_of(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self._place.problem("SE203", f"{name} must be a mapping, not {kind_in_words(value)}", value)
            return None
        if not value.entries:
            self._place.problem("SE205", f"{name} is empty", value)
            return None
        return value

    def sequence(self, name: str, *, example: str) -> Sequence | None:
        """The value where it is a list with items."""
        value = self.node_of(name)
        if value is None:
            return None
        if not isinstance(value, Sequence):
            message = f"{name} must be a list, not {kind_in_words(value)}"
            self._place.problem(
                "SE203", message, value, hint=f"write {(example[0] == '[' and _as_list(value)) or example}"
            )
            return None
        if not value.items:
            self._place.problem("SE205", f"{name} is empty", value, hint=f"write {example}")
            return None
        return value

    def _unknown(self, known: frozenset[str]) -> None:
        for key, _ in self.node.entries:
            if key.text not in known:
                self._place.problem(
                    "SE201", f"{self._what} has no key {key.text!r}", key, hint=did_you_mean(key.text, known)
                )


def _as_list(node: Node) -> str:
    """What was typed, as a list of texts: `1053, 1054` becomes `["1053", "1054"]`; "" where it is no plain text."""
    if not isinstance(node, Scalar) or is_null(node) or not set(node.text).isdisjoint('"\\\n{}:'):
        return ""
    texts = [text.strip() for text in node.text.split(",")]
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]" if all(texts) else ""


def as_text(place: Place, node: Node, what: str) -> Scalar | None:
    """`node` where it is a visible text; anything else is reported."""
    if type(node) is not Scalar:
        message = f"{what} must be a text, not {kind_in_words(node)}"
        hint = "write one value; quote it where it begins with [ or {" if what else ""
        place.problem("SE203", message, node, hint=hint)
        return None
    if is_null(node):
        place.problem("SE206", f"{what} has no value", node, hint=QUOTE)
        return None
    return node


def named_texts(place: Place, node: Mapping, what: str) -> tuple[Named, ...]:
    """Entries of a mapping of texts, in file order. Entries that are not texts are reported and left out."""
    named: list[Named] = []
    for key, value in node.entries:
        name = key.text
        if not usable_name(name):
            place.problem("SE237", f"{what} has a name that is empty, too long or holds control characters", key)
        elif type(value) is Scalar and not is_null(value):
            named.append((name, value))
        elif type(value) is Scalar:
            place.problem("SE206", f"{what} {name!r} has no value", value if value.text else key, hint=QUOTE)
        else:
            as_text(place, value, f"{what} {name!r}")
    return tuple(named)


def usable_name(name: str) -> bool:
    """Whether `name` can be a field's or variable's name: printable, and neither empty nor endless."""
    return 0 < len(name) <= 200 and name.isprintable() and name == name.strip()
