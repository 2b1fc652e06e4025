"""The SQL files agree with each other, and an old ledger becomes what a new one is."""

from __future__ import annotations

import sqlite3
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from syncengine.core.errors import LedgerTrouble, WrongLedger
from syncengine.ledger.migrations import current_version, migrate, migration_files, version_of
from syncengine.ledger.sqlite import SqliteEngine, open_file
from syncengine.ledger.statements import Dialect, names_in, script, sql_text, statements
from tests.ledger.building import APPLIED, Home, entry, history_of, run_once, update
from tests.postgres_server import PostgresServer

FIRST_RELEASE = Path(__file__).with_name("first_release.sql")


def test_both_databases_know_the_same_statements() -> None:
    shared, sqlite, postgres = names_in("shared.sql"), names_in("sqlite.sql"), names_in("postgres.sql")
    assert set(sqlite) == set(postgres)
    assert not set(shared) & set(sqlite)
    for names in (shared, sqlite, postgres):
        assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_statements_take_the_same_parameters(dialect: Dialect) -> None:
    mine, other = statements(dialect), statements("postgres" if dialect == "sqlite" else "sqlite")
    bulk = {"insert_attempts", "append_chain"}
    for name in set(names_in("sqlite.sql")) - bulk:
        assert set(mine[name].parameters) == set(other[name].parameters), name


def test_the_first_released_schema_is_never_edited() -> None:
    assert migration_files()[1] == "0001_first_release.sql"
    assert sql_text("migrations/0001_first_release.sql") == FIRST_RELEASE.read_text()


def _sqlite_shape(statements_: list[str]) -> dict[str, object]:
    """Columns with type, nullability, default and key of each table, and the text of each index."""
    connection = sqlite3.connect(":memory:")
    for statement in statements_:
        connection.execute(statement)
    found = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    shape = {
        name: connection.execute(f"PRAGMA table_xinfo({name})").fetchall() if kind == "table" else sql
        for kind, name, sql in found
    }
    connection.close()
    return shape


def _migrated(dialect: Dialect) -> list[str]:
    found = script(FIRST_RELEASE.read_text(), dialect)
    for version, name in migration_files().items():
        if version > 1:
            found += script(sql_text(f"migrations/{name}"), dialect)
    return found


def test_migrating_gives_the_fresh_schema_on_sqlite() -> None:
    assert _sqlite_shape(_migrated("sqlite")) == _sqlite_shape(script(sql_text("schema.sql"), "sqlite"))


def _postgres_shape(url: str, statements_: list[str]) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements_:
            connection.execute(statement.encode())
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
        ).fetchall()
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        )
        sequences = connection.execute("SELECT sequencename FROM pg_sequences ORDER BY 1")
        return [*columns, *indexes.fetchall(), *sequences.fetchall()]


def test_migrating_gives_the_fresh_schema_on_postgres(postgres_server: PostgresServer) -> None:
    old = _postgres_shape(postgres_server.new_database(), _migrated("postgres"))
    new = _postgres_shape(postgres_server.new_database(), script(sql_text("schema.sql"), "postgres"))
    assert old == new


def test_migrations_run_in_order_once_and_keep_what_is_recorded(home: Home) -> None:
    ledger = home.create()
    run_once(ledger, entry(update(1)), APPLIED)
    version = current_version()
    steps = {
        version + 1: "ALTER TABLE accounts ADD COLUMN note TEXT",
        version + 2: "CREATE TABLE extra (id ROWKEY); COUNTER extra_numbers; UPDATE accounts SET note = 'kept'",
    }
    assert migrate(ledger.engine, steps) == [version + 1, version + 2]
    assert migrate(ledger.engine, steps) == []
    assert version_of(ledger.engine) == version + 2
    assert len(history_of(ledger, 1).attempts) == 1
    with pytest.raises(WrongLedger, match="newer syncengine"):
        home.open()
    with pytest.raises(WrongLedger, match="newer syncengine"):
        migrate(ledger.engine)


def test_a_migration_that_fails_leaves_nothing_behind(home: Home) -> None:
    ledger = home.create()
    version = current_version()
    with pytest.raises(LedgerTrouble):
        migrate(
            ledger.engine, {version + 1: "ALTER TABLE accounts ADD COLUMN note TEXT; ALTER TABLE nowhere ADD x TEXT"}
        )
    assert version_of(ledger.engine) == version
    assert migrate(ledger.engine, {version + 1: "ALTER TABLE accounts ADD COLUMN note TEXT"}) == [version + 1]


def test_an_older_ledger_is_refused_until_it_is_migrated(file_home: Home) -> None:
    file_home.create().close()
    engine: SqliteEngine = open_file(file_home.file, read_only=False)
    engine.write(lambda: engine.run("set_meta", name="schema", value="0"))
    engine.close()
    with pytest.raises(WrongLedger, match=f"needs {current_version()}"):
        file_home.open()
