"""Texts: which of them show nothing, and lists of them that are searched for each row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

# Written out, since `unicodedata` has neither property, and its categories change with the version of Python: the same
# file would give another plan elsewhere. `tests/core/test_text.py` compares them with what `unicodedata` does know.
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


def is_blank(text: str) -> bool:
    """Whether `text` is empty or shows nothing: only white space, format and ignorable characters."""
    return _BLANK.fullmatch(text) is not None


class Texts(tuple[str, ...]):
    """A list of texts that never changes. `members` answers `in` at once, however long the list is."""

    members: frozenset[str]

    def __new__(cls, texts: Iterable[str]) -> Self:
        """The list of these texts, in order."""
        made = super().__new__(cls, texts)
        made.members = frozenset(made)
        return made


Variable = str | Texts | dict[str, str]
"""What a variable of a changeset may hold."""
