"""Parquet files as sources: typed values become text by rule, what has none is refused where it is used."""

import hashlib
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from syncengine.changeset.load import validate
from syncengine.core.errors import Problem
from syncengine.tables.columnar_source import ColumnarSource
from syncengine.tables.source_kinds import open_source
from syncengine.tables.sources import SourceError, SourceOptions
from tests.changeset.loading import as_rows, changeset, items_of, loaded


def _parquet(path: Path, select: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)")
    return path.read_bytes()


def _source(folder: Path, select: str) -> ColumnarSource:
    path = folder / "rows.parquet"
    _parquet(path, select)
    return ColumnarSource(SourceOptions(label="rows.parquet", path=str(path)))


def _problems(folder: Path, select: str, change: str) -> list[Problem]:
    _parquet(folder / "rows.parquet", select)
    document = changeset(change, more="sources: {rows: {file: rows.parquet}}\n")
    return validate(loaded(folder, {"a.yaml": document}))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("2932682::BIGINT", "2932682"),
        ("255::UTINYINT", "255"),
        ("-3::SMALLINT", "-3"),
        ("80.10::DECIMAL(9,2)", "80.10"),
        ("80::DECIMAL(38,4)", "80.0000"),
        ("true", "true"),
        ("false", "false"),
        ("DATE '2001-02-03'", "2001-02-03"),
        ("TIME '04:05:06'", "04:05:06"),
        ("TIMESTAMP '2001-02-03 04:05:06'", "2001-02-03T04:05:06"),
        ("TIMESTAMP '2001-02-03 04:05:06.25'", "2001-02-03T04:05:06.25"),
        ("TIMESTAMPTZ '2001-02-03 04:05:06+02'", "2001-02-03T02:05:06Z"),
        ("' 0650 Zoë '", " 0650 Zoë "),
        ("''", ""),
        ("'7e2d4b14-0d43-4b45-9c4f-6a8b2c6f5a11'::UUID", "7e2d4b14-0d43-4b45-9c4f-6a8b2c6f5a11"),
        ("'a'::ENUM('a', 'b')", "a"),
    ],
)
def test_values_become_text_by_their_type(tmp_path: Path, expression: str, text: str) -> None:
    source = _source(tmp_path, f"SELECT {expression} AS a, 1 AS b")
    assert list(source.rows(lambda problem: None)) == [(1, 0, {"a": text, "b": "1"})]


def test_nulls_are_missing_and_names_are_kept(tmp_path: Path) -> None:
    source = _source(tmp_path, 'SELECT NULL::INTEGER AS a, 1.5::DOUBLE AS f, \'x\' AS "odd ""name"')
    assert source.columns() == ("a", "f", 'odd "name')
    ((number, _, row),) = source.rows(lambda problem: None)
    assert (number, list(row), row['odd "name']) == (1, ["f", 'odd "name'], "x")


def test_the_order_is_the_files_and_the_digest_is_of_its_bytes(tmp_path: Path) -> None:
    source = _source(tmp_path, "SELECT 10000 - i AS id FROM range(10000) t(i)")
    rows = source.rows(lambda problem: None)
    assert next(rows) == (1, 0, {"id": "10000"})
    assert source.digest is None
    assert [row["id"] for _, _, row in rows] == [str(10000 - i) for i in range(1, 10000)]
    assert source.digest == hashlib.sha256((tmp_path / "rows.parquet").read_bytes()).hexdigest()


def test_a_file_that_changed_in_between_is_refused(tmp_path: Path) -> None:
    source = _source(tmp_path, "SELECT 1 AS id")
    assert len(list(source.rows(lambda problem: None))) == 1
    _parquet(tmp_path / "rows.parquet", "SELECT 2 AS id")
    with pytest.raises(SourceError) as raised:
        next(source.rows(lambda problem: None))
    assert raised.value.problem.code == "SE319"


@pytest.mark.parametrize("content", [b"", b"id\n1\n", b"PAR1" + b"\0" * 64 + b"PAR1"], ids=["empty", "csv", "hollow"])
def test_what_is_no_parquet_file_is_one_finding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows.parquet").write_bytes(content)
    source = open_source(SourceOptions(label="data/rows.parquet", path=str(tmp_path / "rows.parquet")))
    assert source is not None
    with pytest.raises(SourceError) as raised:
        source.columns()
    problem = raised.value.problem
    assert (problem.code, problem.file) == ("SE314", "data/rows.parquet")
    assert "syncengine-source-" not in problem.message


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    content = _parquet(tmp_path / "rows.parquet", "SELECT i AS id FROM range(10000) t(i)")
    (tmp_path / "rows.parquet").write_bytes(content[: len(content) // 2] + content[-200:])
    with pytest.raises(SourceError):
        list(ColumnarSource(SourceOptions(label="r", path=str(tmp_path / "rows.parquet"))).rows(lambda problem: None))


def test_a_name_with_wildcards_is_that_file_alone(tmp_path: Path) -> None:
    _parquet(tmp_path / "a1.parquet", "SELECT 1 AS id")
    _parquet(tmp_path / "a*.parquet", "SELECT 2 AS id")
    source = ColumnarSource(SourceOptions(label="a*.parquet", path=str(tmp_path / "a*.parquet")))
    assert [row for _, _, row in source.rows(lambda problem: None)] == [{"id": "2"}]


def test_no_copy_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    source = _source(tmp_path, "SELECT i AS id FROM range(5000) t(i)")
    rows = source.rows(lambda problem: None)
    next(rows)
    assert list((tmp_path / "temporary").iterdir()) != []
    rows.close()  # type: ignore[attr-defined]  # rows is a generator
    assert list((tmp_path / "temporary").iterdir()) == []


FLOATS = "SELECT 2932682 AS lead_id, 80.1::DOUBLE AS payout, 0.25::FLOAT AS score, 7700900123::DOUBLE AS phone"


def test_a_fraction_in_a_float_is_a_fields_value_in_its_shortest_form(tmp_path: Path) -> None:
    _parquet(tmp_path / "rows.parquet", FLOATS + ", 0.1::FLOAT AS small")
    document = changeset(
        '  - {for_each: rows, lead: "{{ row.lead_id }}", '
        'update: {a: "{{ row.score }}", b: "{{ row.payout }}", c: "{{ row.small }}"}}\n',
        more="sources: {rows: {file: rows.parquet}}\n",
    )
    rows = as_rows(items_of(loaded(tmp_path, {"a.yaml": document})))
    assert rows == [["2932682", "update", {"a": "0.25", "b": "80.1", "c": "0.1"}]]


@pytest.mark.parametrize(
    ("use", "code"),
    [
        ('financials: {payout: "{{ row.payout }}"}', "SE327"),
        ('financials: {payout: "{{ row.payout | money }}"}', "SE304"),
        ('financials: {payout: "{{ row.payout }}0"}', "SE304"),
        ('financials: {payout: 1.00, buyer: "{{ row.phone }}"}', "SE327"),
        ('trigger: ["{{ row.phone }}"]', "SE327"),
        ('update: {phone1: "{{ row.phone }}"}', "SE327"),
        ('update: {phone1: "{{ row.phone | digits }}"}', "SE304"),
        ('update: {a: "{{ row.tiny }}"}', "SE327"),
        ('update: {a: "{{ row.none }}"}', "SE327"),
        ("when: row.payout == '80.1', update: {a: b}", "SE304"),
        ("when: row.payout != '80.1', update: {a: b}", "SE304"),
        ("when: row.payout < 90, update: {a: b}", "SE304"),
    ],
)
def test_a_float_is_refused_where_exactness_counts(tmp_path: Path, use: str, code: str) -> None:
    select = FLOATS + ", 1e-9::DOUBLE AS tiny, 'nan'::DOUBLE AS none"
    (problem,) = _problems(tmp_path, select, f'  - {{for_each: rows, lead: "{{{{ row.lead_id }}}}", {use}}}\n')
    assert (problem.code, problem.row) == (code, 1)
    if code == "SE327":
        assert "decimal" in problem.hint


def test_a_float_is_no_lead(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, FLOATS, '  - {for_each: rows, lead: "{{ row.phone }}", update: {a: b}}\n')
    assert problem.code == "SE327"


@pytest.mark.parametrize(
    ("expression", "word"),
    [("[1, 2]", "a list"), ("{'a': 1}", "a mapping"), ("'x'::BLOB", "BLOB"), ("INTERVAL 1 DAY", "INTERVAL")],
)
def test_what_has_no_text_is_refused_only_where_it_is_used(tmp_path: Path, expression: str, word: str) -> None:
    select = f"SELECT 2932682 AS lead_id, {expression} AS odd"
    line = '  - {{for_each: rows, lead: "{{{{ row.lead_id }}}}", update: {{a: {use}}}}}\n'
    assert _problems(tmp_path, select, line.format(use="x")) == []
    (problem,) = _problems(tmp_path, select, line.format(use='"{{ row.odd }}"'))
    assert problem.code == "SE317"
    assert word in problem.message


def test_options_of_text_files_are_refused(tmp_path: Path) -> None:
    _parquet(tmp_path / "rows.parquet", "SELECT 2932682 AS lead_id")
    document = changeset(
        '  - {for_each: rows, lead: "{{ row.lead_id }}", update: {a: b}}\n',
        more="sources: {rows: {file: rows.parquet, encoding: utf-16, quote: none}}\n",
    )
    assert [problem.code for problem in validate(loaded(tmp_path, {"a.yaml": document}))] == ["SE320", "SE320"]


def test_without_the_extra_the_finding_says_what_to_install(tmp_path: Path) -> None:
    _parquet(tmp_path / "rows.parquet", "SELECT 1 AS id")
    program = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from syncengine.tables.source_kinds import open_source\n"
        "from syncengine.tables.sources import SourceError, SourceOptions\n"
        "source = open_source(SourceOptions(label='r.parquet', path=sys.argv[1]))\n"
        "try: source.columns()\n"
        "except SourceError as error: print(error.problem.code, error.problem.hint)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "rows.parquet")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith("SE326 ")
    assert "pip install 'leadbyte-syncengine[sources]'" in told
