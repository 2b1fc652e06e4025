"""What can go wrong with a template, for those who only report it: the template engine itself is loaded elsewhere."""

from __future__ import annotations

CHANGE_NAMES = ("changeset", "lead", "row", "vars")
"""The names that the templates of a change may use."""

MAX_TEXT = 10_000
"""Longest text, in characters, that a template may give or a filter may make."""


class NoText:
    """A value of a table that has no text to be trusted, and is refused wherever it is used. `kind` says what it is."""

    kind: str
    advice: str


class FilterError(ValueError):
    """A value does not fit the filter; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class RenderError(Exception):
    """A template or condition failed on these values. `index` is the place among the joined texts."""

    def __init__(self, message: str, *, index: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.hint = hint
