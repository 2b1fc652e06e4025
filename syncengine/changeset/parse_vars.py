"""Parses the variables of a changeset: texts, lists of texts, and mappings of text to text."""

from __future__ import annotations

import re
from collections.abc import Mapping as Names

from syncengine.changeset.declared import Place, is_null, kind_in_words
from syncengine.changeset.structure import QUOTE, Parts, unsendable, usable_name
from syncengine.core.text import Texts, Variable
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


def parse_variables(place: Place, parts: Parts, overrides: Names[str, str]) -> dict[str, Variable]:
    """The effective variables. Reports invalid ones. `overrides` are texts from the command line."""
    node = parts.mapping("vars")
    variables: dict[str, Variable] = {}
    for key, value in () if node is None else node.entries:
        name = key.text
        what = f"the variable {name!r}"
        if not usable_name(name):
            message = "the variable has a name that is empty, too long or holds control characters"
            place.problem("SE237", message, key)
            continue
        if not _NAME.fullmatch(name):
            message = f"{what} could not be written as vars.{name}"
            place.problem("SE237", message, key, hint="use letters, digits and _")
        held = _held(place, key, value, what)
        if isinstance(held, str):
            variables[name] = overrides.get(name, held)
        elif held is not None:
            variables[name] = held
            if name in overrides:
                hint = f"leave --var {name}=... out, and change the list or mapping here"
                message = f"{what} holds {kind_in_words(value)}, which --var cannot replace: it gives a text"
                place.problem("SE305", message, value, hint=hint)
    return variables


def _held(place: Place, key: Scalar, value: Node, what: str) -> Variable | None:
    """The value of a variable; None where it is invalid, which is reported."""
    if isinstance(value, Scalar):
        return _text(place, value, key, what)
    if not (value.items if isinstance(value, Sequence) else value.entries):
        place.problem("SE205", f"{what} is an empty {kind_in_words(value).removeprefix('a ')}", value)
        return None
    if isinstance(value, Sequence):
        items = [_text(place, item, item, f"an item of {what}") for item in value.items]
        return Texts(item for item in items if item is not None)
    return _mapping(place, value, what)


def _mapping(place: Place, value: Mapping, what: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, item in value.entries:
        if _text(place, key, key, f"a key of {what}") is not None:
            text = _text(place, item, key, f"{key.text!r} of {what}")
            texts[key.text] = text or ""
    return texts


def _text(place: Place, node: Node, at: Node, what: str) -> str | None:
    """One plain text; anything else is reported. `at` is the position for the report where nothing was written."""
    if not isinstance(node, Scalar):
        hint = "vars hold texts, lists of texts, and mappings of text to text"
        place.problem("SE203", f"{what} must be a text, not {kind_in_words(node)}", node, hint=hint)
    elif is_null(node):
        place.problem("SE206", f"{what} has no value", node if node.text else at, hint=QUOTE)
    elif "{{" in node.text:
        hint = "write the template where the value is used"
        place.problem("SE302", f"{what} is a template; variables are plain texts", node, hint=hint)
        return node.text
    elif (character := unsendable(node.text)) is not None:
        place.problem("SE235", f"{what} holds {character}, which cannot be sent", node)
        return node.text
    else:
        return node.text
    return None
