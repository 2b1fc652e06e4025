"""What Markdown views are written with: lines within a budget, code spans, sentences, and links by reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from syncengine.core.redaction import visible
from syncengine.reports.places import LinkedPlace
from syncengine.reports.vocabulary import clip

LINKS = 150
_BACKTICKS = re.compile(r"`+")
_WORD = re.compile(r"[(]*[A-Za-z]+(?:['-][A-Za-z]+)*[,.;:)?!]*|[(]*[+-]?[0-9]+(?:[.,][0-9]+)*[,;:)%]*|%[),.;:]*")
"""What our own sentences are made of: letters and numbers, in which no Markdown, mention or reference can be."""


def prose(text: str, foreign: Iterable[str | None] = ()) -> str:
    """A sentence of ours, in which names and values are code: the `foreign` texts, and every word that is no plain one.

    Words that must be code are joined where they are neighbours.
    """
    words: list[_Word] = []
    glued = False
    for position, part in enumerate(re.split(_pattern_of(foreign), text)):
        if position % 2:
            words.append(_Word("", part, "", is_code=True, glued=glued))
        else:
            words += _words(part, glued=position > 0 and not part[:1].isspace())
        glued = bool(part) and not part[-1].isspace()
    return _joined(words)


def _pattern_of(foreign: Iterable[str | None]) -> str:
    """Finds these texts as whole words; the longest first, since one may begin with another."""
    names = sorted({visible(name) for name in foreign if name and not name.isspace()}, key=len, reverse=True)
    return f"(?<![A-Za-z0-9])({'|'.join(map(re.escape, names))})(?![A-Za-z0-9])" if names else "(?!)"


def _words(text: str, *, glued: bool) -> Iterator[_Word]:
    """The words of a text; `glued`: the first follows what is before it without a space."""
    for index, word in enumerate(text.split()):
        yield _word(word, glued=glued and index == 0)


class _Word(NamedTuple):
    """A word with the punctuation around it; `glued` to the one before without a space."""

    opening: str
    core: str
    closing: str
    is_code: bool
    glued: bool


def _word(word: str, *, glued: bool) -> _Word:
    if _WORD.fullmatch(word):
        return _Word("", word, "", is_code=False, glued=glued)
    core = word.lstrip("(")
    opening = word[: len(word) - len(core)]
    inner = core.rstrip(",.;:)")
    closing = core[len(inner) :]
    return _Word(opening, inner, closing, is_code=bool(inner), glued=glued)


def _joined(words: Iterable[_Word]) -> str:
    out: list[str] = []
    run: list[str] = []
    """Words in code that go into one span."""

    def end_run() -> None:
        if run:
            out.append(code(" ".join(run), 400))
            run.clear()

    for word in words:
        # Neighbours in code share a span, but an opening bracket belongs to our own text and ends it.
        if not word.is_code or word.opening:
            end_run()
        if not run:
            space = "" if word.glued or not out else " "
            out.append(space + word.opening)
        if not word.is_code:
            out.append(word.core + word.closing)
            continue
        run.append(word.core)
        if word.closing:
            end_run()
            out.append(word.closing)
    end_run()
    return "".join(out)


class Links:
    """Links to the forge by reference: their addresses are at the end, and take nothing of the first screen.

    `prefix` tells the references of several plans in one document apart.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = f"{prefix}-" if prefix else ""
        self._numbers: dict[str, int] = {}

    def place(self, place: LinkedPlace, limit: int = 200) -> str:
        """A place as code, linked where its file is on a forge."""
        text = code(place.text, limit)
        if not place.url or len(self._numbers) >= LINKS:
            return text
        return f"[{text}][{self._prefix}{self._numbers.setdefault(place.url, len(self._numbers) + 1)}]"

    def definitions(self) -> list[str]:
        """The addresses."""
        return [f"[{self._prefix}{n}]: <{url}>" for url, n in self._numbers.items()]


class Sheet:
    """Lines within a budget. `add` is for what must be there and is short; `some` takes what fits."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Lines that are never cut."""
        for line in lines:
            self._lines.append(line)
            self._left -= units(line) + 1

    def some(self, items: Sequence[str], share: float) -> int:
        """As many items as fit into this share of what is left; returns how many do not."""
        room = int(self._left * share)
        for position, item in enumerate(items):
            cost = units(item) + 1
            if cost > room:
                return len(items) - position
            room -= cost
            self.add(item)
        return 0

    def close(self, lines: Sequence[str]) -> None:
        """The end, for which there is room beyond the budget of the lines above as far as it reaches."""
        room = self._left + 400
        self._lines.append("")
        for line in lines:
            room -= units(line) + 1
            if room < 0:
                return
            self._lines.append(line)

    def text(self) -> str:
        """Everything, with a line end after each line."""
        return "\n".join(self._lines) + "\n"


def units(text: str) -> int:
    """Length of `text` in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text) if not text.isascii() else len(text)


def code(text: str, limit: int = 200) -> str:
    """`text` as a code span that no content of it can end, on one line."""
    inner = clip(visible(text), limit) or '""'
    longest = max((len(run) for run in _BACKTICKS.findall(inner)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if inner[0] in "` " or inner[-1] in "` " else ""
    return f"{fence}{pad}{inner}{pad}{fence}"
