"""Which texts count as blank."""

import sys
import unicodedata

import pytest

from syncengine.core.text import is_blank


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t", "\r\n", "   \n"),
        *("\xa0", "\u202f", "\u3000", "\u1680", "\x85", "\u2028"),
        *("\u200b", "\ufeff", "\u2060", "\xad", "\u200d", "\u202e", "\U000e0020"),
        *("\u115f", "\u1160", "\u3164", "\uffa0", "\ufe0f", "\u034f", "\u180e", "\u17b4"),
        " \u200b\xa0\ufeff ",
    ],
)
def test_text_that_shows_nothing_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "0", " a", "a ", "\xa0-", "\u200ba", "-", ".", "'", "\u2800", "\x1c", "\0", "é"])
def test_text_with_something_to_see_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_every_format_character_and_space_that_python_knows_is_blank() -> None:
    known = [chr(point) for point in range(sys.maxunicode + 1)]
    shown = [char for char in known if unicodedata.category(char) in ("Cf", "Zs", "Zl", "Zp") and not is_blank(char)]
    assert shown == []


def test_no_letter_but_the_fillers_is_blank() -> None:
    blank = {chr(point) for point in range(sys.maxunicode + 1) if is_blank(chr(point))}
    letters = {char for char in blank if unicodedata.category(char)[0] in "LNPS"}
    assert letters == {"\u115f", "\u1160", "\u3164", "\uffa0"}
