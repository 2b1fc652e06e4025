"""The tree of a YAML file: texts, mappings and lists with their positions."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right

import msgspec

from syncengine.core.errors import Problem, Severity

_BREAK = re.compile(rb"\r\n|\n|\r")
_BOM = "\ufeff"
_EXCERPT = 200
_MARGIN = 100
_UNSHOWABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\uffff\U000e0000-\U000e0fff]"
)

CUT = "…"
"""First character of an excerpt whose beginning was cut off; the caret is then at index `CARET_WHEN_CUT`."""
CARET_WHEN_CUT = _MARGIN + 1


class Scalar(msgspec.Struct, gc=False):
    """One text as typed. `plain` is False for quoted and block scalars; line and column count from 1."""

    text: str
    plain: bool
    line: int
    column: int


class Mapping(msgspec.Struct, gc=False):
    """Entries in file order, without duplicate keys."""

    entries: list[tuple[Scalar, Node]]
    line: int
    column: int

    def get(self, name: str) -> Node | None:
        """The value under `name`, or None."""
        for key, value in self.entries:
            if key.text == name:
                return value
        return None

    def key(self, name: str) -> Scalar | None:
        """The key node itself, for its position, or None."""
        for key, _ in self.entries:
            if key.text == name:
                return key
        return None


class Sequence(msgspec.Struct, gc=False):
    """Items in file order."""

    items: list[Node]
    line: int
    column: int


Node = Scalar | Mapping | Sequence


class Document(msgspec.Struct, gc=False):
    """One document of a file; `node` is None where it is empty. `line` is where it begins."""

    node: Node | None
    line: int


def showable(text: str) -> str:
    """`text` with each invisible or terminal control character replaced by a visible one."""
    return _UNSHOWABLE.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x09:
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else "\ufffd"


class SourceText:
    """The bytes of a file, for single lines in messages. Lines end as in YAML: LF, CRLF or CR."""

    def __init__(self, data: bytes, file: str) -> None:
        self.file = file
        self._data = data
        self._starts: array[int] | None = None

    def line(self, number: int) -> str:
        """Line `number` (from 1) without its line break; "" where there is none."""
        starts = self._index()
        if not 1 <= number < len(starts):
            return ""
        raw = self._data[starts[number - 1] : starts[number]]
        return raw.decode("utf-8", "replace").rstrip("\r\n").removeprefix(_BOM if number == 1 else "")

    def bytes_of(self, first: int, last: int | None = None) -> bytes:
        """Lines `first` to `last` (None: to the end), as they are."""
        starts = self._index()
        end = len(self._data) if last is None or last >= len(starts) else starts[last]
        return self._data[starts[first - 1] : end]

    def digest(self, first: int, last: int | None = None) -> str:
        """SHA-256 of the part of a document on these lines, without what depends on its place in the file, and with any
        line ends."""
        text = self.bytes_of(first, last).replace(b"\r\n", b"\n").removeprefix(_BOM.encode()).rstrip()
        return hashlib.sha256(text.removeprefix(b"---").removesuffix(b"\n...").strip()).hexdigest()

    def excerpt(self, line: int, column: int) -> str:
        """The line for a message: cut around the column where it is long, without terminal control characters."""
        text = self.line(line)
        start = column - 1 - _MARGIN
        if len(text) > _EXCERPT and start > 0:
            return CUT + showable(text[start : start + _EXCERPT])
        return showable(text[:_EXCERPT])

    def problem(
        self, code: str, message: str, line: int, column: int, *, hint: str = "", severity: Severity = "error"
    ) -> Problem:
        """A problem at that position, with its excerpt."""
        return Problem(
            code=code,
            message=message,
            file=self.file,
            line=line,
            column=column,
            hint=hint,
            severity=severity,
            excerpt=self.excerpt(line, column),
        )

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a byte offset."""
        line = self.line_at(offset)
        before = self._data[self._index()[line - 1] : offset].decode("utf-8", "replace")
        return line, len(before.removeprefix(_BOM if line == 1 else "")) + 1

    def line_at(self, offset: int) -> int:
        """Number of the line that contains a byte offset."""
        starts = self._index()
        return bisect_right(starts, offset, hi=len(starts) - 1) or 1

    def _index(self) -> array[int]:
        if self._starts is None:
            self._starts = array("Q", [0])
            self._starts.extend(match.end() for match in _BREAK.finditer(self._data))
            if self._starts[-1] != len(self._data) or len(self._starts) == 1:
                self._starts.append(len(self._data))
        return self._starts


_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?")
_ESCAPES = {"'": re.compile(r"''|[^']"), '"': re.compile(r"\\(?:x..|u.{4}|U.{8}|.)|[^\\]")}


def place_in(source: SourceText, scalar: Scalar, offset: int) -> Scalar:
    """Position of character `offset` of a scalar's text; that of the scalar where its line breaks make this unclear."""
    line, column = scalar.line, scalar.column
    raw = source.line(line)[column - 1 :]
    opening = "" if scalar.plain else raw[:1]
    if opening in ("|", ">"):
        return _place_in_block(source, scalar, offset) if _BLOCK.fullmatch(raw) else scalar
    shift = offset
    if opening in _ESCAPES:
        written = [match.start() + 1 for match in _ESCAPES[opening].finditer(raw[1:])]
        shift = written[offset] if offset < len(written) else offset + 1
    fits = raw[shift : shift + 1] in (scalar.text[offset : offset + 1], "" if scalar.plain else "\\")
    return Scalar("", True, line, column + shift) if fits else scalar


def _place_in_block(source: SourceText, scalar: Scalar, offset: int) -> Scalar:
    """Position in a block scalar. In a literal block each line of the text is a line of the file; in a folded one, only
    as long as nothing was folded."""
    before = scalar.text[:offset]
    line = scalar.line + 1 + before.count("\n")
    start = before.rfind("\n") + 1
    text = scalar.text[start:].split("\n", 1)[0]
    raw = source.line(line)
    if not text or not raw.endswith(text):
        return scalar
    return Scalar("", True, line, len(raw) - len(text) + offset - start + 1)
