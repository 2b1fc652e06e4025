"""Patterns of JSON Schema: read as ECMA 262 reads them (flag u), and written so that the engine reads nothing else.

The engine is Rust's regex behind jsonschema-rs. Its own syntax has set operations in classes (`[a&&b]`, `[[a]b]`),
inline flags, `\\A`, a Unicode `\\b` and more, and releases of jsonschema-rs differ in how much of that they hide. So
every class and escape is written out as code points. What ECMA 262 does not have is refused, with what to write
instead.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from syncengine.documents.character_classes import (
    LINE_ENDS,
    Ranges,
    code_point_text,
    is_several,
    one_character,
    ranges_text,
)
from syncengine.documents.pattern_escapes import EscapeReader, PatternError

__all__ = ["PatternError", "engine_pattern"]

_BEFORE, _AFTER = "(?<=[0-9A-Z_a-z])", "(?=[0-9A-Z_a-z])"
_NOT_BEFORE, _NOT_AFTER = "(?<![0-9A-Z_a-z])", "(?![0-9A-Z_a-z])"
_BOUNDARY = {
    "b": f"(?:{_BEFORE}{_NOT_AFTER}|{_NOT_BEFORE}{_AFTER})",
    "B": f"(?:{_BEFORE}{_AFTER}|{_NOT_BEFORE}{_NOT_AFTER})",
}
_GROUPS = ("?:", "?=", "?!", "?<=", "?<!")
# Groups of other notations: what is wrong with each, and what to write.
_FOREIGN_GROUPS = {
    "?P<": ("(?P<…> is Python's notation", "write (?<name>…)"),
    "?P=": ("(?P=…) is Python's notation", "write \\k<name>"),
    "?P>": ("(?P>…) is Python's notation", "write \\k<name>"),
    "?#": ("(?#…) is no comment in ECMA 262", 'leave it out; "$comment" holds comments'),
    "?>": ("(?> is not in ECMA 262", "write (?:…)"),
    "?|": ("(?| is not in ECMA 262", "write (?:…)"),
    "?(": ("(?( is not in ECMA 262", "write (?:…)"),
}
_COUNT = re.compile("[0-9]*")
_NO_REPETITION = "{ does not begin a repetition here"
_REPETITIONS = "write {2}, {2,} or {2,5}, or \\{ for the character"


class _Group:
    """One group, or the pattern as a whole: whether a back-reference to it means the same to the engine."""

    def __init__(self, outer: _Group | None, *, number: int = 0, look: bool = False) -> None:
        self.outer = outer
        self.number = number
        self.look = look
        self.closed = self.optional = self.alternatives = False

    def takes_part(self) -> bool:
        """Whether it takes part exactly once in every match."""
        outer = self.outer
        around = outer is None or (not outer.alternatives and not outer.look and outer.takes_part())
        return around and not self.optional


class _Reference(NamedTuple):
    position: int
    group: _Group


def engine_pattern(text: str) -> str:
    """The pattern as the engine is handed it; raises PatternError where `text` is no pattern of ECMA 262."""
    return _PatternReader(text).read()


def _class_of(escaped: Ranges | str) -> str:
    """What an escape matches, for use outside of a class."""
    if isinstance(escaped, str):
        return escaped
    if is_several(escaped):
        return f"[{ranges_text(escaped)}]"
    return code_point_text(escaped[0][0])


class _PatternReader(EscapeReader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._out: list[str] = []
        self._open = _Group(None)
        self._groups: list[_Group] = []
        self._names: dict[str, _Group] = {}
        self._references: list[_Reference] = []

    def read(self) -> str:
        while self._at < len(self._text):
            self._term()
        if self._open.outer is not None:
            self._fail("a group is not closed", len(self._text), "write ) at its end, or \\( for the character")
        for position, group in self._references:
            if not group.takes_part():
                message = "a back-reference to a group that need not take part, or may repeat, is not supported"
                self._fail(message, position, "refer to a group outside of | * + ? {} and lookaround")
        return "".join(self._out)

    def _term(self) -> None:
        char = self._next()
        group: _Group | None = None
        match char:
            case "|":
                self._open.alternatives = True
                self._copy(char)
                return
            case "^" | "$":
                self._copy(char)
                self._nothing_to_repeat(f"{char} cannot be repeated")
                return
            case "(":
                self._group()
                return
            case ")":
                group = self._close()
            case _:
                self._one(char)
        self._quantifier(group)

    def _one(self, char: str) -> None:
        """What matches one character."""
        match char:
            case "*" | "+" | "?":
                self._fail(f"{char} has nothing before it to repeat", hint=f"write \\{char} for the character")
            case "{":
                self._fail(_NO_REPETITION, hint=_REPETITIONS)
            case "[":
                self._out.append(self._class())
            case "\\":
                self._escape()
            case _:
                self._at += 1
                self._out.append("[^" + ranges_text(LINE_ENDS) + "]" if char == "." else self._literal(char))

    def _copy(self, text: str) -> None:
        self._at += len(text)
        self._out.append(text)

    def _literal(self, char: str) -> str:
        if "\ud800" <= char <= "\udfff":
            self._fail("half a surrogate pair", self._at - 1, "write the character itself, or \\u{…}")
        return char if char.isalnum() or not char.isascii() else code_point_text(ord(char))

    def _group(self) -> None:
        start = self._at
        self._at += 1
        if self._next() != "?":
            self._capture("")
            return
        kind = next((kind for kind in _GROUPS if self._text.startswith(kind, self._at)), None)
        if kind is not None:
            self._open = _Group(self._open, look=kind != "?:")
            self._at += len(kind)
            self._out.append("(" + kind)
        elif self._next(2) == "?<":
            self._at += 2
            self._capture(self._name())
        else:
            self._fail_at_group(start)

    def _fail_at_group(self, start: int) -> NoReturn:
        for sign, (message, hint) in _FOREIGN_GROUPS.items():
            if self._text.startswith(sign, self._at):
                self._fail(message, start, hint)
        self._fail("flags within a pattern, such as (?i), are not supported", start, "write the letters out: [Aa]")

    def _capture(self, name: str) -> None:
        self._open = _Group(self._open, number=len(self._groups) + 1)
        self._groups.append(self._open)
        if name:
            self._names[name] = self._open
        self._out.append("(")

    def _name(self) -> str:
        """The name that ends at >, as (?<name> and \\k<name> have it."""
        start = self._at
        end = self._text.find(">", start)
        name = self._text[start : end if end >= 0 else start]
        if not name.replace("$", "_").isidentifier():
            self._fail("the name of a group is letters, digits and _, and ends with >", start)
        if self._text[start - 3 : start] == "(?<" and name in self._names:
            self._fail(f"two groups are called {name[:40]!r}", start, "give them different names")
        self._at = end + 1
        return name

    def _close(self) -> _Group:
        group = self._open
        if group.outer is None:
            self._fail(") closes nothing", hint="write \\) for the character")
        group.closed = True
        self._open = group.outer
        self._copy(")")
        if group.look:
            self._nothing_to_repeat("lookaround cannot be repeated")
        return group

    def _nothing_to_repeat(self, message: str) -> None:
        if self._next() in tuple("*+?{"):
            self._fail(message, hint="leave the repetition out")

    def _quantifier(self, group: _Group | None) -> None:
        """A repetition of the term before, which is `group` where it is one, if a repetition follows."""
        char = self._next()
        if char in ("*", "+", "?"):
            self._copy(char)
        elif char == "{":
            self._copy(self._counts())
        else:
            return
        if group is not None:
            group.optional = True
        if self._next() == "?":
            self._copy("?")
        if self._next() in tuple("*+?{"):
            self._fail(f"{self._next()} repeats a repetition", hint="put what it repeats into (?:…)")

    def _counts(self) -> str:
        end = self._text.find("}", self._at)
        words = self._text[self._at + 1 : max(end, self._at)].split(",")
        if len(words) > 2 or not words[0] or not all(_COUNT.fullmatch(word) for word in words):
            self._fail(_NO_REPETITION, hint=_REPETITIONS)
        if max(map(len, words)) > 9:
            self._fail("too many repetitions")
        fewest, most = words[0], words[-1]
        if most and int(most) < int(fewest):
            self._fail("the repetition ends before it begins", hint=f"write {{{int(most)},{int(fewest)}}}")
        return self._text[self._at : end + 1]

    def _escape(self) -> None:
        """An escape outside of a class."""
        char = self._text[self._at + 1 : self._at + 2]
        if char in ("b", "B"):
            self._at += 2
            self._out.append(_BOUNDARY[char])
            self._nothing_to_repeat(f"\\{char} cannot be repeated")
        elif char == "k" or (char.isascii() and char.isdigit() and char != "0"):
            self._out.append(self._reference(char))
        else:
            self._out.append(_class_of(self._escaped(in_class=False)))

    def _reference(self, char: str) -> str:
        position = self._at
        self._at += 2
        if char == "k":
            if self._next() != "<":
                self._fail("\\k is followed by the name of a group", position, "write \\k<name>")
            self._at += 1
            group = self._names.get(self._name())
        else:
            digits = char
            while self._next().isascii() and self._next().isdigit():
                digits += self._copied()
            group = self._groups[int(digits[:9]) - 1] if int(digits[:9]) <= len(self._groups) else None
        if group is None or not group.closed:
            self._fail("a back-reference to no group that ends before it", position, "write it behind the group's end")
        self._references.append(_Reference(position, group))
        # In a group, so that a digit behind it is not read as part of the number.
        return f"(?:\\{group.number})"

    def _class(self) -> str:
        start = self._at
        self._at += 1
        negated = self._next() == "^"
        self._at += negated
        if self._next() == "]":
            what = "any character: write [\\s\\S]" if negated else "nothing: write (?!)"
            self._fail("a class without members", start, f"for ] as a member write \\]; for {what}")
        parts: list[str] = []
        while self._next() != "]":
            if self._at >= len(self._text):
                self._fail("a class is not closed", start, "write ] at its end, or \\[ for the character")
            parts.append(self._member())
        self._at += 1
        return f"[{'^' if negated else ''}{''.join(parts)}]"

    def _member(self) -> str:
        position = self._at
        low = self._single()
        if self._next() != "-" or self._next(2) in ("-]", "-"):
            return low if isinstance(low, str) else ranges_text(low)
        self._at += 1
        high = self._single()
        first, last = self._end(low, position), self._end(high, position)
        if first > last:
            self._fail("a range ends before it begins", position, "exchange its ends, or write \\- for the character")
        return ranges_text([(first, last)])

    def _end(self, one: Ranges | str, position: int) -> int:
        """The character at one end of a range."""
        if isinstance(one, str) or is_several(one):
            self._fail("a range goes from one character to another", position, "put - at the end, or write \\-")
        return one[0][0]

    def _single(self) -> Ranges | str:
        if self._next() == "\\":
            return self._escaped(in_class=True)
        char = self._copied()
        self._literal(char)
        return one_character(ord(char))
