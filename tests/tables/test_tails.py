"""Empty rows and columns that spreadsheets leave behind, and one finding for one cause."""

import pytest

from tests.tables.tables import CHANGES, Tables

SENT = [("1", {"name": "Ann"}), ("2", {"name": "Bob"})]


@pytest.mark.parametrize("tail", [",\n", ",\n,\n", " , \n", "\xa0,\u200b\n", '"",""\n', ",,,,\n", ",\n\n,\n", ","])
def test_empty_rows_at_the_end_are_ignored_with_a_note(tables: Tables, tail: str) -> None:
    tables.table("lead_id,name\n1,Ann\n2,Bob\n" + tail)
    (note,) = tables.problems()
    assert (note["code"], note["severity"], note["line"]) == ("SE340", "note", 4)
    assert tables.sent() == SENT


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("lead_id,name,", "1,Ann,\n2,Bob,\n"),
        ("lead_id,name,,,", "1,Ann,,,\n2,Bob,,,\n"),
        ("lead_id,name, ,\xa0", "1,Ann, ,\n2,Bob,\u200b,\n"),
        ("lead_id,name,,", "1,Ann\n2,Bob,\n"),
    ],
)
def test_empty_columns_at_the_right_are_ignored_with_a_note(tables: Tables, header: str, rows: str) -> None:
    tables.table(f"{header}\n{rows}")
    (note,) = tables.problems()
    assert (note["code"], note["severity"]) == ("SE340", "note")
    assert tables.sent() == SENT


@pytest.mark.parametrize("empty", [",\n", " ,\n", ",\n,\n,\n", "\u200b, \n\n,\n"])
def test_an_empty_row_with_data_below_it_is_an_error(tables: Tables, empty: str) -> None:
    tables.table(f"lead_id,name\n1,Ann\n{empty}2,Bob\n,\n")
    error = tables.error()
    assert (error["code"], error["line"], error["row"]) == ("SE341", 3, 2)
    assert "row 2 (line 3) is empty, and there are rows below it" in error["message"]


def test_a_nameless_column_with_a_value_is_an_error(tables: Tables) -> None:
    tables.table("lead_id,name,\n1,Ann,\n2,Bob,x\n")
    (error,) = tables.problems()
    assert (error["code"], error["line"], error["row"]) == ("SE342", 3, 2)
    tables.table("lead_id,,name\n1,,Ann\n")
    assert tables.error()["code"] == "SE312"


def test_more_cells_than_a_header_without_empty_columns_stay_an_error(tables: Tables) -> None:
    tables.table("lead_id,name\n1,Ann,\n")
    assert tables.error()["code"] == "SE313"


@pytest.mark.parametrize("blank", ["\n", "\n\n", "\r\n"])
def test_lines_without_any_cell_are_no_rows(tables: Tables, blank: str) -> None:
    tables.table(f"lead_id,name\n{blank}1,Ann\n{blank}2,Bob\n{blank}")
    assert tables.problems() == []
    assert tables.sent() == SENT


@pytest.mark.parametrize(
    ("bad", "code"),
    [("x{n},Ann", "SE331"), ("{n}", "SE313"), ("{n},", "SE336"), ("1,A{n}", "SE402"), ("{n},Ann,x", "SE313")],
)
def test_one_cause_in_many_rows_is_one_finding_with_count_and_first_rows(tables: Tables, bad: str, code: str) -> None:
    rows = "1,Ann\n" + "".join(bad.format(n=number) + "\n" for number in range(2, 40_002))
    tables.table("lead_id,name\n" + rows)
    (error,) = tables.problems()
    assert (error["code"], error["row"], error["severity"]) == (code, 2, "error")
    assert "(in 40,000 rows: 2, 3, 4, 5, 6, ...)" in error["message"]


def test_different_causes_stay_apart(tables: Tables) -> None:
    changes = CHANGES + '  - for_each: rows\n    lead: "{{ row.lead_id }}"\n    update: {c1: "{{ row.name }}"}\n'
    tables.table("lead_id,name\n1,\n2,\nx,Bob\n3\n", changes=changes)
    found = [(problem["code"], problem["line"], problem["row"]) for problem in tables.problems()]
    assert sorted(found) == [("SE313", 5, 4), ("SE331", 7, 3), ("SE331", 10, 3), ("SE336", 8, 1), ("SE336", 11, 1)]


def test_a_file_that_two_changes_read_is_reported_on_once(tables: Tables) -> None:
    tables.table("lead_id,name,\n1,Ann,\n2\n,,\n", changes=CHANGES + CHANGES.replace("name:", "c1:"))
    assert sorted(problem["code"] for problem in tables.problems()) == ["SE313", "SE340", "SE340"]
