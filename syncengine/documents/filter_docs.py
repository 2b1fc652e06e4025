"""Documentation of the filters, as a table that the manual prints and a test runs line by line."""

from __future__ import annotations

from typing import NamedTuple


class FilterDoc(NamedTuple):
    """One filter: its syntax, an example result, and its rule.

    `more` are further examples with their results, `refused` examples that are errors.
    """

    name: str
    usage: str
    gives: str
    rule: str
    more: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = ()


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
        "date",
        "'01/02/2026' | date('%d/%m/%Y', to='%Y-%m-%d')",
        "2026-02-01",
        (
            "A date in exactly one format, written in another (without `to`: %Y-%m-%d); a list holds several formats. "
            "Anything else is an error, also a text that is one date in one of the formats and another in another. "
            "There are %d, %m, %Y (four digits), %y (69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068), %b and %B "
            "(English months, short and full), %a and %A (English weekdays, which must be right), %H, %I with %p, %M, "
            "%S and %%. Days, months and hours may lack their zero where no other digit is beside them. What is "
            "not read is not written: a month alone gives no day."
        ),
        more=(
            ("'2026-02-01' | date(['%d/%m/%Y', '%Y-%m-%d'], to='%d.%m.%Y')", "01.02.2026"),
            ("'1-FEB-26' | date('%d-%b-%y')", "2026-02-01"),
            ("'01/02/2026 3:05 PM' | date('%d/%m/%Y %I:%M %p', to='%Y-%m-%dT%H:%M')", "2026-02-01T15:05"),
        ),
        refused=(
            "'01/02/26' | date('%d/%m/%Y')",
            "'31/02/2026' | date('%d/%m/%Y')",
            "'01/02/2026' | date(['%d/%m/%Y', '%m/%d/%Y'])",
            "'02/2026' | date('%m/%Y', to='%Y-%m-%d')",
            "'46054' | date('%d/%m/%Y')",
        ),
    ),
    FilterDoc(
        "default",
        "'' | default('n/a')",
        "n/a",
        (
            "The replacement where the value is missing, empty, or shows nothing (white space and unseen characters "
            "only); otherwise the value."
        ),
        more=(("' ' | default('n/a')", "n/a"),),
    ),
    FilterDoc(
        "digits",
        "'(020) 7946-0018' | digits",
        "02079460018",
        (
            "Only the digits 0 to 9 of one number. Between them may be spaces, dots, dashes, brackets, and one "
            "slash after an area code; dates such as 01/02/2026 and times such as 09:30 count as one number. An error: "
            "what a spreadsheet made of a number (a fraction, an exponent, commas between thousands), several numbers "
            "(parted by a word, a comma, a semicolon, a line break or the like), an extension, digits of other scripts."
        ),
        more=(
            ("'+44 (0)7700-900123' | digits", "4407700900123"),
            ("'030/1234567' | digits", "0301234567"),
            ("'REF-2932683' | digits", "2932683"),
        ),
        refused=(
            "'2932683.0' | digits",
            "'2.93E+06' | digits",
            "'2,932,683' | digits",
            "'2932686 / 2932687' | digits",
            "'07700 900123 ext. 5' | digits",
        ),
    ),
    FilterDoc(
        "e164",
        "'07700 900123' | e164('44')",
        "+447700900123",
        (
            "A phone number in international form, as the library phonenumbers knows the numbering plans. '+' or '00' "
            "begins an international number; any other belongs to the country with the calling code of the argument "
            "(without it: 44), with or without that code and a trunk zero, which goes in every notation. Digits "
            "without spaces that are a number in use both with that code and without it are refused. Spaces, dots, "
            "dashes, brackets and one slash after an area code go. An error: a number that is not possible there, an "
            "extension, several numbers, letters, what a spreadsheet made of a number, digits of other scripts. A "
            "British mobile number (7...) has ten digits."
        ),
        more=(
            ("'+44 (0)7700 900123' | e164", "+447700900123"),
            ("'4407700900123' | e164", "+447700900123"),
            ("'7700 900123' | e164", "+447700900123"),
            ("'06 1234 5678' | e164('39')", "+390612345678"),
            ("'49 (0)30 901820' | e164('49')", "+4930901820"),
            ("'(212) 555-0100' | e164('+1')", "+12125550100"),
        ),
        refused=(
            "'447700900123.0' | e164",
            "'4.47E+11' | e164",
            "'07700 90012' | e164",
            "'020 7946 0018 ext. 5' | e164",
            "'555-0100' | e164('1')",
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
            "An amount with two places. One of £, $, € and commas between thousands may be in it; more "
            "than two decimals are an error, never rounded. With decimal=',' the comma is the decimal mark, points or "
            "spaces part the thousands, and the currency may follow."
        ),
        more=(("'1.234,56 €' | money(decimal=',')", "1234.56"),),
        refused=("'1,23' | money", "'1.23' | money(decimal=',')", "'80.005' | money"),
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
        (
            "Runs of white space (also no-break and other Unicode spaces, tabs, line breaks) become one space; none at "
            "the ends. Characters that show nothing (zero-width ones, soft hyphens, marks of direction, byte order "
            "marks) go, but for joiners between letters or signs that need them, as in Persian, Hindi and emoji."
        ),
        more=((r"'Joe\u200b\u00a0Bloggs' | squeeze", "Joe Bloggs"),),
    ),
    FilterDoc(
        "title",
        '"mary-ann o\'brien" | title',
        "Mary-Ann O'Brien",
        "Each word begins with a capital, also after a hyphen or an apostrophe; other letters become small.",
    ),
    FilterDoc(
        "trim",
        "' Joe ' | trim",
        "Joe",
        (
            "No white space (also no-break and other Unicode spaces) and no characters that show nothing at the ends; "
            "what is between stays as it is."
        ),
        more=((r"'\ufeffJoe\u00a0' | trim", "Joe"),),
    ),
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
