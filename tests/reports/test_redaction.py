"""Masking keeps what a reviewer needs and hides the rest; nothing that is shown can deceive a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.redaction import MASK, Masker, mask, shown, visible


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("", ""),
        ("a", "•"),
        ("abc", "•••"),
        ("abcd", "a•••"),
        ("abcdef", "a•••••"),
        ("abcdefg", "a••••fg"),
        ("TN25 6QD", "T•••••QD"),
        ("Zoë", "•••"),
        ("07700900123", "0••••••••23"),
    ],
)
def test_a_mask_shows_the_first_and_past_six_the_last_two_characters(value: str, masked: str) -> None:
    assert mask(value) == masked


@given(st.text())
def test_a_mask_keeps_the_length_and_never_shows_more_than_three_characters(value: str) -> None:
    masked = mask(value)
    assert len(masked) == len(value)
    assert len(masked) - masked.count(MASK) <= 3


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_visible_text_holds_nothing_that_moves_a_cursor_or_turns_a_line_around(text: str) -> None:
    for character in visible(text):
        assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    visible(text).encode("utf-8")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"], include_characters=" ")))
def test_ordinary_text_is_left_alone(text: str) -> None:
    if all(character.isprintable() for character in text) and not any(
        "HANGUL" in unicodedata.name(c, "") for c in text
    ):
        assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\nb\tc\x7f", "a␊b␉c␡"),
        ("\u202egnp.exe", "<U+202E>gnp.exe"),
        ("a\u200bb", "a<U+200B>b"),
        ("a\u00a0b", "a<U+00A0>b"),
        ("\ud800", "<U+D800>"),
        ("Amélie 李 🙂", "Amélie 李 🙂"),
    ],
)
def test_what_deceives_becomes_a_mark(text: str, seen: str) -> None:
    assert visible(text) == seen


def test_edges_that_the_eye_would_miss_are_quoted() -> None:
    assert shown(" a") == '" a"'
    assert shown("a ") == '"a "'
    assert shown("") == '""'
    assert shown("a b") == "a b"


def test_equal_values_look_equal_and_different_ones_never_do() -> None:
    masker = Masker()
    first = masker.show("postcode", "TN25 6QD")
    other = masker.show("postcode", "TX99 9QD")
    assert first == "T•••••QD"
    assert other == "T•••••QD#2"
    assert masker.show("postcode", "TN25 6QD") == first
    assert masker.show("postcode", "TX99 9QD") == other
    assert masker.show("street1", "TX99 9QD") == "T•••••QD"


@given(st.lists(st.text(min_size=1), max_size=40))
def test_masks_of_one_field_are_equal_exactly_where_the_values_are(values: list[str]) -> None:
    masker = Masker(exact=True)
    seen = [masker.show("name", value) for value in values]
    for one, one_seen in zip(values, seen, strict=True):
        for other, other_seen in zip(values, seen, strict=True):
            if one == other or mask(one) == mask(other):
                assert (one == other) == (one_seen == other_seen)


def test_past_its_limit_a_masker_says_that_it_cannot_tell() -> None:
    masker = Masker(limit=1)
    assert masker.show("a", "first value") == "f••••••••ue"
    assert masker.show("a", "other value") == "o••••••••ue#?"
    assert masker.show("a", "first value") == "f••••••••ue"


def test_public_fields_and_show_values_show_everything() -> None:
    assert Masker(["c1"]).show("c1", "GoogleAdWords") == "GoogleAdWords"
    assert Masker(["c1"]).show("c2", "GoogleAdWords") != "GoogleAdWords"
    assert Masker(show_values=True).show("c2", "a\x1bb ") == '"a␛b "'
    assert Masker(show_values=True, exact=True).show("c2", "a\x1bb ") == "a\x1bb "
