"""Rules about single values, on both sides of their thresholds, and on ordinary data where they are silent."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from syncengine.core.redaction import mask
from tests.findings.lines import column, found, told, update

ORDINARY = {
    "firstname": ["Zoë", "Jürgen", "Seán", "Nan", "Null", "Testa", "José", "Ann-Marie", "Łukasz", "Müller"],
    "lastname": ["O'Brien", "D’Angelo", "Smith", "von der Heide", "Ng", "Étienne", "Ørsted", "Name", "Xxiao", "Naan"],
    "postcode": ["TN25 6QD", "SW1A 1AA", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "EC1A 1BB", "W1A 0AX", "L1 8JQ"],
    "phone1": [f"077009{n:05}" for n in range(900, 930)],
    "email": [f"joe.{n}@mail{n % 7}.co.uk" for n in range(30)],
    "dob": [f"{1950 + n}-0{1 + n % 9}-1{n % 10}" for n in range(30)],
    "c1": ["GoogleAdWords", "Bing", "#brand", "a=b", "'quoted' mid", "1.5", "2.25", "7", "x", "https://x.example.org"],
    "c2": ["100000", "99", "2500", "5", "0", "12", "600", "77777", "4", "31"],
}


def test_nothing_is_found_in_ordinary_values() -> None:
    rows = [{name: values[n % len(values)] for name, values in ORDINARY.items()} for n in range(200)]
    for n, row in enumerate(rows):  # contacts are everybody's own
        row["phone1"], row["email"] = f"07700{n:06}", f"joe{n}@mail.co.uk"
    assert found([update(1001 + n, row) for n, row in enumerate(rows)]) == []


@pytest.mark.parametrize(
    "value",
    ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "4.47E+11", "4.47e+11", "447700900123.0", "123456.0", '="0123"',
     "=A1", "'0770090012", "2.93E+06", "######", "#NV", "#BEZUG!", "4.47E11", "'01/02/2026", "'07700-900123", "4E+11"],
)  # fmt: skip
def test_spreadsheet_debris(value: str) -> None:
    assert told(column(["plain", value, "text"]), "spreadsheet-debris") == [("high", 1)]


@pytest.mark.parametrize(
    "value",
    [
        "#1 choice",
        "12345.0",
        "1.50",
        "O'Brien",
        "'tis",
        "E11",
        "1E",
        "1e3 flats",
        "a=b",
        "3.0 litres",
        "N/A#",
        "2E10",
        "=> call again",
        "===",
        "'90s music",
    ],
)
def test_what_is_no_debris(value: str) -> None:
    assert told(column(["plain", value, "text"]), "spreadsheet-debris") == []


@pytest.mark.parametrize(
    ("others", "expected"),
    [(["34", "35"], [("high", 1)]), (["34", "35.5"], []), (["34", "x"], []), ([], []), (["35.0"], [])],
)
def test_a_short_number_with_a_decimal_zero_counts_among_whole_ones(
    others: Sequence[str], expected: list[tuple[str, int]]
) -> None:
    assert told(column([*others, "33.0"]), "spreadsheet-debris") == expected


@pytest.mark.parametrize(
    "value",
    ["test@mail.com", "joe@example.com", "asdf", "qwerty", "xxx", "000000", "7777777", "1234567890", "Test", "N/A",
     "NULL", "nan", "undefined", "[object Object]"],
)  # fmt: skip
def test_placeholder(value: str) -> None:
    assert told(column(["plain", value, "text"]), "placeholder") == [("medium", 1)]


@pytest.mark.parametrize(
    "value", ["00000", "Testa", "Nan", "Null", "Contest@mail.com", "12345678901", "xx", "N", "011111"]
)
def test_what_is_no_placeholder(value: str) -> None:
    assert told(column(["plain", value, "text"]), "placeholder") == []


@pytest.mark.parametrize(
    ("count", "of", "expected"), [(1, 20, []), (2, 20, [("medium", 2)]), (2, 200, [("medium", 2)]), (2, 201, [])]
)
def test_dates_that_stand_for_none(count: int, of: int, expected: list[tuple[str, int]]) -> None:
    dates = [f"19{50 + n % 40}-03-2{n % 9}" for n in range(of - count)] + ["1970-01-01"] * count
    assert told(column(dates), "placeholder") == expected


@pytest.mark.parametrize(
    ("value", "severity"),
    [
        ("a\u00a0b", "medium"), ("a\u200bb", "medium"), ("\ufeffa", "medium"), ("a\u202eb", "medium"),
        ("a\u00adb", "medium"), ("a\x07b", "medium"), (" a", "medium"), ("a ", "medium"), ('"Joe"', "medium"),
        ("“Joe”", "medium"), ("a\nb", "info"), ("a\r\nb", "info"), ("می\u200cخواهم", "info"), ("a\u200db", "medium"),
        ("a\u3164", "medium"), ("a\u2003", "medium"), ("👩\u200d💻", "info"),
    ],
)  # fmt: skip
def test_invisible_characters(value: str, severity: str) -> None:
    assert told(column(["plain", value]), "invisible-characters") == [(severity, 1)]


@pytest.mark.parametrize(
    "value", ["a b", "Zoë", "O'Brien", '5" pipe', "'tis", "日本", "", "it's 'fine'", '"a" and "b"']
)
def test_what_is_seen(value: str) -> None:
    assert told(column(["plain", value]), "invisible-characters") == []


@pytest.mark.parametrize("text", ["Zoë", "Müller", "naïve", "D’Angelo", "Łódź", "à", "Иван", "€5"])
def test_mojibake(text: str) -> None:
    def garbled(byte: int) -> str:
        return chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")

    assert told(column(["plain", "".join(map(garbled, text.encode()))]), "mojibake") == [("high", 1)]
    assert told(column(["plain", text]), "mojibake") == []


def test_lost_characters() -> None:
    assert told(column(["Zo\ufffd"]), "mojibake") == [("high", 1)]


MANY = {
    "dates": ["21/04/1980"] * 9,
    "phones": ["+447700900123"] * 9,
    "postcodes": ["TN25 6QD"] * 9,
}


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        ("21/04/1980", "04/21/1980"), ("21/04/1980", "1980-04-21"), ("21/04/1980", "21-04-1980"),
        ("21/04/1980", "21.04.1980"), ("+447700900123", "07700900123"), ("+447700900123", "00447700900123"),
        ("07700900123", "7700900123"), ("TN25 6QD", "TN256QD"), ("TN25 6QD", "tn25 6qd"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("count", "rare", "expected"), [(10, 1, 1), (10, 2, 0), (9, 1, 0), (11, 2, 2)])
def test_mixed_formats(usual: str, other: str, count: int, rare: int, expected: int) -> None:
    values = [usual] * (count - rare) + [other] * rare
    lines = column(values, field="phone1" if usual[0] in "+0" and "/" not in usual else "c1")
    assert told(lines, "mixed-formats") == ([("medium", expected)] if expected else [])


def test_days_that_could_be_months_count_with_the_majority() -> None:
    assert told(column(["21/04/1980"] * 9 + ["03/04/1980"]), "mixed-formats") == []
    assert told(column(["21/04/1980"] * 5 + ["03/04/1980"] * 6 + ["04/21/1980"]), "mixed-formats") == [("medium", 1)]


@pytest.mark.parametrize(("leads", "expected"), [(4, []), (5, [("medium", 5)])])
@pytest.mark.parametrize(("field", "value"), [("email", "a@mail.co"), ("c1", "a@mail.co"), ("phone1", "07700900123"),
                                              ("c1", "+447700900123")])  # fmt: skip
def test_repeated_value(leads: int, expected: list[tuple[str, int]], field: str, value: str) -> None:
    lines = column([value] * leads + [f"joe{n}@mail{n}.co" for n in range(3000)], field=field)
    random.Random(1).shuffle(lines)
    assert told(lines, "repeated-value") == expected
    assert told(lines, "repeated-value", typed=[field]) == []


def test_each_repeated_value_is_told_with_its_leads_and_never_in_clear() -> None:
    lines = column(["a@mail.co"] * 6 + ["b@mail.co"] * 5, field="email")
    one, other = (each for each in found(lines) if each.rule == "repeated-value")
    assert (one.leads, other.count) == (tuple(str(1001 + n) for n in range(6)), 5)
    assert one.evidence[5].row == 1006
    assert "a@mail.co" not in one.message
    assert mask("a@mail.co") in one.message


def test_a_phone_number_is_known_by_its_shape() -> None:
    assert told(column(["07700 900123"] * 5), "repeated-value") == [("medium", 5)]
    assert told(column(["0012345678"] * 5 + ["12345678901"] * 5), "repeated-value") == []
    numbers = [f"07700 9001{n:02}" for n in range(11)]
    assert told(column([*numbers, "447700900123"]), "mixed-formats") == [("medium", 1)]
    customers = [f"{n * 977:010}" for n in range(1, 400)] + [f"{n * 98765:010}" for n in range(1000, 5000)]
    assert told(column(customers), "mixed-formats") == []


def test_other_values_may_repeat() -> None:
    assert told(column(["1053"] * 50 + ["Bing"] * 50), "repeated-value") == []
