"""Ids and amounts at the edge: what passes, and what exactly it becomes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.values import (
    are_service_ids,
    format_money,
    is_changeset_id,
    is_lead_id,
    is_quarantined,
    is_service_id,
    number_of,
    parse_money,
    quarantined,
)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("80", 8000),
        ("80.", None),
        ("80.1", 8010),
        ("80.10", 8010),
        ("80.01", 8001),
        ("80.100", None),
        (".5", None),
        ("-0.05", -5),
        ("-12", -1200),
        ("--1", None),
        ("+1", None),
        ("1e3", None),
        ("1,000", None),
        ("007", 700),
        ("999999999999999.99", 99999999999999999),
        ("1000000000000000", None),
        ("١", None),
        (" 1", None),
        ("1\n", None),
        ("", None),
    ],
)
def test_amounts(text: str, cents: int | None) -> None:
    assert parse_money(text) == cents


@given(st.integers(-(10**17) + 1, 10**17 - 1))
def test_an_amount_is_what_its_text_says(cents: int) -> None:
    text = format_money(cents)
    assert parse_money(text) == cents
    assert text.rpartition(".")[2].isdigit()
    assert len(text.rpartition(".")[2]) == 2
    assert text.startswith("-") is (cents < 0)


IDS = {
    "1": True,
    "9999999999999999999": True,
    "10000000000000000000": False,
    "0": False,
    "01": False,
    "": False,
    "1 ": False,
    "1\n": False,
    "١": False,
    "-1": False,
    "1.0": False,
    "a": False,
}


@pytest.mark.parametrize(("text", "fits"), IDS.items())
def test_ids_of_the_service(text: str, fits: bool) -> None:
    assert is_service_id(text) is fits
    assert is_lead_id(text) is fits
    assert is_lead_id(quarantined(text)) is fits
    assert are_service_ids([text]) is fits
    assert are_service_ids(["7", text, "8"]) is fits


def test_many_ids_at_once() -> None:
    assert are_service_ids([])
    assert are_service_ids(["1", "2"])
    assert not are_service_ids(["1 2"])
    assert not are_service_ids(["1", ""])


def test_a_lead_in_quarantine_is_another_lead() -> None:
    lead = quarantined("123")
    assert lead == "quarantined:123"
    assert is_quarantined(lead)
    assert not is_quarantined("123")
    assert number_of(lead) == number_of("123") == "123"
    assert number_of("123quarantined:") == "123quarantined:"
    assert not is_lead_id("quarantined:quarantined:1")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("postcode-repair-2026-11", True),
        ("abc", True),
        ("a.b_c", True),
        ("0ab", True),
        ("ab", False),
        ("a" * 64, True),
        ("a" * 65, False),
        ("-ab", False),
        ("Abc", False),
        ("abç", False),
        ("abc\n", False),
    ],
)
def test_ids_of_changesets(text: str, fits: bool) -> None:
    assert is_changeset_id(text) is fits
