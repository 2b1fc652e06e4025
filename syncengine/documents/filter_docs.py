"""The documentation of the filters, as a table that the manual prints and a test runs line by line."""

from __future__ import annotations

from typing import NamedTuple


class FilterDoc(NamedTuple):
    """One filter: how it is written, what that gives, and its rule."""

    name: str
    usage: str
    gives: str
    rule: str


FILTER_DOCS: tuple[FilterDoc, ...] = (
    FilterDoc(
        "add_percent",
        "'80' | add_percent('12.5')",
        "90.00",
        (
            "An amount raised (or, negative, lowered) by a percentage, exact, halves rounded away from zero "
            "to two places."
        ),
    ),
    FilterDoc(
        "default",
        "'' | default('n/a')",
        "n/a",
        "The replacement where the value is missing or empty; otherwise the value.",
    ),
    FilterDoc("digits", "'(020) 7946-0018' | digits", "02079460018", "Only the digits 0 to 9."),
    FilterDoc(
        "e164",
        "'07700 900123' | e164('44')",
        "+447700900123",
        (
            "A phone number in international form. '+' or '00' begins an international number; a leading 0 "
            "is replaced by the calling code; 11 digits or more that begin with the calling code are "
            "international already; anything else gets the calling code in front. Spaces, dots, dashes, "
            "slashes and brackets go. Without argument: 44."
        ),
    ),
    FilterDoc("int", "'7' | int + 1", "8", "A whole number of at most 18 digits, for arithmetic and comparison."),
    FilterDoc(
        "join", "['Joe', 'Bloggs'] | join(' ')", "Joe Bloggs", "The texts of a list with a separator between them."
    ),
    FilterDoc(
        "lookup",
        "'approved' | lookup(vars.names)",
        "Sold",
        (
            "What a mapping under vars (here names: {approved: Sold}) holds for this text. A text that it does not "
            "know is an error, or gives the second argument: lookup(vars.names, 'Other')."
        ),
    ),
    FilterDoc("lower", "'JOE@EXAMPLE.COM' | lower", "joe@example.com", "Small letters."),
    FilterDoc(
        "money",
        "'£1,234.5' | money",
        "1234.50",
        (
            "An amount with two places. One of £, $, € and commas between thousands may stand in it; more "
            "than two decimals are an error, never rounded."
        ),
    ),
    FilterDoc("number", "'80.00' | number + 5", "85.00", "An exact decimal number, for arithmetic and comparison."),
    FilterDoc(
        "replace",
        "'TN25-6QD' | replace('-', ' ')",
        "TN25 6QD",
        "Every occurrence of the first text replaced by the second.",
    ),
    FilterDoc(
        "squeeze",
        "'  Joe   Bloggs ' | squeeze",
        "Joe Bloggs",
        "Runs of white space become one space; none at the ends.",
    ),
    FilterDoc(
        "title",
        '"mary-ann o\'brien" | title',
        "Mary-Ann O'Brien",
        "Each word begins with a capital, also after a hyphen or an apostrophe; other letters become small.",
    ),
    FilterDoc("trim", "' Joe ' | trim", "Joe", "No white space at the ends."),
    FilterDoc("truncate", "'TN25 6QD' | truncate(4)", "TN25", "At most so many characters."),
    FilterDoc(
        "uk_postcode",
        "'tn256qd' | uk_postcode",
        "TN25 6QD",
        (
            "Capitals, with one space before the last three characters; an error where it has not the shape "
            "of a UK postcode."
        ),
    ),
    FilterDoc("upper", "'ab1' | upper", "AB1", "Capital letters."),
)
