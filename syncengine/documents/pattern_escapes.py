"""Escapes in a pattern of ECMA 262 (flag u), as the characters that they match."""

from __future__ import annotations

from typing import NoReturn

from syncengine.documents.character_classes import (
    CLASSES,
    LAST_CODE_POINT,
    Ranges,
    one_character,
    other_characters,
    property_text,
)

_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
_PUNCTUATION = frozenset(" !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_ELSEWHERE = {
    "A": "write ^ for the start",
    "z": "write $ for the end",
    "Z": "write $ for the end",
    "h": r"write [ \t]",
    "R": r"write (?:\r\n|\n)",
    "e": r"write \x1b",
    "a": r"write \x07",
    "Q": "put a backslash before each character that is meant as itself",
    "U": r"write \u{…}",
}


class PatternError(ValueError):
    """Not a pattern of ECMA 262: the error, its position (from 1), and what to write instead."""

    def __init__(self, message: str, position: int, hint: str = "") -> None:
        super().__init__(message)
        self.position = position
        self.hint = hint


class EscapeReader:
    """Reads the escape at a position of a pattern."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _fail(self, message: str, position: int | None = None, hint: str = "") -> NoReturn:
        raise PatternError(message, (self._at if position is None else position) + 1, hint)

    def _next(self, length: int = 1) -> str:
        return self._text[self._at : self._at + length]

    def _copied(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _escaped(self, *, in_class: bool) -> Ranges | str:
        """The result of an escape: code points, or the text of a property."""
        position = self._at
        self._at += 1
        char = self._next()
        self._at += 1
        if char.lower() in CLASSES:
            ranges = CLASSES[char.lower()]
            return ranges if char.islower() else other_characters(ranges)
        if char and char in "pP":
            return self._property(char, position)
        return one_character(0x08 if in_class and char == "b" else self._escaped_character(char, position))

    def _escaped_character(self, char: str, position: int) -> int:
        if char in _PUNCTUATION:
            return ord(char)
        if char not in _CONTROLS:
            return self._code_point(char, position)
        if char == "0" and self._next().isdigit():
            self._fail("\\0 followed by a digit is no escape of ECMA 262", position, "write \\x00")
        return _CONTROLS[char]

    def _property(self, char: str, position: int) -> str:
        end = self._text.find("}", self._at)
        if self._next() != "{" or end < 0:
            self._fail(f"\\{char} is followed by a property in braces", position, f"write \\{char}{{L}} for letters")
        name = self._text[self._at + 1 : end]
        self._at = end + 1
        text, hint = property_text(name)
        if not text:
            self._fail(f"{name[:60]!r} is no property of ECMA 262", position, hint)
        return f"\\{char}{{{text}}}"

    def _code_point(self, char: str, position: int) -> int:
        if char == "x":
            return self._hex(2, position)
        if char == "c":
            letter = self._next()
            self._at += 1
            if not (letter.isascii() and letter.isalpha()):
                self._fail("\\c is followed by a letter", position)
            return ord(letter) % 32
        if char == "u":
            return self._unicode(position)
        message, hint = "a backslash at the end", "write \\\\ for the character"
        if char:
            message = f"\\{char} is no escape of ECMA 262"
            hint = _ELSEWHERE.get(
                char, f"write {char!r} without the backslash, or \\\\{char} for a backslash before it"
            )
        raise PatternError(message, position + 1, hint)

    def _unicode(self, position: int) -> int:
        point = self._in_braces(position) if self._next() == "{" else self._surrogates(position)
        if 0xD800 <= point <= 0xDFFF:
            self._fail("half a surrogate pair", position, "write the character itself, or \\u{…}")
        return point

    def _in_braces(self, position: int) -> int:
        end = self._text.find("}", self._at)
        digits = self._text[self._at + 1 : max(end, 0)]
        if not digits or len(digits) > 8 or not _is_hex(digits) or int(digits, 16) > LAST_CODE_POINT:
            self._fail("\\u{…} holds the number of a character, in hexadecimal digits", position)
        self._at = end + 1
        return int(digits, 16)

    def _surrogates(self, position: int) -> int:
        """Four hexadecimal digits; or two escapes of four, which make one character beyond U+FFFF."""
        high = self._hex(4, position)
        if not 0xD800 <= high <= 0xDBFF or self._next(2) != "\\u":
            return high
        self._at += 2
        low = self._hex(4, position)
        return 0x10000 + ((high - 0xD800) << 10) + low - 0xDC00 if 0xDC00 <= low <= 0xDFFF else high

    def _hex(self, length: int, position: int) -> int:
        digits = self._next(length)
        if len(digits) != length or not _is_hex(digits):
            name = "x" if length == 2 else "u"
            hint = "write \\xHH, \\uHHHH or \\u{…}"
            self._fail(f"\\{name} is followed by {length} hexadecimal digits", position, hint)
        self._at += length
        return int(digits, 16)


def _is_hex(text: str) -> bool:
    return all(char in "0123456789abcdefABCDEF" for char in text)
