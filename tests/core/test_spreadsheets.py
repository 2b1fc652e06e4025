"""What a spreadsheet made of a number, and several numbers in one text, are named and never repaired."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.spreadsheets import SEVERAL, SPREADSHEET, fault_of_buyer, fault_of_digits, fault_of_id
from syncengine.core.values import is_service_id

MADE_BY_SPREADSHEETS = [
    *("2932683.0", "2932683.00", "2932683,0", "2932683,00", "2932683.5", "-2932683.0", " 2932683.0 ", "07700900123.0"),
    *("2.93E+06", "2,93E+06", "2.93e6", "2.93e+06", "4E+11", "4.47701E+11", "1.0e+12", '="2932683.0"', "'2932683.0"),
]
SEVERAL_NUMBERS = [
    *("2932686 / 2932687", "2932686/2932687", "2932686;2932687", "2932686 ; 2932687", "2932686, 2932687"),
    *("2932686\n2932687", "2932686\t2932687", "2932686 2932687", "2932686-2932687", "2932686 and 2932687"),
    *("2932686 or 2932687", "2932686|2932687", "2932686 & 2932687", "2932686+2932687", "1 and 2"),
]
SEVERAL_PHONES = [
    *("020 7946 0018 or 020 7946 0019", "020 7946 0018 / 19", "020 7946 0018 020 7946 0019", "07700 900123 ext. 5"),
    *("07700 900123 x5", "07700 900123 #5", "07700 900123 (2)", "+447700900123 +447700900124", "07700 900123/4"),
    *("07700900123/07700900124", "home 020 7946 0018, mobile 07700 900123", "07700 900123; 07700 900124"),
]
PHONES = [
    *("07700900123", "07700 900123", "07700-900123", "07700.900123", "+44 7700 900123", "+44 (0)7700-900123"),
    *(
        "(020) 7946-0018",
        "0044 (0)7700 900123",
        "(+44) 7700 900123",
        "+44.7700900123",
        "212.555.0100",
        "1 (212) 555-0100",
    ),
    *("030/1234567", "030 / 1234567", "+49 30/1234567", "089 1234567-0", "8 (912) 345-67-89", "612.345.678"),
    *("\u202a+44 7700 900123\u202c", "020\xa07946\u20110018", "'07700900123", '="07700900123"', "Tel.: 07700 900123."),
]
OTHER_NUMBERS = [
    *("2932683", "REF-2932683", "#2932683", "4111 1111 1111 1111", "978-0-306-40615-7", "20-00-00 12345678"),
    *("01/02/1980", "1980-02-01", "09:30", "", " ", "n/a", "-", "£12"),
]


@pytest.mark.parametrize("text", MADE_BY_SPREADSHEETS)
def test_digits_of_a_spreadsheets_number_are_refused(text: str) -> None:
    assert fault_of_digits(text) is SPREADSHEET
    assert fault_of_id(text) is SPREADSHEET


@pytest.mark.parametrize("text", [*SEVERAL_NUMBERS, *SEVERAL_PHONES])
def test_digits_of_several_numbers_are_refused(text: str) -> None:
    assert fault_of_digits(text) is SEVERAL


@pytest.mark.parametrize("text", SEVERAL_NUMBERS)
def test_several_ids_are_named_as_such(text: str) -> None:
    assert fault_of_id(text) is SEVERAL


@pytest.mark.parametrize("text", [*PHONES, *OTHER_NUMBERS])
def test_digits_of_one_number_are_taken(text: str) -> None:
    assert fault_of_digits(text) is None


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("2,932,683", "thousands"),
        ("2.932.683", "thousands"),
        ("2 932 683", "thousands"),
        ("2\u202f932\u202f683", "thousands"),
        ("2'932'683", "thousands"),
        ("", "empty"),
        (" ", "shows nothing"),
        ("\u200b\xa0", "shows nothing"),
        ("٢٩٣٢٦٨٣", "other than 0 to 9"),
        ("\uff12932683", "other than 0 to 9"),
        (" 2932683", "beside the digits"),
        ("2932683\ufeff", "beside the digits"),
        ("'2932683", "mark for text"),
        ('="2932683"', "mark for text"),
    ],
)
def test_other_faults_of_ids_are_named(text: str, cause: str) -> None:
    fault = fault_of_id(text)
    assert fault is not None
    assert cause in fault.cause


@pytest.mark.parametrize("text", ["abc", "02932683", "-1", "12345678901234567890", "lead 5", "quarantined:1"])
def test_texts_that_are_no_id_for_another_reason_have_no_such_fault(text: str) -> None:
    assert fault_of_id(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "33.0",
        "33.00",
        "33,0",
        "3.3E+01",
        "3.3e1",
        "3E+05",
        " 33.0 ",
        "33;34",
        "33 / 34",
        "33, 34",
        "33 and 34",
        "33\n34",
        "33 34",
    ],
)
def test_a_damaged_buyer_is_recognised(text: str) -> None:
    assert fault_of_buyer(text) is not None


@pytest.mark.parametrize(
    "text", ["33", "33-34", "3E5", "12E4", "1st Choice", "NW-33", "2 Sons Ltd", "Smith and Sons", "B33.0", "1.2.3", ""]
)
def test_a_buyer_may_be_any_other_text(text: str) -> None:
    assert fault_of_buyer(text) is None


@given(st.integers(1, 10**19 - 1).map(str))
def test_ids_have_no_fault(text: str) -> None:
    assert is_service_id(text)
    assert fault_of_digits(text) is None
    assert fault_of_id(text) is None


@given(
    st.floats(allow_nan=False, allow_infinity=False, min_value=0), st.sampled_from(["{}", "{:.1f}", "{:.2E}", "{:e}"])
)
def test_floats_are_refused_however_they_are_printed(value: float, form: str) -> None:
    assert fault_of_digits(form.format(value)) is SPREADSHEET


@given(st.text("0123456789 +-./()eE,;&\n\xa0\u200bx'\"", max_size=30))
def test_one_number_has_one_decimal_mark_at_most_and_no_words(text: str) -> None:
    if fault_of_digits(text) is None:
        between = re.findall(r"[0-9]([^0-9]+)(?=[0-9])", text.replace("\u200b", ""))
        assert not any(set(part) & set(",;&\nxeE+'\"") for part in between)
