"""Schema migrations: numbered, forward only, each in one transaction that locks the ledger."""

from __future__ import annotations

from importlib.resources import files

from syncengine.core.errors import LedgerTrouble, WrongLedger
from syncengine.ledger.engine import Engine, first
from syncengine.ledger.statements import script, sql_text


def migration_files() -> dict[int, str]:
    """Version to the file that migrates to it, in order; the first is the first released schema."""
    folder = files(__package__).joinpath("sql", "migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {int(name[:4]): name for name in names}


def current_version() -> int:
    """The schema version that this program writes."""
    return max(migration_files())


def version_of(engine: Engine) -> int:
    """The schema version of a ledger."""
    row = engine.read(lambda: first(engine.rows("get_meta", name="schema")))
    if row is None or not str(row[0]).isdigit():
        raise LedgerTrouble(
            f"ledger {engine.url} does not tell its schema version; it is damaged", hint="restore it from a backup"
        )
    return int(row[0])


def require_current(engine: Engine) -> None:
    """Raise WrongLedger unless the ledger has the schema version that this program writes."""
    found, wanted = version_of(engine), current_version()
    if found > wanted:
        raise WrongLedger(
            f"ledger {engine.url} has schema {found}, made by a newer syncengine; this one knows up to {wanted}",
            hint="upgrade syncengine",
        )
    if found < wanted:
        raise WrongLedger(
            f"ledger {engine.url} has schema {found}; this syncengine needs {wanted}",
            hint="run `syncengine ledger migrate`",
        )


def note_structure(engine: Engine) -> None:
    """Store a digest of the tables' definitions, where the database is a file that may be damaged."""
    structure = engine.structure()
    if structure:
        engine.run("set_meta", name="structure", value=structure)


def migrate(engine: Engine, migrations: dict[int, str] | None = None) -> list[int]:
    """Migrate a ledger to the last of `migrations` (version to file name, or SQL text). Returns the versions
    applied."""
    todo = {version: sql_text(f"migrations/{name}") for version, name in migration_files().items()}
    todo = todo if migrations is None else migrations
    if version_of(engine) > max(todo):
        require_current(engine)

    def work() -> list[int]:
        # Read again under the lock: another process may have migrated meanwhile.
        engine.run("lock_schema")
        row = first(engine.rows("get_meta", name="schema"))
        done = []
        for version in sorted(todo):
            if row is None or version <= int(row[0]):
                continue
            for statement in script(todo[version], engine.dialect):
                engine.execute(statement)
            engine.run("set_meta", name="schema", value=str(version))
            done.append(version)
        if done:
            note_structure(engine)
        return done

    return engine.write(work)
