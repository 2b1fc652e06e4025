"""Lines and columns in a JSON text, which Python's json module does not report."""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"[^\s,\]}]*")
Place = tuple[str | int, ...]


def json_places(text: str) -> dict[Place, tuple[int, int]]:
    """Line and column, from 1, of every value in a valid JSON text: those of its key, where it has one."""
    return _JsonReader(text).places


class _JsonReader:
    """One pass over a text that json.loads accepted. The caller must bound its depth."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line, self._counted, self._line_start = 1, 0, 0
        self.places: dict[Place, tuple[int, int]] = {}
        self._value(self._skip(0), ())

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        assert found is not None
        return found.end()

    def _mark(self, at: int, place: Place) -> None:
        newlines = self._text.count("\n", self._counted, at)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._counted, at) + 1
        self._counted = at
        self.places.setdefault(place, (self._line, at - self._line_start + 1))

    def _value(self, at: int, place: Place) -> int:
        """Read the value that begins at `at`; returns the offset of the next token."""
        self._mark(at, place)
        char = self._text[at]
        if char in "{[":
            return self._skip(self._entries(at + 1, place, "}" if char == "{" else "]"))
        if char == '"':
            return self._skip(self._string(at)[1])
        found = _PLAIN.match(self._text, at)
        assert found is not None
        return self._skip(found.end())

    def _entries(self, at: int, place: Place, end: str) -> int:
        at = self._skip(at)
        count = 0
        while self._text[at] != end:
            part: str | int = count
            if end == "}":
                key = at
                part, at = self._string(at)
                self._mark(key, (*place, part))
                at = self._skip(self._skip(at) + 1)
            at = self._value(at, (*place, part))
            count += 1
            if self._text[at] == ",":
                at = self._skip(at + 1)
        return at + 1

    def _string(self, at: int) -> tuple[str, int]:
        text, end = scanstring(self._text, at + 1)
        return str(text), int(end)
