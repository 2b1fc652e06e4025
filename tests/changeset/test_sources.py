"""What a source promises: rows as text, in order, hashed, bounded, and the same twice."""

import hashlib
from pathlib import Path

import pytest

from syncengine.core.errors import Problem
from syncengine.tables.csv_source import CsvSource
from syncengine.tables.encodings import LONGEST_LINE
from syncengine.tables.jsonl_source import JsonLinesSource
from syncengine.tables.source_kinds import open_source
from syncengine.tables.sources import SourceError, SourceOptions


def _options(folder: Path, name: str, content: bytes, **options: str) -> SourceOptions:
    path = folder / name
    path.write_bytes(content)
    return SourceOptions(label=name, path=str(path), **options)


def _csv(folder: Path, content: bytes, **options: str) -> CsvSource:
    return CsvSource(_options(folder, "rows.csv", content, **options))


def _read(source: CsvSource | JsonLinesSource) -> tuple[list[tuple[int, dict[str, str]]], list[Problem]]:
    problems: list[Problem] = []
    return [(number, row) for number, _, row in source.rows(problems.append)], problems


def test_the_digest_is_that_of_the_bytes_and_known_at_the_end(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfid,name\r\n1,a\r\n2,"b\r\nc"\r\n'
    source = _csv(tmp_path, content)
    assert source.columns() == ("id", "name")
    rows = source.rows(lambda problem: None)
    next(rows)
    assert source.digest is None
    assert list(rows) == [(2, 3, {"id": "2", "name": "b\r\nc"})]
    assert source.digest == hashlib.sha256(content).hexdigest()


def test_reading_again_gives_the_same_rows(tmp_path: Path) -> None:
    source = _csv(tmp_path, b"id\n1\n2\n")
    assert _read(source) == _read(source)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_that_changed_in_between_is_refused(tmp_path: Path, kind: str) -> None:
    options = _options(tmp_path, f"rows.{kind}", b'{"id":1}\n' if kind == "jsonl" else b"id\n1\n")
    source = open_source(options)
    assert source is not None
    assert len(list(source.rows(lambda problem: None))) == 1
    with Path(options.path).open("ab") as file:
        file.write(b'{"id":2}\n' if kind == "jsonl" else b"2\n")
    with pytest.raises(SourceError) as raised:
        list(source.rows(lambda problem: None))
    assert raised.value.problem.code == "SE319"


def test_blank_lines_are_no_rows_and_do_not_count(tmp_path: Path) -> None:
    rows, problems = _read(_csv(tmp_path, b"id,n\n\n1,a\n\n2,b\n\n"))
    assert [number for number, _ in rows] == [1, 2]
    assert problems == []


def test_ragged_rows_are_reported_with_row_and_line_and_left_out(tmp_path: Path) -> None:
    rows, problems = _read(_csv(tmp_path, b'id,n\n1,"a\nb"\n2\n3,c\n4,d,e\n'))
    assert [number for number, _ in rows] == [1, 3]
    assert [(p.code, p.row, p.line) for p in problems] == [("SE313", 2, 4), ("SE313", 4, 6)]


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "SE312", 1),
        (b"\n\n", "SE312", 1),
        (b"id,id\n1,2\n", "SE312", 1),
        (b"id, ,n\n1,2,3\n", "SE312", 1),
        (b"id\n1\n2\x00\n", "SE314", 3),
        (b'id\n1\n"a"b\n', "SE314", 3),
        (b'id\n"' + b"x" * 200_000 + b'\n"\n', "SE314", 2),
        (b"id\n1\n" + b"x" * (LONGEST_LINE + 70_000), "SE314", 3),
        (b"id\n1\n\xff\n", "SE315", 3),
    ],
    ids=["empty", "blank", "twice", "nameless", "nul", "quote", "huge-cell", "endless-line", "not-utf-8"],
)
def test_a_file_that_cannot_be_read_ends_in_one_finding(tmp_path: Path, content: bytes, code: str, line: int) -> None:
    with pytest.raises(SourceError) as raised:
        list(_csv(tmp_path, content).rows(lambda problem: None))
    assert (raised.value.problem.code, raised.value.problem.line) == (code, line)
    assert raised.value.problem.file == "rows.csv"


def test_a_file_that_vanished_is_a_finding(tmp_path: Path) -> None:
    source = CsvSource(SourceOptions(label="gone.csv", path=str(tmp_path / "gone.csv")))
    with pytest.raises(SourceError, match=r"gone\.csv.*no such file"):
        source.columns()


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf-8", "utf-8-sig"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("latin-1", "latin-1"),
        ("iso-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
        ("cp1252", "cp1252"),
    ],
)
def test_other_encodings(tmp_path: Path, encoding: str, codec: str) -> None:
    source = _csv(tmp_path, "id;name\n1;Zoë\n".encode(codec), encoding=encoding, delimiter=";")
    assert _read(source) == ([(1, {"id": "1", "name": "Zoë"})], [])


@pytest.mark.parametrize(
    ("quote", "content", "name"),
    [
        ('"', b'id,name\n1,"a ""b"",\nc"\n', 'a "b",\nc'),
        ("'", b"id,name\n1,'it''s \"a\", b'\n", 'it\'s "a", b'),
        (None, b'id,name\n1,6" pipe\n', '6" pipe'),
    ],
)
def test_quotes(tmp_path: Path, quote: str | None, content: bytes, name: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    source = CsvSource(SourceOptions(label="rows.csv", path=str(path), quote=quote))
    assert _read(source) == ([(1, {"id": "1", "name": name})], [])


def test_a_wrong_wide_encoding_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        list(_csv(tmp_path, b"id\n1\n", encoding="utf-16-le").rows(lambda problem: None))
    assert raised.value.problem.code in ("SE314", "SE315")


def test_json_lines_keep_the_characters_of_numbers(tmp_path: Path) -> None:
    content = b'{"a": 0.10, "b": 1E+2, "c": 123456789012345678901234567890, "d": true, "e": null, "f": " x "}\n'
    rows, problems = _read(JsonLinesSource(_options(tmp_path, "rows.jsonl", content)))
    assert rows == [(1, {"a": "0.10", "b": "1E+2", "c": "123456789012345678901234567890", "d": "true", "f": " x "})]
    assert problems == []


def test_faulty_json_lines_are_reported_each_and_the_others_read(tmp_path: Path) -> None:
    content = b'{"a": 1}\n{"a": Infinity}\n7\n{"a": 1, "a": 2}\n' + b"[" * 100_000 + b'\n{"a": "\xc3\xa9"}\n'
    rows, problems = _read(JsonLinesSource(_options(tmp_path, "rows.jsonl", content)))
    assert [row["a"] for _, row in rows] == ["1", "é"]
    assert [(p.code, p.row, p.line) for p in problems] == [("SE314", row, row) for row in (2, 3, 4, 5)]


def test_there_is_no_source_for_other_files(tmp_path: Path) -> None:
    assert open_source(SourceOptions(label="rows.xls", path=str(tmp_path / "rows.xls"))) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id\n1\n".encode("utf-16"), "encoding: utf-16"),
        (b"PK\x03\x04\x14\0\6\0", "spreadsheet"),
        (b"\x1f\x8b\x08\0\0", "unpack"),
        (b"PAR1\x15\0", ".parquet"),
    ],
)
def test_a_file_of_another_kind_is_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(SourceError) as raised:
        _csv(tmp_path, content).columns()
    assert raised.value.problem.line == 1
    assert words in raised.value.problem.hint


def test_a_file_of_one_json_list_is_told_how_to_become_json_lines(tmp_path: Path) -> None:
    source = JsonLinesSource(_options(tmp_path, "rows.jsonl", b'[{"id": 1}, {"id": 2}]\n'))
    rows, problems = _read(source)
    assert not rows
    assert [(problem.code, "jq" in problem.hint) for problem in problems] == [("SE314", True)]
