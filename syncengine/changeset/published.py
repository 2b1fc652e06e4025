"""Checks names and titles for personal data, since they are published: in proposals, build logs and the ledger."""

from __future__ import annotations

import re

from syncengine.changeset.declared import Place
from syncengine.changeset.structure import Parts
from syncengine.documents.nodes import Mapping, Scalar

_EMAIL = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\W\d_]{2,}")
_PHONE = re.compile(r"(?<![\w.+])(?<![0-9][-/])(?:\+|00|0)[0-9 ()-]{9,}(?!\w)")
"""A hyphen or slash begins a word but for one after a digit: months and days of dates are no numbers of their own."""
_DATES = re.compile(r"(?:[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}[ -]*)+")
"""Dates are not phone numbers, although 01-09-2026 looks like one."""


def check_published(place: Place, parts: Parts) -> None:
    """Report e-mail addresses and phone numbers in title, description and ids of changes, addresses in the id."""
    for name in ("title", "description"):
        value = parts.node.get(name)
        if isinstance(value, Scalar):
            _check(place, f"the {name}", value)
    identity = parts.node.get("changeset")
    if isinstance(identity, Scalar) and _EMAIL.search(identity.text):
        _report(place, "SE238", "the changeset's id", "an e-mail address", identity)


def check_label(place: Place, change: Mapping) -> None:
    """The same for the id of a change."""
    label = change.get("id")
    if isinstance(label, Scalar):
        _check(place, "the id of a change", label)


def _check(place: Place, what: str, value: Scalar) -> None:
    if _EMAIL.search(value.text):
        _report(place, "SE238", what, "an e-mail address", value)
    elif any(_DATES.fullmatch(found.group()) is None for found in _PHONE.finditer(value.text)):
        _report(place, "SE239", what, "a phone number", value)


def _report(place: Place, code: str, what: str, found: str, value: Scalar) -> None:
    hint = "say it without: titles, descriptions and ids are shown in proposals, logs and the ledger"
    place.problem(code, f"{what} holds {found}, and is published", value, hint=hint)
