"""Each filter does what its line of documentation says, and refuses what does not fit without repeating it."""

import datetime as calendar
from collections.abc import Callable, Iterator

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.text import is_blank
from syncengine.core.values import format_money, parse_money
from syncengine.documents.expressions import ExpressionProblem, Expressions, Template
from syncengine.documents.filter_docs import FILTER_DOCS, FilterDoc
from syncengine.documents.filters import (
    FILTERS,
    add_percent,
    date,
    default,
    digits,
    e164,
    money,
    squeeze,
    trim,
    uk_postcode,
)
from syncengine.documents.rendering import FilterError, RenderError


@pytest.mark.parametrize("doc", FILTER_DOCS, ids=lambda doc: doc.name)
def test_the_documentation_is_true(doc: FilterDoc) -> None:
    for usage, gives in ((doc.usage, doc.gives), *doc.more):
        assert rendered(usage) == gives
    for usage in doc.refused:
        with pytest.raises(RenderError):
            rendered(usage)


def rendered(usage: str) -> str:
    template = Expressions().compile_value("{{ " + usage + " }}")
    assert isinstance(template, Template)
    return template.render({"vars": {"names": {"approved": "Sold"}}})


def test_every_filter_is_documented() -> None:
    assert {doc.name for doc in FILTER_DOCS} == set(FILTERS)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("07700 900123", "+447700900123"),
        ("+44 7700 900123", "+447700900123"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("447700900123", "+447700900123"),
        ("7700900123", "+447700900123"),
        ("(020) 7946-0018", "+442079460018"),
        ("020 7946 0018", "+442079460018"),
        ("12", None),
        ("+4477009001234567", None),
        ("not a number", None),
        ("", None),
        ("٠٧٧٠٠٩٠٠١٢٣", None),
    ],
)
def test_e164(typed: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(FilterError) as caught:
            e164(typed)
        assert not typed or typed not in str(caught.value)
    else:
        assert e164(typed) == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("tn256qd", "TN25 6QD"), (" W1A  0AX ", "W1A 0AX"), ("m11ae", "M1 1AE"), ("GIR0AA", "GIR 0AA"), ("12345", None)],
)
def test_uk_postcode(typed: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(FilterError):
            uk_postcode(typed)
    else:
        assert uk_postcode(typed) == expected


@pytest.mark.parametrize("typed", ["", "1.234", "1,23", "12,34.00", "1e3", "£", "80 GBP", "0x1F", "--1", "1" * 16, "١"])
def test_money_is_never_guessed(typed: str) -> None:
    with pytest.raises(FilterError):
        money(typed)


@given(st.integers(-(10**15), 10**15))
def test_money_is_exact(cents: int) -> None:
    text = format_money(cents)
    assert money(text) == text
    assert parse_money(str(money(text))) == cents
    assert add_percent(text, "0") == text


@pytest.mark.parametrize(
    ("amount", "percent", "expected"),
    [
        ("80", "10", "88.00"),
        ("0.05", "10", "0.06"),
        ("80", "-25", "60.00"),
        ("-0.05", "10", "-0.06"),
        ("33.33", "33.3", "44.43"),
    ],
)
def test_percentages_round_halves_away_from_zero(amount: str, percent: str, expected: str) -> None:
    assert add_percent(amount, percent) == expected


@pytest.mark.parametrize("name", sorted(FILTERS))
@pytest.mark.parametrize(
    "value", ["{{ row | NAME }}", "{{ row.none | NAME }}", "{{ none | NAME }}", "{{ true | NAME }}"]
)
def test_filters_take_texts_only(name: str, value: str) -> None:
    needed = {
        **{"add_percent": "('1')", "date": "('%d/%m/%Y')", "lookup": "(row)", "replace": "('a', 'b')"},
        **{"truncate": "(3)"},
    }
    arguments = needed.get(name, "")
    template = Expressions().compile_value(value.replace("NAME", name + arguments))
    assert isinstance(template, Template)
    if name == "default" and "none" in value:
        assert template.render({"row": {}}) == ""
    else:
        with pytest.raises(RenderError):
            template.render({"row": {}})


def refused(filter_: Callable[..., object], *arguments: object) -> FilterError:
    with pytest.raises(FilterError) as caught:
        filter_(*arguments)
    return caught.value


@pytest.mark.parametrize("typed", ["2932683.0", "2.93E+06", "2,93E+06", "2.93e6", "447700900123.0", "4.47701E+11"])
@pytest.mark.parametrize("filter_", [digits, e164])
def test_what_a_spreadsheet_made_of_a_number_is_refused_with_its_cause(
    filter_: Callable[[object], str], typed: str
) -> None:
    error = refused(filter_, typed)
    assert "a spreadsheet made this number" in str(error)
    assert "format the column as text" in error.hint
    assert "digits" not in error.hint


@given(st.text("0123456789 +-./()eE,;&\n\xa0\u200bx", max_size=30))
def test_digits_are_those_of_the_text_in_order(typed: str) -> None:
    try:
        found = digits(typed)
    except FilterError:
        return
    assert found == "".join(character for character in typed if character.isdecimal())


@pytest.mark.parametrize(
    ("typed", "code", "expected"),
    [
        ("+44 07700 900123", "44", "+447700900123"),
        ("44 07700 900123", "44", "+447700900123"),
        ("4407700900123", "44", "+447700900123"),
        ("44(0)7700900123", "44", "+447700900123"),
        ("0044 (0)7700 900123", "44", "+447700900123"),
        ("(0)7700 900123", "+44", "+447700900123"),
        ("+49 (0)170 1234567", "44", "+491701234567"),
        ("0170/1234567", "49", "+491701234567"),
        ("33 01 23 45 67 89", "33", "+33123456789"),
        ("+34 (0)912 345 678", "44", "+34912345678"),
        ("34 0912345678", "34", "+34912345678"),
        ("+39 (0)6 1234 5678", "44", "+390612345678"),
        ("0039 06 1234 5678", "44", "+390612345678"),
        ("06 1234 5678", "39", "+390612345678"),
        ("+39 (0)347 1234567", "39", "+393471234567"),
        ("0044 7700 900123", "1", "+447700900123"),
        ("1 212 555 0100", "1", "+12125550100"),
        ("49 (0)30 901820", "49", "+4930901820"),
        ("49 030 901820", "49", "+4930901820"),
        ("49-30-901820", "49", "+4930901820"),
        ("49 151 23456789", "49", "+4915123456789"),
        ("4915123456789", "49", "+4915123456789"),
        ("04941 12345", "49", "+49494112345"),
        ("43 (0)1 5131234", "43", "+4315131234"),
        ("011 15-2345-6789", "54", "+5491123456789"),
        ("1234 5678", "800", "+80012345678"),
        ("\u202a+44\xa07700\u2011900123\u202c", "44", "+447700900123"),
    ],
)
def test_a_trunk_zero_goes_in_every_notation_and_stays_where_it_belongs_to_the_number(
    typed: str, code: str, expected: str
) -> None:
    assert e164(typed, code) == expected


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("07700 90012", "44"),
        ("495111234567", "49"),
        ("07700 900123 1", "44"),
        ("07700 900123 ext. 5", "44"),
        ("020 7946 0018 / 020 7946 0019", "44"),
        ("020 7946 0018, 07700 900123", "44"),
        ("79460018", "44"),
        ("555-0100", "1"),
        ("0800 FLOWERS", "44"),
        ("+999 7700 900123", "44"),
        ("07700 900123", "999"),
        ("07700 900123", "044"),
        ("07700 900123", "GB"),
    ],
)
def test_e164_never_makes_up_a_number(typed: str, code: str) -> None:
    refused(e164, typed, code)


def example_numbers() -> Iterator[phonenumbers.PhoneNumber]:
    kinds = phonenumbers.PhoneNumberType.values()
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in kinds:
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                yield number


def test_e164_agrees_with_the_library_on_the_example_numbers_of_all_regions() -> None:
    forms = phonenumbers.PhoneNumberFormat
    count = 0
    for number in example_numbers():
        wanted = phonenumbers.format_number(number, forms.E164)
        national = phonenumbers.format_number(number, forms.NATIONAL)
        assert e164(national, str(number.country_code)) == wanted
        for form in (forms.INTERNATIONAL, forms.E164):
            typed = phonenumbers.format_number(number, form)
            assert e164(typed) == e164("00" + typed[1:]) == wanted
        count += 1
    assert count > 1_000


@given(st.integers(1, 10**12 - 1).map(str), st.sampled_from(["44", "1", "49", "39", "353", "33"]))
def test_e164_accepts_nothing_that_the_library_thinks_impossible(typed: str, code: str) -> None:
    try:
        found = e164(typed, code)
    except FilterError:
        return
    assert phonenumbers.is_possible_number(phonenumbers.parse(found, None))
    assert found[1:].removeprefix(code).endswith(typed.lstrip("0").removeprefix(code).lstrip("0"))


@pytest.mark.parametrize(
    ("typed", "formats", "to", "expected"),
    [
        ("01/02/2026", "%d/%m/%Y", "%Y-%m-%d", "2026-02-01"),
        ("1/2/2026", "%d/%m/%Y", "%Y-%m-%d", "2026-02-01"),
        (" 01/02/2026\xa0", "%d/%m/%Y", "%Y-%m-%d", "2026-02-01"),
        ("01022026", "%d%m%Y", "%Y-%m-%d", "2026-02-01"),
        ("29/02/2024", "%d/%m/%Y", "%d %B %Y", "29 February 2024"),
        ("Sun 01/02/2026", "%a %d/%m/%Y", "%A", "Sunday"),
        ("68", "%y", "%Y", "2068"),
        ("69", "%y", "%Y", "1969"),
        ("12:05 am", "%I:%M %p", "%H:%M", "00:05"),
        ("29/02", "%d/%m", "%m-%d", "02-29"),
        ("5%", "%d%%", "%d%%", "05%"),
        ("05/05/2026", ["%d/%m/%Y", "%m/%d/%Y"], "%Y-%m-%d", "2026-05-05"),
        ("13/05/2026", ["%d/%m/%Y", "%m/%d/%Y"], "%Y-%m-%d", "2026-05-13"),
    ],
)
def test_date(typed: str, formats: object, to: str, expected: str) -> None:
    assert date(typed, formats, to) == expected


@pytest.mark.parametrize(
    ("typed", "formats", "to"),
    [
        *((typed, "%d/%m/%Y", "%Y-%m-%d") for typed in ("", "01/02/26", "2026-02-01", "31/04/2026", "29/02/2026")),
        *((typed, "%d/%m/%Y", "%Y-%m-%d") for typed in ("01 /02/2026", "01/02/2026 00:00", "00/01/2026", "01/13/2026")),
        *((typed, "%d/%m/%Y", "%Y-%m-%d") for typed in ("46054", "46054.0", "01/02/0026", "٠١/02/2026", "01-02-2026")),
        ("1022026", "%d%m%Y", "%Y-%m-%d"),
        ("Mon 01/02/2026", "%a %d/%m/%Y", "%Y-%m-%d"),
        ("01 Février 2026", "%d %B %Y", "%Y-%m-%d"),
        ("2026-02-01t00:00", "%Y-%m-%dT%H:%M", "%Y-%m-%d"),
        ("24:00", "%H:%M", "%H:%M"),
        ("13:00 PM", "%I:%M %p", "%H:%M"),
        ("01/02/2026", ["%d/%m/%Y", "%m/%d/%Y"], "%Y-%m-%d"),
        ("02/2026", "%m/%Y", "%Y-%m-%d"),
        ("01/02/2026", "%d/%m/%Y", "%Y-%m-%d %H:%M"),
        ("01/02/2026", "%x", "%Y-%m-%d"),
        ("01/02/2026", "%d/%m/%Y", "%j"),
        ("01/02/2026", "%d/%m/%Y%", "%Y"),
        ("01/01/2026", "%d/%d/%Y", "%Y"),
        ("3 PM", "%I", "%H"),
        ("01/02/2026", "", "%Y"),
        ("01/02/2026", [], "%Y"),
        ("01/02/2026", [1], "%Y"),
        ("01/02/2026", "%d/%m/%Y", 1),
    ],
)
def test_date_refuses_the_rest(typed: str, formats: object, to: object) -> None:
    error = refused(date, typed, formats, to)
    assert not typed or typed not in str(error)


@given(
    st.dates(min_value=calendar.date(1000, 1, 1)), st.sampled_from(["%d/%m/%Y", "%Y%m%d", "%A, %d %B %Y", "%b %d %Y"])
)
def test_a_date_comes_through_any_format(day: calendar.date, form: str) -> None:
    written = date(day.isoformat(), "%Y-%m-%d", form)
    assert date(written, form) == day.isoformat()
    assert date(day.isoformat(), [form, "%Y-%m-%d"]) == day.isoformat()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("1.234,56", "1234.56"),
        ("1234,5", "1234.50"),
        ("1234", "1234.00"),
        ("1.234.567", "1234567.00"),
        ("1\xa0234,56", "1234.56"),
        ("-1,50", "-1.50"),
        ("€ 1.234,56", "1234.56"),
        ("1.234,56 €", "1234.56"),
    ],
)
def test_money_with_a_decimal_comma(typed: str, expected: str) -> None:
    assert money(typed, ",") == expected


@pytest.mark.parametrize(
    "typed", ["12.50", "1.23", "1,234", "1.234 567,00", "1,234.56", "€1,00€", "1.2345,00", "1,5E+03"]
)
def test_money_with_a_decimal_comma_is_never_guessed(typed: str) -> None:
    refused(money, typed, ",")


@given(st.integers(-(10**14), 10**14), st.booleans())
def test_money_with_a_decimal_comma_is_exact(cents: int, grouped: bool) -> None:
    whole, _, fraction = format_money(cents).partition(".")
    written = (f"{int(whole):,}".replace(",", ".") if grouped and whole != "-0" else whole) + "," + fraction
    assert money(written, ",") == format_money(cents)


def test_the_decimal_mark_is_a_point_or_a_comma() -> None:
    refused(money, "1", ";")
    refused(money, "1", 1)


UNSEEN = [
    "\u200b",
    "\ufeff",
    "\xad",
    "\u200e",
    "\u202c",
    "\u2060",
    "\u2066",
    "\u180e",
    "\u200d",
    "\u3164",
    "\U000e0041",
]
SPACES = [" ", "\t", "\n", "\xa0", "\u2003", "\u202f", "\u3000", "\u2028"]


@pytest.mark.parametrize("unseen", [*UNSEEN, *SPACES])
def test_trim_takes_off_what_shows_nothing(unseen: str) -> None:
    assert trim(f"{unseen} {unseen}Joe{unseen}{unseen} ") == "Joe"
    assert trim(unseen) == squeeze(unseen) == ""
    assert squeeze(f" {unseen}Joe{unseen} ") == "Joe"
    inside = f"Jo{unseen}e"
    assert trim(inside) == inside


@pytest.mark.parametrize("unseen", [unseen for unseen in UNSEEN if unseen != "\u3164"])
def test_squeeze_removes_unseen_characters_within(unseen: str) -> None:
    assert squeeze(f"J{unseen}oe {unseen}{unseen} Bl{unseen}oggs") == "Joe Bloggs"


@pytest.mark.parametrize("space", SPACES)
def test_squeeze_makes_one_space_of_all_white_space(space: str) -> None:
    assert squeeze(f"Joe{space}{space} Bloggs") == "Joe Bloggs"


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with the non-joiner of its spelling
        "\u0915\u094d\u200d\u0937",  # Hindi, with a joiner
        "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # a family of three
        "\u2764\ufe0f",  # a red heart
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England
        "O\u2019Brien",
        "e\u0301",
    ],
)
def test_trim_and_squeeze_keep_what_writing_needs(text: str) -> None:
    assert trim(text) == squeeze(text) == text


@given(st.text(max_size=30))
def test_what_is_trimmed_or_squeezed_stays_so(text: str) -> None:
    for filter_ in (trim, squeeze):
        once = filter_(text)
        assert filter_(once) == once
        assert is_blank(once) is (once == "")


@pytest.mark.parametrize("blank", ["", " ", "\xa0", "\u200b", "\ufeff", "\u3164", " \u2060\n"])
def test_default_stands_in_for_blank_texts(blank: str) -> None:
    assert default(blank, "n/a") == "n/a"


def test_default_keeps_what_shows_something() -> None:
    assert [default(value, "n/a") for value in ("0", " x ", 0, "\u0301")] == ["0", " x ", 0, "\u0301"]


@pytest.mark.parametrize(
    "expression",
    [
        "row.a | date('%d', to=row.__class__)",
        "row.a | date('%d', until='%d')",
        "row.a | date('%d', to='%d', to='%d')",
        "row.a | date(formats='%d', value='x')",
        "row.a | upper(a='b')",
        "row.a | money(decimal=other)",
        "row.a | money(decimal=row.a * 2)",
        "row.a | money(**row)",
    ],
)
def test_arguments_by_name_are_checked_like_all_others(expression: str) -> None:
    problem = Expressions().compile_value("{{ " + expression + " }}")
    assert isinstance(problem, ExpressionProblem)


def test_arguments_by_name_may_be_expressions() -> None:
    template = Expressions().compile_value("{{ row.a | date('%d', to=vars.items ~ '%d') }}")
    assert isinstance(template, Template)
    assert template.render({"row": {"a": "5"}, "vars": {"items": "no. "}}) == "no. 05"
