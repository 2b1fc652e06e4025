"""Lines for a terminal of a given width: styled pieces, wrapped by display cells, coloured only at the very end."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

Style = Literal["plain", "bold", "dim", "alarm", "warn", "good", "key"]

_CODES: dict[Style, str] = {
    "plain": "",
    "bold": "1",
    "dim": "2",
    "alarm": "1;31",
    "warn": "33",
    "good": "32",
    "key": "36",
}

_TOKENS = re.compile(r" +|[^ ]+")


class Piece(NamedTuple):
    """Text of one style. The text must already be safe for a terminal."""

    text: str
    style: Style = "plain"


def cells(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(map(_cell, text))


def _cell(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """`text` in at most `width` columns, an ellipsis telling that something is missing."""
    if cells(text) <= width:
        return text
    taken, used = "", 0
    for character in text:
        step = _cell(character)
        if used + step > width - 1:
            break
        taken += character
        used += step
    return taken + "…"


class Page:
    """Collects pieces into lines no wider than `width` columns."""

    def __init__(self, width: int, *, colour: bool) -> None:
        self.width = width
        self._colour = colour

    def line(self, *pieces: Piece | str, indent: int = 0, hang: int = 0) -> Iterator[str]:
        """One paragraph: wrapped at spaces, its first line indented by `indent`, the others by `indent + hang`."""
        room = self.width - indent
        later = self.width - indent - hang
        for position, row in enumerate(_wrap([_piece(piece) for piece in pieces], room, later)):
            margin = " " * (indent if position == 0 else indent + hang)
            yield (margin + "".join(self._paint(piece) for piece in row)).rstrip(" ")

    def heading(self, title: str, note: str = "", style: Style = "bold") -> Iterator[str]:
        """A blank line, then a title and a quiet remark."""
        yield ""
        yield from self.line(Piece(title, style), Piece(f"  {note}" if note else "", "dim"), hang=2)

    def _paint(self, piece: Piece) -> str:
        code = _CODES[piece.style]
        return f"\x1b[{code}m{piece.text}\x1b[0m" if self._colour and code and piece.text.strip() else piece.text


def _piece(piece: Piece | str) -> Piece:
    return Piece(piece) if isinstance(piece, str) else piece


def _wrap(pieces: Iterable[Piece], first: int, later: int) -> Iterator[list[Piece]]:
    row: list[Piece] = []
    used, room = 0, first
    for token in _split(pieces, max(1, min(first, later))):
        width = cells(token.text)
        if used + width > room and row:
            yield row
            row, used, room = [], 0, later
            if token.text.isspace():
                continue
        row.append(token)
        used += width
    yield row


def _split(pieces: Iterable[Piece], longest: int) -> Iterator[Piece]:
    """Words and gaps; a word too long for any line comes in parts."""
    for piece in pieces:
        for token in _TOKENS.findall(piece.text):
            rest = token
            while cells(rest) > longest:
                head = _head(rest, longest)
                yield Piece(head, piece.style)
                rest = rest[len(head) :]
            yield Piece(rest, piece.style)


def _head(text: str, width: int) -> str:
    used = 0
    for position, character in enumerate(text):
        used += _cell(character)
        if used > width:
            return text[: max(1, position)]
    return text
