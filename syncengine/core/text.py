"""Text helpers: invisible characters, line endings, and lists of texts that are searched for each row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

# Listed here because `unicodedata` has neither property, and its categories change with the version of Python: the same
# file would give another plan elsewhere. `tests/core/test_text.py` compares the lists with the properties that
# `unicodedata` has.
WHITE_SPACE = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""White_Space of Unicode 16.0 (PropList.txt), for a regular expression's character class."""

UNSEEN = (
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Format characters (Cf of UnicodeData.txt) and Default_Ignorable_Code_Point (DerivedCoreProperties.txt) of Unicode
16.0, for a regular expression's character class."""

_BLANK = re.compile(f"[{WHITE_SPACE}{UNSEEN}]*")
# Not in Unicode's list of invisible characters: controls, the Braille blank, and the replacement for undecodable bytes.
_HIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f\u2800\ufffd{WHITE_SPACE}{UNSEEN}]")
_BYTE_ORDER_MARK = "\ufeff"


def is_blank(text: str) -> bool:
    """Whether `text` is empty or shows nothing: only white space, format and ignorable characters."""
    return _BLANK.fullmatch(text) is not None


def hidden_in(name: str) -> str:
    """The first character of a name that a reader cannot see in it, as its code point (`U+200B`); "" where there is
    none.

    A space at either end of a name counts as invisible.
    """
    found = _HIDDEN.search(name)
    return f"U+{ord(found[0]):04X}" if found is not None else ""


def revealed(name: str) -> str:
    """A name with each invisible character written as `<U+200B>`, for messages."""
    return _HIDDEN.sub(lambda match: match[0] if match[0] == " " else f"<U+{ord(match[0]):04X}>", name)


def lines_of(text: str) -> list[str]:
    """The lines of a file. Only a line feed ends a line, as in every other program.

    `str.splitlines` also splits at form feeds, U+2028 and the like, so that text inside a comment could become a line
    of its own. A leading byte order mark and the carriage return of a Windows line ending are removed.
    """
    return [line.removesuffix("\r") for line in text.removeprefix(_BYTE_ORDER_MARK).split("\n")]


class Texts(tuple[str, ...]):
    """An immutable list of texts. `members` tests membership in constant time."""

    members: frozenset[str]

    def __new__(cls, texts: Iterable[str]) -> Self:
        """A list of these texts, in order."""
        made = super().__new__(cls, texts)
        made.members = frozenset(made)
        return made


Variable = str | Texts | dict[str, str]
"""The possible values of a changeset's variable."""
