"""Errors of templates, for code that only reports them. A separate module, so that it does not import the template
engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping

Names = Mapping[str, Collection[str]]
"""Names that are known in one place, each with all it can hold; nothing where that differs from row to row."""

CHANGE_NAMES = ("changeset", "lead", "row", "vars")
"""The names that the templates of a change can use."""

MAX_TEXT = 10_000
"""Maximum length, in characters, of the result of a template or filter."""


class NoText:
    """A table value without a reliable text form; using it is an error. `kind` names its type."""

    kind: str
    advice: str


class FilterError(ValueError):
    """A value is unsuitable for the filter; `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class RenderError(Exception):
    """A template or condition failed on these values. `index` is its position among the joined texts."""

    def __init__(self, message: str, *, index: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.hint = hint
