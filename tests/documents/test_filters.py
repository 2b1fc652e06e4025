"""Each filter does what its line of documentation says, and refuses what does not fit without repeating it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncengine.core.values import format_money, parse_money
from syncengine.documents.expressions import Expressions, Template
from syncengine.documents.filter_docs import FILTER_DOCS, FilterDoc
from syncengine.documents.filters import FILTERS, add_percent, e164, money, uk_postcode
from syncengine.documents.rendering import FilterError, RenderError


@pytest.mark.parametrize("doc", FILTER_DOCS, ids=lambda doc: doc.name)
def test_the_documentation_is_true(doc: FilterDoc) -> None:
    template = Expressions().compile_value("{{ " + doc.usage + " }}")
    assert isinstance(template, Template)
    assert template.render({"vars": {"names": {"approved": "Sold"}}}) == doc.gives


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
        ("(020) 7946-0018", None),
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
    arguments = {"replace": "('a', 'b')", "truncate": "(3)", "add_percent": "('1')", "lookup": "(row)"}.get(name, "")
    template = Expressions().compile_value(value.replace("NAME", name + arguments))
    assert isinstance(template, Template)
    if name == "default" and "none" in value:
        assert template.render({"row": {}}) == ""
    else:
        with pytest.raises(RenderError):
            template.render({"row": {}})
