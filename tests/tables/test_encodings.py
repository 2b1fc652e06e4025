"""Text arrives as its author sees it, or the file is refused with the encoding that would do."""

import codecs

import pytest

from tests.tables.tables import Tables

TEXT = "lead_id,name\n2932683,Jörg\n"
SENT = [("2932683", {"name": "Jörg"})]
ONE_BYTE = ["windows-1252", "cp1252", "latin-1", "iso-8859-1", "iso-8859-15", "cp437", "cp850", "mac-roman"]
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-8-sig": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("marked", [True, False])
def test_a_byte_order_mark_is_no_part_of_the_text(tables: Tables, encoding: str, marked: bool) -> None:
    content = TEXT.encode(encoding.removesuffix("-sig"))
    tables.table(MARKS[encoding] * marked + content, options=f"encoding: {encoding}")
    assert tables.sent() == SENT


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("wide", [16, 32])
def test_the_order_of_bytes_is_found_where_only_the_width_is_declared(tables: Tables, encoding: str, wide: int) -> None:
    if not encoding.startswith(f"utf-{wide}"):
        pytest.skip("another width")
    for mark in (b"", MARKS[encoding]):
        tables.table(mark + TEXT.encode(encoding), options=f"encoding: utf-{wide}")
        assert tables.sent() == SENT


@pytest.mark.parametrize("encoding", ONE_BYTE)
def test_one_byte_encodings_are_read(tables: Tables, encoding: str) -> None:
    tables.table(TEXT.encode(encoding), options=f"encoding: {encoding}")
    assert tables.sent() == SENT
    assert tables.problems() == []


@pytest.mark.parametrize("encoding", [*ONE_BYTE, "ascii"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf_8_declared_as_a_one_byte_encoding_is_refused(tables: Tables, encoding: str, mark: bytes) -> None:
    tables.table(mark + TEXT.encode(), options=f"encoding: {encoding}")
    error = tables.error()
    assert (error["code"], error["line"]) == ("SE315", 2)
    assert "it is UTF-8" in error["message"]
    assert "encoding: utf-8" in error["hint"]


@pytest.mark.parametrize("encoding", ONE_BYTE)
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_ascii_is_every_one_byte_encoding(tables: Tables, encoding: str, mark: bytes) -> None:
    tables.table(mark + b"lead_id,name\n2932683,Ann\n", options=f"encoding: {encoding}")
    assert tables.sent() == [("2932683", {"name": "Ann"})]


def test_json_lines_are_held_to_their_encoding_as_well(tables: Tables) -> None:
    tables.table('{"lead_id": "1", "name": "Jörg"}\n', "rows.jsonl", options="encoding: latin-1")
    assert "it is UTF-8" in tables.error()["message"]
    tables.table(codecs.BOM_UTF16_BE + '{"lead_id": "1", "name": "Jörg"}\n'.encode("utf-16-be"), "rows.jsonl",
                 options="encoding: utf-16-be")  # fmt: skip
    assert tables.sent() == [("1", {"name": "Jörg"})]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([b"\xfc"], "1 line is not utf-8 text: line 2 (byte 0xfc)"),
        ([b"a", b"\x93b\x94", b"\xe9"], "2 lines are not utf-8 text: 3, 4 (byte 0x93)"),
        ([b"\xe9"] * 7, "7 lines are not utf-8 text: 2, 3, 4, 5, 6, ... (byte 0xe9)"),
    ],
)
def test_a_file_in_another_encoding_tells_its_lines_and_the_encoding_that_fits(
    tables: Tables, lines: list[bytes], message: str
) -> None:
    rows = b"".join(b"2932683," + cell + b"\n" for cell in lines)
    tables.table(b"lead_id,name\n" + rows)
    error = tables.error()
    assert error["code"] == "SE315"
    assert message in error["message"]
    assert "encoding: windows-1252" in error["hint"]


@pytest.mark.parametrize(
    "rows",
    ["1,Jörg\n".encode() + b"2,M\xfcller\n", b"2,M\xfcller\n" + "1,Zoë\n".encode(), b"1,\x81\n", b"1,\x9d\xfc\n"],
    ids=["mixed", "mixed too", "undefined", "undefined too"],
)
def test_no_encoding_is_proposed_that_does_not_fit_the_whole_file(tables: Tables, rows: bytes) -> None:
    tables.table(b"lead_id,name\n" + rows)
    error = tables.error()
    assert error["code"] == "SE315"
    assert "1252" not in error["hint"]


def test_a_file_of_two_encodings_read_in_one_byte_is_a_warning(tables: Tables) -> None:
    tables.table(b"lead_id,name\n1,M\xfcller\n" + "2,Jörg\n".encode(), options="encoding: windows-1252")
    (warning,) = tables.problems()
    assert (warning["code"], warning["severity"]) == ("SE328", "warning")
    assert "1 line of 2" in warning["message"]
    assert "line 3" in warning["message"]


@pytest.mark.parametrize(
    ("content", "options", "hint"),
    [
        (TEXT.encode("utf-16"), "", "encoding: utf-16"),
        (TEXT.encode("utf-16"), "encoding: windows-1252", "encoding: utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "encoding: utf-16-le", "encoding: utf-16"),
        (TEXT.encode("utf-32"), "", "encoding: utf-32"),
        (TEXT.encode("utf-16-le"), "", "encoding: utf-16-le"),
        (TEXT.encode("utf-16-be"), "", "encoding: utf-16-be"),
        (TEXT.encode("utf-16-le"), "encoding: latin-1", "encoding: utf-16-le"),
        (TEXT.encode("utf-8-sig"), "encoding: utf-16", "encoding: utf-8"),
        (TEXT.encode(), "encoding: utf-16-le", "encoding: utf-8"),
        (TEXT.encode(), "encoding: utf-32", "encoding: utf-8"),
    ],
)
def test_the_encoding_that_would_do_is_named(tables: Tables, content: bytes, options: str, hint: str) -> None:
    tables.table(content, options=options)
    assert hint in tables.error()["hint"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"PK\x03\x04xl", "rows.csv", "a spreadsheet"),
        (b"PK\x03\x04\x14\0\6\0", "rows.txt", "a spreadsheet"),
        (b"PK\x03\x04xl", "rows.jsonl", "a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "rows.csv", "old Excel workbook"),
        (b"<html><table><tr><td>lead_id</td></tr></table>", "rows.csv", "web page"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>", "rows.csv", "web page"),
        (b"<?xml version='1.0'?><Workbook/>", "rows.csv", "XML"),
        (b"\x1f\x8b\x08\0", "rows.csv", "compressed"),
    ],
)
def test_a_file_that_is_no_text_says_what_it_is(tables: Tables, content: bytes, name: str, words: str) -> None:
    tables.table(content, name)
    error = tables.error()
    assert (error["code"], error["line"]) == ("SE314", 1)
    assert words in error["message"]


def test_letters_that_begin_other_files_are_a_header_all_the_same(tables: Tables) -> None:
    changes = '  - for_each: rows\n    lead: "{{ row.PAR1 }}"\n    update: {name: "{{ row.BZh }}"}\n'
    tables.table("PAR1,BZh\n1,Ann\n", changes=changes)
    assert tables.sent() == [("1", {"name": "Ann"})]
