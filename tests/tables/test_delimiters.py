"""What separates cells: the line sep=, the options, and a table that was read with the wrong one."""

import pytest

from tests.tables.tables import CHANGES, Tables

ANN = [("2932683", {"name": "Ann"})]


@pytest.mark.parametrize(
    "first",
    ["sep=;", '"sep=;"', "SEP=;", "Sep=;", '"SEP=;"', "\ufeffsep=;", '\ufeff"sep=;"', "sep=;;;;", '"sep=;";'],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_first_line_sep_sets_the_delimiter(tables: Tables, first: str, ending: str) -> None:
    tables.table(ending.join([first, "lead_id;name", "2932683;Ann", ""]))
    assert tables.sent() == ANN


@pytest.mark.parametrize("sign", [",", ";", "|", "\t", ":", "^", "~", "§"])
def test_any_single_character_can_be_named(tables: Tables, sign: str) -> None:
    tables.table(f"sep={sign}\r\nlead_id{sign}name\r\n2932683{sign}Ann\r\n")
    assert tables.sent() == ANN


@pytest.mark.parametrize(("name", "option"), [("rows.csv", 'delimiter: ";"'), ("rows.tsv", ""), ("rows.txt", "")])
def test_the_line_counts_beside_an_equal_option_and_above_the_name(tables: Tables, name: str, option: str) -> None:
    tables.table("sep=;\nlead_id;name\n2932683;Ann\n", name, options=option)
    assert tables.sent() == ANN


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "windows-1252"])
def test_the_line_counts_in_other_encodings(tables: Tables, encoding: str) -> None:
    tables.table("sep=;\nlead_id;name\n2932683;Ann\n".encode(encoding), options=f"encoding: {encoding}")
    assert tables.sent() == ANN


def test_another_delimiter_in_the_options_is_refused(tables: Tables) -> None:
    tables.table("sep=;\nlead_id;name\n2932683;Ann\n", options='delimiter: ","')
    error = tables.error()
    assert (error["code"], error["file"], error["line"]) == ("SE312", "data/rows.csv", 1)
    assert "';'" in error["message"]
    assert "','" in error["message"]


@pytest.mark.parametrize("first", ["sep=", "sep=ab", 'sep="', "sep=\\t"])
def test_a_line_that_names_no_single_character_is_refused(tables: Tables, first: str) -> None:
    tables.table(f"{first}\nlead_id;name\n2932683;Ann\n")
    assert "no single character" in tables.error()["message"]


def test_lines_are_counted_with_the_line_sep(tables: Tables) -> None:
    tables.table('sep=;\nlead_id;name\n2932683;"A\nnn"\n2932684\n0;x\n')
    found = {problem["code"]: (problem["row"], problem["message"]) for problem in tables.problems()}
    assert found["SE313"] == (2, "data/rows.csv: row 2 (line 5) has 1 cell, the header has 2")
    assert found["SE331"][0] == 3
    assert "row 3 of data/rows.csv (line 6)" in found["SE331"][1]


def test_the_line_of_a_row_is_where_it_begins(tables: Tables) -> None:
    tables.table('lead_id,name\n\n1,"a\nb\r\nc"\n\n0,"d\ne"\n')
    (error,) = tables.problems()
    assert "row 2 of data/rows.csv (line 7)" in error["message"]


def test_sep_below_the_first_line_is_data(tables: Tables) -> None:
    tables.table("lead_id,name\n2932683,sep=;\n")
    assert tables.sent() == [("2932683", {"name": "sep=;"})]


@pytest.mark.parametrize(
    ("sign", "written"), [(";", 'delimiter: ";"'), ("\t", 'delimiter: "\\t"'), ("|", 'delimiter: "|"')]
)
def test_a_table_read_with_the_wrong_delimiter_names_the_right_one(tables: Tables, sign: str, written: str) -> None:
    tables.table(f"lead_id{sign}name\n2932683{sign}Ann\n")
    assert written in tables.error()["hint"]


def test_a_comma_table_named_tsv_names_the_comma(tables: Tables) -> None:
    tables.table("lead_id,name\n2932683,Ann\n", "rows.tsv")
    assert 'delimiter: ","' in tables.error()["hint"]


def test_a_single_column_stays_one(tables: Tables) -> None:
    tables.table(
        "lead_id\n2932683\n", changes='  - for_each: rows\n    lead: "{{ row.lead_id }}"\n    update: {c1: x}\n'
    )
    assert tables.sent() == [("2932683", {"c1": "x"})]


def test_a_delimiter_that_was_declared_is_not_doubted(tables: Tables) -> None:
    changes = CHANGES.replace("row.lead_id", "row['id;x']").replace("{{ row.name }}", "Ann")
    tables.table("id;x\n2932683\n", options='delimiter: ","', changes=changes)
    assert tables.sent() == ANN
