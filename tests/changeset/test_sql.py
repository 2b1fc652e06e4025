"""SQL sources: one ordered SELECT, read without a chance to write, its rows pinned by a digest."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from syncengine.api import Project, load, plan
from syncengine.changeset.load import Loaded, validate
from syncengine.changeset.load import load as load_changesets
from syncengine.changeset.statement import SelectStatement, StatementFault, checked_statement
from syncengine.core.errors import InputError, Problem
from syncengine.documents.configuration import load_configuration
from syncengine.documents.nodes import SourceText
from syncengine.documents.reader import read_documents
from syncengine.documents.schema import DocumentSchema
from tests.changeset.loading import CONFIGURATION, as_rows, items_of
from tests.postgres_server import PostgresServer

SECRET = "hunter2"
CHANGES = '  - {for_each: rows, lead: "{{ row.lead_id }}", update: {postcode: "{{ row.postcode }}"}}\n'


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t ORDER BY a",
        "select a from t order\n by a;  -- done\n",
        "WITH x AS (SELECT a FROM t) SELECT a FROM x ORDER BY a",
        "VALUES (1), (2) ORDER BY 1",
        "SELECT 'a; DROP' AS \"update\", $$ ; $$ AS b FROM t /* ; */ ORDER BY 1",
        "SELECT a FROM t ORDER /* by what? */ BY a",
    ],
)
def test_one_ordered_select_is_taken(sql: str) -> None:
    assert isinstance(checked_statement(sql), SelectStatement)


@pytest.mark.parametrize(
    ("sql", "words", "offset"),
    [
        ("SELECT a FROM t", "no ORDER BY", 0),
        ("SELECT a FROM t -- ORDER BY a", "no ORDER BY", 0),
        ("SELECT 'ORDER BY' FROM t", "no ORDER BY", 0),
        ("SELECT a FROM (SELECT a FROM t ORDER BY a) x", "no ORDER BY", 0),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", "no ORDER BY", 0),
        ("SELECT a FROM t ORDER BY a; DELETE FROM t", "more than one", 28),
        ("DELETE FROM t", "DELETE", 0),
        ("  COPY t TO '/tmp/x'", "COPY", 2),
        ("WITH x AS (SELECT 1) DELETE FROM t ORDER BY a", "DELETE", 21),
        ("SELECT a INTO b FROM t ORDER BY a", "INTO", 9),
        ("SELECT '{{ vars.a }}', {{ vars.a }} FROM t ORDER BY 1", "templates", 23),
        ("SELECT 'a FROM t ORDER BY a", "quote", 7),
        ("SELECT a /* FROM t ORDER BY a", "comment", 9),
        ("-- nothing", "no SELECT", 0),
        (f"SELECT {'a' * 20_000} ORDER BY 1", "more than", 0),
    ],
)
def test_anything_else_is_refused_at_its_place(sql: str, words: str, offset: int) -> None:
    fault = checked_statement(sql)
    assert isinstance(fault, StatementFault)
    assert words in fault.message
    assert fault.offset == offset


class Place:
    """A repository with one changeset over one database."""

    def __init__(self, root: Path, address: str, environ: Mapping[str, str] | None) -> None:
        self.root = root
        self.address = address
        self.environ = environ

    def loaded(self, sql: str, changes: str = CHANGES) -> Loaded:
        return self.document(f"sources: {{rows: {{sql: {sql!r}, database: warehouse}}}}\n", changes)

    def document(self, sources: str, changes: str = CHANGES) -> Loaded:
        text = f"version: 1\nchangeset: from-sql\naccount: acme\n{sources}changes:\n{changes}"
        (self.root / "a.yaml").write_text(text, encoding="utf-8")
        config = self.root / "syncengine.yaml"
        config.write_text(f"{CONFIGURATION}databases: {{warehouse: {self.address!r}}}\n", encoding="utf-8")
        settings = load_configuration(config, self.environ or {})
        return load_changesets([self.root / "a.yaml"], settings, variables={}, environ=self.environ)

    def rows(self, sql: str, columns: str) -> list[dict[str, str]]:
        """What the update of each row sends: these columns under their own names."""
        update = ", ".join(f'{name}: "{{{{ row.{name} }}}}"' for name in columns.split())
        read = self.loaded(sql, f'  - {{for_each: rows, lead: "{{{{ row.lead_id }}}}", update: {{{update}}}}}\n')
        return [values for _, _, values in as_rows(items_of(read))]  # type: ignore[misc]  # values are the third

    def problem(self, sql: str, changes: str = CHANGES) -> Problem:
        (problem,) = validate(self.loaded(sql, changes))
        assert SECRET not in repr(problem)
        return problem


@pytest.fixture
def lite(tmp_path: Path) -> Place:
    with closing(sqlite3.connect(tmp_path / "leads.db")) as connection:
        connection.executescript(
            "CREATE TABLE repairs (lead_id INTEGER, postcode TEXT, payout NUMERIC, cents INTEGER, odd BLOB);"
            "INSERT INTO repairs VALUES (2932683, 'M1 1AE', 80.1, 8010, x'00'), (2932682, '0650', NULL, NULL, NULL);"
        )
    return Place(tmp_path, "sqlite:///leads.db", {})


def test_sqlite_rows_come_as_text_in_order(lite: Place) -> None:
    read = lite.loaded("SELECT lead_id, postcode FROM repairs ORDER BY lead_id")
    assert as_rows(items_of(read)) == [
        ["2932682", "update", {"postcode": "0650"}],
        ["2932683", "update", {"postcode": "M1 1AE"}],
    ]


def test_the_digest_is_of_the_rows_and_columns_as_read(lite: Place) -> None:
    def digest(sql: str) -> str:
        read = lite.loaded(sql)
        items_of(read)
        return read.changesets[0].facts().sources["rows"]

    first = digest("SELECT lead_id, postcode FROM repairs ORDER BY lead_id")
    assert digest("select lead_id, postcode from repairs order by lead_id;") == first
    assert digest("SELECT lead_id, postcode FROM repairs ORDER BY lead_id DESC") != first
    assert digest("SELECT lead_id, postcode, cents FROM repairs ORDER BY lead_id") != first
    with closing(sqlite3.connect(lite.root / "leads.db")) as connection, connection:
        connection.execute("UPDATE repairs SET postcode = 'M1 1AF' WHERE lead_id = 2932683")
    assert digest("SELECT lead_id, postcode FROM repairs ORDER BY lead_id") != first


def test_rows_that_changed_between_two_readings_are_refused(lite: Place) -> None:
    read = lite.loaded("SELECT lead_id, postcode FROM repairs ORDER BY lead_id")
    items_of(read)
    with closing(sqlite3.connect(lite.root / "leads.db")) as connection, connection:
        connection.execute("DELETE FROM repairs")
    assert next(problem.code for problem in validate(read)) == "SE319"


MONEY = '  - {for_each: rows, lead: "{{ row.lead_id }}", financials: {payout: "{{ row.payout }}"}}\n'


def test_a_real_of_sqlite_is_no_amount_and_a_text_made_of_it_is(lite: Place) -> None:
    sql = "SELECT lead_id, {} AS payout FROM repairs WHERE payout IS NOT NULL ORDER BY lead_id"
    problem = lite.problem(sql.format("payout"), MONEY)
    assert (problem.code, problem.row) == ("SE327", 1)
    items = items_of(lite.loaded(sql.format("printf('%.2f', payout)"), MONEY))
    assert as_rows(items)[0][2] == {"payout": "80.10"}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT lead_id, nothing AS postcode FROM repairs ORDER BY 1", "nothing"),
        ("SELECT random() AS lead_id, 'x' AS postcode FROM repairs ORDER BY 1", "random"),
        ("SELECT load_extension('x') AS lead_id, 'x' AS postcode FROM repairs ORDER BY 1", "load_extension"),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT i AS lead_id, 'x' AS postcode FROM n ORDER BY 1",
            "RECURSIVE",
        ),
        ("SELECT name AS lead_id, 'x' AS postcode FROM pragma_database_list ORDER BY 1", "source only reads"),
        ("SELECT hex(zeroblob(9000000)) AS lead_id, 'x' AS postcode FROM repairs ORDER BY 1", "too big"),
    ],
)
def test_what_sqlite_may_not_do_is_one_finding(lite: Place, sql: str, words: str) -> None:
    problem = lite.problem(sql)
    assert (problem.code, problem.file, problem.line) == ("SE324", "a.yaml", 4)
    assert "the database warehouse" in problem.message
    assert words in problem.message


def test_reading_leaves_the_file_as_it_was(lite: Place) -> None:
    before = (lite.root / "leads.db").read_bytes()
    items_of(lite.loaded("SELECT lead_id, postcode FROM repairs ORDER BY lead_id"))
    assert (lite.root / "leads.db").read_bytes() == before
    assert sorted(path.name for path in lite.root.iterdir()) == ["a.yaml", "leads.db", "syncengine.yaml"]


def test_two_columns_of_one_name_are_refused(lite: Place) -> None:
    problem = lite.problem("SELECT lead_id, postcode, postcode FROM repairs ORDER BY 1")
    assert problem.code == "SE312"


def test_a_column_that_is_not_selected_is_found_before_any_row(lite: Place) -> None:
    problem = lite.problem("SELECT lead_id FROM repairs ORDER BY 1")
    assert (problem.code, problem.line, problem.row) == ("SE316", 6, None)


def test_a_blob_is_refused_where_it_is_used(lite: Place) -> None:
    problem = lite.problem("SELECT lead_id, odd AS postcode FROM repairs WHERE odd IS NOT NULL ORDER BY 1")
    assert problem.code == "SE317"


def test_findings_stand_at_their_place_in_the_statement(lite: Place) -> None:
    read = lite.document('sources:\n  rows: {database: warehouse, sql: "SELECT a; SELECT b ORDER BY a"}\n')
    (problem,) = read.problems
    assert (problem.code, problem.line, problem.column) == ("SE323", 5, 47)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("{sql: SELECT 1 ORDER BY 1}", "SE202"),
        ("{database: warehouse}", "SE202"),
        ("{sql: SELECT 1 ORDER BY 1, database: warehose}", "SE513"),
        ("{sql: [SELECT 1], database: warehouse}", "SE203"),
        ("{sql: SELECT 1 ORDER BY 1, database: warehouse, file: a.csv}", "SE201"),
    ],
)
def test_what_a_source_must_say(lite: Place, source: str, code: str) -> None:
    assert [problem.code for problem in lite.document(f"sources: {{rows: {source}}}\n").problems] == [code]
    data = (lite.root / "a.yaml").read_bytes()
    (document,), _ = read_documents(data, "a.yaml")
    assert document.node is not None
    by_schema = DocumentSchema("changeset.v1").problems(document.node, "a.yaml", SourceText(data, "a.yaml"))
    assert bool(by_schema) is (code != "SE513")


def test_an_sqlite_file_named_by_a_variable_stays_in_the_repository(tmp_path: Path, lite: Place) -> None:
    sql = "SELECT lead_id, postcode FROM repairs ORDER BY lead_id"
    place = Place(lite.root, "env:SYNCENGINE_WAREHOUSE", {"SYNCENGINE_WAREHOUSE": "sqlite:///leads.db"})
    assert len(items_of(place.loaded(sql))) == 2
    place.environ = {"SYNCENGINE_WAREHOUSE": "sqlite:////etc/passwd"}
    assert place.problem(sql).code == "SE311"
    for value in ({}, {"SYNCENGINE_WAREHOUSE": f"mysql://{SECRET}@x/y"}):
        place.environ = value
        assert place.problem(sql).code == "SE555"


@pytest.fixture
def server(tmp_path: Path, postgres_server: PostgresServer) -> Place:
    address = postgres_server.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE repairs (lead_id bigint, postcode text)")
        connection.execute("INSERT INTO repairs SELECT 3000000 - i, 'M' || i FROM generate_series(1, 4500) i")
    return Place(tmp_path, "env:SYNCENGINE_WAREHOUSE", {"SYNCENGINE_WAREHOUSE": address})


def test_postgres_rows_come_in_order_over_several_fetches(server: Place) -> None:
    items = items_of(server.loaded("SELECT lead_id, postcode FROM repairs ORDER BY lead_id"))
    assert [item.lead for item in items] == [str(lead) for lead in range(2995500, 3000000)]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("2932682::bigint", "2932682"),
        ("80.10::numeric(9,2)", "80.10"),
        ("123456789012345678901234567890.123456789::numeric", "123456789012345678901234567890.123456789"),
        ("true", "true"),
        ("false", "false"),
        ("date '2001-02-03'", "2001-02-03"),
        ("time '04:05:06'", "04:05:06"),
        ("timestamp '2001-02-03 04:05:06.25'", "2001-02-03T04:05:06.25"),
        ("timestamptz '2001-02-03 04:05:06+02'", "2001-02-03T02:05:06Z"),
        ("' 0650 Zoë '::text", " 0650 Zoë "),
        ("'untyped 100%'", "untyped 100%"),
        ("'7e2d4b14-0d43-4b45-9c4f-6a8b2c6f5a11'::uuid", "7e2d4b14-0d43-4b45-9c4f-6a8b2c6f5a11"),
        ("0.1::float8", "0.1"),
    ],
)
def test_postgres_values_become_text_by_their_type(server: Place, expression: str, text: str) -> None:
    assert server.rows(f"SELECT 2932682 AS lead_id, {expression} AS a ORDER BY 1", "a") == [{"a": text}]


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("0.1::float4", "SE327"),
        ("80.10::money", "SE317"),
        ("array[80]", "SE317"),
        ("'{}'::jsonb", "SE317"),
        ("row(1, 2)", "SE317"),
        ("'x'::bytea", "SE317"),
        ("interval '1 day'", "SE317"),
    ],
)
def test_postgres_values_that_are_no_amounts(server: Place, expression: str, code: str) -> None:
    problem = server.problem(f"SELECT 2932682 AS lead_id, {expression} AS payout ORDER BY 1", MONEY)
    assert (problem.code, problem.row) == (code, 1)


def test_postgres_nulls_are_missing(server: Place) -> None:
    problem = server.problem("SELECT 2932682 AS lead_id, NULL::text AS postcode ORDER BY 1")
    assert problem.code == "SE316"


def test_a_postgres_statement_cannot_write(server: Place) -> None:
    assert server.environ is not None
    address = server.environ["SYNCENGINE_WAREHOUSE"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION wipe() RETURNS bigint LANGUAGE sql AS "
            "'WITH gone AS (DELETE FROM repairs RETURNING 1) SELECT count(*) FROM gone'"
        )
    problem = server.problem("SELECT wipe() AS lead_id, 'x' AS postcode ORDER BY 1")
    assert problem.code == "SE324"
    assert "read-only" in problem.message
    writing = "WITH g AS (DELETE FROM repairs RETURNING lead_id) SELECT lead_id, 'x' AS postcode FROM g ORDER BY 1"
    assert server.problem(writing).code == "SE324"
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM repairs").fetchone() == (4500,)


def test_what_the_server_finds_is_shown_at_its_place(server: Place) -> None:
    problem = server.problem("SELECT lead_id, postkode AS postcode FROM repairs ORDER BY 1")
    assert problem.code == "SE324"
    assert 'column "postkode" does not exist' in problem.message
    line = (server.root / "a.yaml").read_text(encoding="utf-8").splitlines()[problem.line - 1]
    assert line[problem.column - 1 :].startswith("postkode")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_an_unreachable_server_is_named_without_its_address(tmp_path: Path, host: str) -> None:
    environ = {"SYNCENGINE_WAREHOUSE": f"postgresql://{SECRET}:{SECRET}@{host}/{SECRET}"}
    place = Place(tmp_path, "env:SYNCENGINE_WAREHOUSE", environ)
    problem = place.problem("SELECT lead_id, postcode FROM repairs ORDER BY lead_id")
    assert problem.code == "SE324"
    assert "the database warehouse" in problem.message
    assert host.partition(":")[0] not in repr(problem)


def test_validate_opens_no_connection_and_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path, "postgresql://127.0.0.1:1/x", None)
    problem = place.problem("SELECT lead_id, postcode FROM repairs ORDER BY lead_id")
    assert (problem.code, problem.severity) == ("SE325", "warning")


def test_offline_refuses_a_server_and_reads_a_file(lite: Place, server: Place) -> None:
    for place, refused in ((server, True), (Place(lite.root, "sqlite:///leads.db", {}), False)):
        place.loaded("SELECT lead_id, postcode FROM repairs WHERE lead_id > 2932682 ORDER BY lead_id")
        project = Project.open(place.root / "syncengine.yaml", environ=place.environ)
        read = load([place.root / "a.yaml"], project)
        if refused:
            with pytest.raises(InputError) as raised:
                plan(read, project, offline=True)
            assert [problem.code for problem in raised.value.problems] == ["SE325"]
        else:
            assert plan(read, project, offline=True).summary.counts.total == 1


def test_only_sql_of_reviewed_changesets_runs_where_a_folder_of_them_is_named(lite: Place, tmp_path: Path) -> None:
    known = "SELECT lead_id, postcode FROM repairs ORDER BY lead_id"
    lite.loaded(known)
    reviewed = tmp_path / "reviewed"
    reviewed.mkdir()
    (reviewed / "Main.YML").write_bytes((lite.root / "a.yaml").read_bytes() + b"---\nnot: [a changeset\n")
    project = Project.open(lite.root / "syncengine.yaml", environ=lite.environ)
    assert load([lite.root / "a.yaml"], project, sql_from=[reviewed]).changesets
    other = "SELECT lead_id, odd AS postcode FROM repairs ORDER BY lead_id"
    lite.loaded(other)
    with pytest.raises(InputError) as raised:
        load([lite.root / "a.yaml"], project, sql_from=[reviewed])
    (problem,) = raised.value.problems
    assert (problem.code, problem.file) == ("SE562", "a.yaml")
    assert "'warehouse'" in problem.message
    assert "syncengine plan a.yaml" in problem.hint
    with pytest.raises(InputError, match="is not a folder") as raised:
        load([lite.root / "a.yaml"], project, sql_from=[tmp_path / "gone"])
    assert raised.value.code == "SE563"
