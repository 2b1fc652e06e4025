"""Spreadsheets as sources: what the author sees is what is sent, or the file is refused."""

from __future__ import annotations

import io
import sys
import zipfile
from datetime import date, datetime, time, timedelta

import openpyxl
import pytest

from tests.tables.spreadsheets import HEADER, ods, ods_row, ods_text, ods_value, packed, xlsx
from tests.tables.tables import CHANGES, Tables


def workbook(*rows: list[object]) -> bytes:
    """An XLSX with one sheet of these rows below the header, as a library writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["lead_id", "name"], *rows):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def row(number: int, cell: str, attributes: str = "", lead: str = "") -> str:
    """A <row> with a lead and one cell, which is given from its attributes on."""
    return (
        f'<row r="{number}" {attributes}><c r="A{number}"><v>{lead or number}</v></c><c r="B{number}" {cell}</c></row>'
    )


NAMES = [("2", {"name": "x"})]
X = 't="str"><v>x</v>'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("5", "5"),
        ("5.0", "5"),
        ("-3", "-3"),
        ("-0", "0"),
        ("2.9999999999999996", "3"),
        ("0.30000000000000004", "0.3"),
        ("1E-7", "0.0000001"),
        ("1.5E3", "1500"),
        ("80.10", "80.1"),
        ("0.1234567890123456", "0.123456789012346"),
        ("123456789012345", "123456789012345"),
        ("7.7009001230000000E+11", "770090012300"),
        ("1234567890.1234567", "1234567890.12346"),
    ],
)
def test_numbers_are_their_digits_as_spreadsheets_show_them(tables: Tables, value: str, text: str) -> None:
    tables.table(xlsx(HEADER + row(2, f"><v>{value}</v>")), "rows.xlsx")
    assert tables.sent() == [("2", {"name": text})]
    cells = ods_row(ods_text("lead_id"), ods_text("name")) + ods_row(ods_value("float", "2"), ods_value("float", value))
    tables.table(ods(cells), "rows.ods")
    assert tables.sent() == [("2", {"name": text})]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2026, 11, 28), "2026-11-28"),
        (datetime(2026, 11, 28), "2026-11-28"),  # noqa: DTZ001  # as spreadsheets have them
        (datetime(2026, 11, 28, 10, 30), "2026-11-28T10:30:00"),  # noqa: DTZ001  # the same
        (datetime(2026, 11, 28, 23, 59, 59), "2026-11-28T23:59:59"),  # noqa: DTZ001  # the same
        (time(7, 5), "07:05:00"),
        (timedelta(hours=30, minutes=15), "30:15:00"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("0650", "0650"),
        ("4.47E+11", "4.47E+11"),
        (" a\nb ", " a\nb "),
        ("2026-11-28", "2026-11-28"),
        ("#N/A in words", "#N/A in words"),
    ],
)
def test_other_values_have_one_text(tables: Tables, value: object, text: str) -> None:
    tables.table(workbook([2932683, value]), "rows.xlsx")
    assert tables.sent() == [("2932683", {"name": text})]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (ods_value("date", "2026-11-28"), "2026-11-28"),
        (ods_value("date", "2026-11-28T10:30:00"), "2026-11-28T10:30:00"),
        (ods_value("time", "PT07H05M00S"), "07:05:00"),
        (ods_value("time", "PT30H15M00.5S"), "30:15:00.5"),
        (ods_value("boolean", "true"), "TRUE"),
        (ods_value("percentage", "0.5"), "0.5"),
        (ods_value("currency", "80.10"), "80.1"),
        (ods_text("0650"), "0650"),
        (ods_text("PT30H15M00S"), "PT30H15M00S"),
    ],
)
def test_ods_values_have_the_same_texts(tables: Tables, cell: str, text: str) -> None:
    tables.table(ods(ods_row(ods_text("lead_id"), ods_text("name")) + ods_row(ods_text("2932683"), cell)), "rows.ods")
    assert tables.sent() == [("2932683", {"name": text})]


ODD = [
    ('t="e"><v>#N/A</v>', "SE345", "#N/A"),
    ('t="e"><f>1/0</f><v>#DIV/0!</v>', "SE345", "#DIV/0!"),
    ('t="e"><v>#REF!</v>', "SE345", "#REF!"),
    ("><v>1234567890123456</v>", "SE346", "16 digits"),
    ("><v>4.47E+17</v>", "SE346", "18 digits"),
    ("><f>A2</f>", "SE347", "formula"),
    ("><f>A2</f><v></v>", "SE347", "formula"),
]


@pytest.mark.parametrize(("cell", "code", "words"), ODD)
def test_cells_without_a_trustworthy_value_are_refused_where_used(
    tables: Tables, cell: str, code: str, words: str
) -> None:
    tables.table(xlsx(HEADER + row(2, cell) + row(3, X)), "rows.xlsx")
    error = tables.error()
    assert (error["code"], error["row"]) == (code, 1)
    assert words in error["message"]
    assert "row 1 of data/rows.xlsx (row 2 of sheet 'Calls')" in error["message"]


@pytest.mark.parametrize(("cell", "code", "words"), ODD)
def test_they_are_free_to_be_there_otherwise(tables: Tables, cell: str, code: str, words: str) -> None:
    changes = '  - for_each: rows\n    lead: "{{ row.lead_id }}"\n    update: {name: x}\n'
    tables.table(xlsx(HEADER + row(2, cell)), "rows.xlsx", changes=changes)
    assert tables.sent() == NAMES


@pytest.mark.parametrize(
    "use",
    [
        "    update: {name: \"{{ row.name | default('x') }}\"}",
        '    skip_empty: true\n    update: {name: "{{ row.name }}", c1: y}',
        '    skip_empty: true\n    update: {name: "{{ row.name | trim }}", c1: y}',
        "    update: {name: \"{{ 'a' if row.name == 'b' else 'c' }}\"}",
        '    update: {name: "x {{ row.name }}"}',
        "    when: row.name != 'x'\n    update: {name: y}",
        "    when: row.name in ['x']\n    update: {name: y}",
        '    financials: {payout: "{{ row.name }}"}',
        '    skip_empty: true\n    financials: {payout: "{{ row.name }}"}',
        '    trigger: ["{{ row.name }}"]',
    ],
)
@pytest.mark.parametrize(("cell", "words"), [('t="e"><v>#N/A</v>', "#N/A"), ("><v>1234567890123456</v>", "16 digits")])
def test_nothing_stands_in_for_them(tables: Tables, use: str, cell: str, words: str) -> None:
    changes = f'  - for_each: rows\n    lead: "{{{{ row.lead_id }}}}"\n{use}\n'
    tables.table(xlsx(HEADER + row(2, cell)), "rows.xlsx", changes=changes)
    error = tables.error()
    assert error["row"] == 1
    assert words in error["message"]
    assert error["hint"]


def test_an_error_in_ods_is_refused_where_used(tables: Tables) -> None:
    error = ods_text("#N/A", 'office:string-value="" calcext:value-type="error" table:formula="of:=NA()"')
    uncomputed = '<table:table-cell table:formula="of:=A1"/>'
    body = ods_row(ods_text("lead_id"), ods_text("name")) + ods_row(ods_text("2"), error)
    tables.table(ods(body + ods_row(ods_text("3"), uncomputed)), "rows.ods")
    found = [(problem["code"], problem["row"]) for problem in tables.problems()]
    assert found == [("SE345", 1), ("SE347", 2)]


def test_results_of_formulas_count_where_the_file_holds_them(tables: Tables) -> None:
    body = HEADER + row(2, "><f>1+1</f><v>2</v>") + row(3, 't="str"><f>"a"</f><v>a</v>')
    tables.table(xlsx(body), "rows.xlsx")
    assert tables.sent() == [("2", {"name": "2"}), ("3", {"name": "a"})]
    tables.table(xlsx(body, calculation='<calcPr fullCalcOnLoad="1"/>'), "rows.xlsx")
    error = tables.error()
    assert (error["code"], "(in 2 rows: 1, 2)" in error["message"]) == ("SE347", True)


def test_merged_cells_are_refused_where_they_are_used(tables: Tables) -> None:
    body = HEADER + row(2, X) + '<row r="3"><c r="A3"><v>3</v></c></row>' + row(4, X)
    tables.table(xlsx(body, after='<mergeCells><mergeCell ref="B2:B3"/></mergeCells>'), "rows.xlsx")
    error = tables.error()
    assert (error["code"], error["row"]) == ("SE348", 2)
    covered = "<table:covered-table-cell/>"
    spanned = ods_text("x", 'table:number-rows-spanned="2"')
    head = ods_row(ods_text("lead_id"), ods_text("name"))
    tables.table(ods(head + ods_row(ods_text("2"), spanned) + ods_row(ods_text("3"), covered)), "rows.ods")
    assert tables.error()["code"] == "SE348"


def test_a_merged_header_is_refused(tables: Tables) -> None:
    tables.table(xlsx(HEADER + row(2, X), after='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>'), "rows.xlsx")
    error = tables.error()
    assert (error["code"], "merged" in error["message"]) == ("SE312", True)


HIDDEN = [
    (HEADER + row(2, X, 'hidden="1"'), "", "1 hidden row with values (2)"),
    (HEADER + row(2, X, 'ht="0" customHeight="1"'), "", "1 hidden row with values (2)"),
    (HEADER + row(2, X, 'hidden="true"'), "", "1 hidden row with values (2)"),
    (HEADER + row(2, X), '<cols><col min="2" max="3" hidden="1"/></cols>', "1 hidden column with values (B)"),
    (HEADER + row(2, X), '<cols><col min="1" max="1" width="0"/></cols>', "1 hidden column with values (A)"),
    (
        HEADER + row(2, X, 'hidden="1"'),
        '<cols><col min="2" max="16384" hidden="1"/></cols>',
        "1 hidden row with values (2) and 1 hidden column with values (B)",
    ),
]


@pytest.mark.parametrize(("body", "columns", "words"), HIDDEN)
def test_hidden_rows_and_columns_are_refused_unless_included(
    tables: Tables, body: str, columns: str, words: str
) -> None:
    tables.table(xlsx(body, before=columns), "rows.xlsx")
    error = tables.error()
    assert error["code"] == "SE343"
    assert words in error["message"]
    assert "hidden: include" in error["hint"]
    tables.over("rows.xlsx", options="hidden: include")
    assert tables.sent() == NAMES


def test_many_hidden_rows_are_counted_with_the_first(tables: Tables) -> None:
    body = HEADER + "".join(row(number, X, 'hidden="1"' if number % 2 else "") for number in range(2, 40))
    tables.table(
        xlsx(body, after='<autoFilter ref="A1:B39"/>'),
        "rows.xlsx",
    )
    assert "19 hidden rows with values (3, 5, 7, 9, ...)" in tables.error()["message"]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_refused_unless_included(tables: Tables, state: str) -> None:
    content = xlsx(HEADER + row(2, X), sheets=(("Calls", "visible"), ("Old", state)))
    tables.table(content, "rows.xlsx", options="sheet: Old")
    assert tables.error()["code"] == "SE343"
    tables.over("rows.xlsx", options="sheet: Old, hidden: include")
    assert tables.sent() == NAMES
    tables.over("rows.xlsx", options="sheet: Calls")
    assert tables.sent() == NAMES


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        (HEADER + row(2, X) + '<row r="9" hidden="1"><c r="A9" s="1"/></row>', ""),
        (HEADER + row(2, X) + '<row r="3" hidden="1"/>', ""),
        (HEADER + row(2, X), '<cols><col min="3" max="16384" hidden="1"/></cols>'),
    ],
)
def test_what_is_hidden_and_empty_does_not_matter(tables: Tables, body: str, columns: str) -> None:
    tables.table(xlsx(body, before=columns), "rows.xlsx")
    assert tables.sent() == NAMES


@pytest.mark.parametrize("visibility", ["collapse", "filter"])
def test_hidden_rows_columns_and_sheets_of_ods(tables: Tables, visibility: str) -> None:
    head = ods_row(ods_text("lead_id"), ods_text("name"))
    hidden = f'table:visibility="{visibility}"'
    contents = [
        ods(head + ods_row(ods_text("2"), ods_text("x"), attributes=hidden)),
        ods(
            head + ods_row(ods_text("2"), ods_text("x")), columns=f"<table:table-column/><table:table-column {hidden}/>"
        ),
        ods(
            head + ods_row(ods_text("2"), ods_text("x")),
            style='<style:style style:name="t1" style:family="table"><style:table-properties table:display="false"/>'
            "</style:style>",
        ),
    ]
    for content in contents:
        tables.table(content, "rows.ods")
        assert tables.error()["code"] == "SE343"
        tables.over("rows.ods", options="hidden: include")
        assert tables.sent() == NAMES


def test_the_sheet_is_chosen_by_its_name(tables: Tables) -> None:
    tables.table(xlsx(HEADER + row(2, X), sheets=(("Calls", "visible"), ("Mai &amp; Juni", "visible"))), "rows.xlsx")
    error = tables.error()
    assert (error["code"], "'Calls', 'Mai & Juni'" in error["message"]) == ("SE344", True)
    assert "sheet: 'Calls'" in error["hint"]
    tables.over("rows.xlsx", options="sheet: call")
    assert "Calls" in tables.error()["hint"]
    tables.over("rows.xlsx", options='sheet: "Mai & Juni"')
    assert tables.sent() == NAMES


def test_the_tail_is_ignored_and_an_empty_row_inside_is_an_error(tables: Tables) -> None:
    blank = '<row r="3"><c r="A3" t="str"><v> </v></c><c r="C3" s="1"/></row>'
    tables.table(xlsx(HEADER + row(2, X) + blank), "rows.xlsx")
    (note,) = tables.problems()
    assert (note["code"], "(row 3 of sheet 'Calls')" in note["message"]) == ("SE340", True)
    tables.table(xlsx(HEADER + row(2, X) + blank + row(4, X)), "rows.xlsx")
    error = tables.error()
    assert (error["code"], error["line"]) == ("SE341", 3)
    tables.table(xlsx(HEADER + row(2, X) + row(4, X)), "rows.xlsx")
    assert tables.error()["code"] == "SE341"


def test_a_value_beside_the_table_is_an_error(tables: Tables) -> None:
    tables.table(xlsx(HEADER + row(2, X + '</c><c r="D2"><v>7</v>')), "rows.xlsx")
    error = tables.error()
    assert (error["code"], "column 4" in error["message"]) == ("SE342", True)


def test_a_table_may_begin_below_the_first_row(tables: Tables) -> None:
    moved = '<row r="3"><c r="A3" t="str"><v>lead_id</v></c><c r="B3" t="str"><v>name</v></c></row>'
    tables.table(xlsx(moved + row(4, X)), "rows.xlsx")
    assert tables.sent() == [("4", {"name": "x"})]


def test_packages_of_other_writers_are_read(tables: Tables) -> None:
    """Prefixed elements, and cells without references."""
    body = (
        '<row><c t="str"><v>lead_id</v></c><c t="str"><v>name</v></c></row>'
        '<row><c><v>2</v></c><c t="e"><v>#N/A</v></c></row>'
    )
    content = xlsx(body)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    assert isinstance(sheet, bytes)
    prefixed = sheet.replace(b"<", b"<x:").replace(b"<x:/", b"</x:").replace(b"xmlns=", b"xmlns:x=")
    for variant in (sheet, prefixed):
        tables.table(packed(members | {"xl/worksheets/sheet1.xml": variant}), "rows.xlsx")
        assert tables.error()["code"] == "SE345"


BOMB = xlsx(HEADER + row(2, X) + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
WIDE, LONG = 'table:number-columns-repeated="16384"', 'table:number-rows-repeated="1048576"'
ENTITY = '<!DOCTYPE worksheet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"<html><table></table></html>", "rows.xlsx", "SE314", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "rows.xlsx", "SE314", "password"),
        (b"lead_id,name\n", "rows.xlsx", "SE314", "no spreadsheet"),
        (b"", "rows.ods", "SE314", "no spreadsheet"),
        (b"PK\x03\x04xl", "rows.xlsx", "SE349", "damaged"),
        (packed({"a.txt": "x"}), "rows.xlsx", "SE349", "no XLSX or ODS"),
        (xlsx("<row"), "rows.xlsx", "SE349", "damaged"),
        (xlsx(HEADER, document_type=ENTITY), "rows.xlsx", "SE349", "document type"),
        (BOMB, "rows.xlsx", "SE349", "cells"),
        (xlsx(""), "rows.xlsx", "SE312", "empty"),
        (ods(ods_row(ods_text("x", WIDE), attributes=LONG)), "rows.ods", "SE349", "cells"),
    ],
    ids=["html", "ole", "text", "empty", "cut", "archive", "xml", "entities", "area", "no row", "ods area"],
)  # fmt: skip
def test_what_cannot_be_read_ends_in_one_error(
    tables: Tables, content: bytes, name: str, code: str, words: str
) -> None:
    tables.table(content, name)
    error = tables.error()
    assert error["code"] == code
    assert words in error["message"]


def test_what_unpacks_to_too_much_is_refused_whatever_it_says_of_its_size(tables: Tables) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/workbook.xml", "w") as member:
        for _ in range(400):
            member.write(b"\0" * (1 << 20))
    content = bytearray(buffer.getvalue())
    tables.table(bytes(content), "rows.xlsx")
    assert "unpacks to more" in tables.error()["message"]
    position = content.rindex(b"PK\x01\x02")
    content[position + 24 : position + 28] = (1000).to_bytes(4, "little")
    tables.table(bytes(content), "rows.xlsx")
    assert "unpacks to more" in tables.error()["message"]


@pytest.mark.parametrize("name", ["rows.xls", "rows.xlsm", "rows.xlsb"])
def test_other_spreadsheets_are_to_be_saved_as_xlsx(tables: Tables, name: str) -> None:
    tables.table(b"\xd0\xcf\x11\xe0", name)
    error = tables.error()
    assert (error["code"], "save it as .xlsx" in error["hint"]) == ("SE320", True)


@pytest.mark.parametrize("option", ["sheet: Calls", "hidden: include"])
def test_options_of_spreadsheets_belong_to_them(tables: Tables, option: str) -> None:
    tables.table("lead_id,name\n1,Ann\n", options=option)
    assert tables.error()["code"] == "SE320"
    tables.table(xlsx(HEADER), "rows.xlsx", options='delimiter: ","')
    assert tables.error()["code"] == "SE320"
    tables.over("rows.xlsx", options="hidden: skip")
    assert tables.error()["code"] == "SE204"


def test_without_the_extra_the_way_to_install_it_is_named(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    tables.table(xlsx(HEADER + row(2, X)), "rows.xlsx")
    error = tables.error()
    assert error["code"] == "SE326"
    assert "pip install 'leadbyte-syncengine[sources]'" in error["hint"]


def test_one_cause_in_many_rows_of_a_sheet_is_one_finding(tables: Tables) -> None:
    cell = 't="e"><v>#N/A</v>'
    tables.table(xlsx(HEADER + "".join(row(number, cell) for number in range(2, 2002))), "rows.xlsx", changes=CHANGES)
    error = tables.error()
    assert (error["code"], "(in 2,000 rows: 1, 2, 3, 4, 5, ...)" in error["message"]) == ("SE345", True)
