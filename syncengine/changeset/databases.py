"""Where the rows of an SQL source come from: a database that syncengine.yaml names, and whether it may be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from syncengine.core.settings import Database
from syncengine.documents.files import inside
from syncengine.tables.cells import Convert

Reach = Literal["connect", "offline", "check"]
"""Whether connections may be opened; without, a plan is refused ("offline"), and a mere check goes on ("check")."""

SQLITE = "sqlite:///"
_SERVERS = ("postgresql://", "postgres://")


class DatabaseTrouble(Exception):
    """A statement cannot be run, or its rows not be read. The message holds no address and no password.

    `offset` is the place in the statement, from 0, where the database names one.
    """

    def __init__(self, message: str, *, hint: str = "", code: str = "SE324", offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.offset = offset


class Result(Protocol):
    """The rows of one statement, read once, some at a time."""

    names: tuple[str, ...]
    converts: tuple[Convert | None, ...]

    def batches(self) -> Iterator[Sequence[Sequence[str | None]]]:
        """Rows as they were read, by the thousand or so: None is NULL. Raises DatabaseTrouble."""
        ...


Run = Callable[[str], AbstractContextManager[Result]]
"""Runs one statement for reading only. Raises DatabaseTrouble."""


class Server(msgspec.Struct, frozen=True):
    """A PostgreSQL server. Never shown."""

    dsn: str


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One database of syncengine.yaml. `environ` is what `env:` looks into; `root` is the repository."""

    name: str
    database: Database
    root: Path
    environ: Mapping[str, str]
    reach: Reach

    @property
    def connects(self) -> bool:
        """Whether reading it may open a connection, or looks into the environment for an address."""
        return not self.database.path

    def place(self) -> Path | Server:
        """The SQLite file, inside the repository, or the server; raises DatabaseTrouble."""
        database = self.database
        if database.path:
            return self._file(Path(database.path))
        address = database.dsn
        if database.dsn_env:
            address = self.environ.get(database.dsn_env, "")
            if not address:
                message = f"the environment variable {database.dsn_env} is not set"
                hint = "set it to the database's address: postgresql://USER:PASSWORD@HOST/DATABASE"
                raise DatabaseTrouble(message, hint=hint, code="SE555")
        if address.startswith(_SERVERS):
            return Server(address)
        if address.startswith(SQLITE):
            return self._file(Path(address.removeprefix(SQLITE)))
        message = f"the environment variable {database.dsn_env} holds no address that is known"
        raise DatabaseTrouble(message, hint="write postgresql://HOST/DATABASE or sqlite:///PATH", code="SE555")

    def _file(self, path: Path) -> Path:
        found = inside(self.root, path)
        if found is None:
            hint = "a source cannot leave the repository; check databases: in syncengine.yaml"
            raise DatabaseTrouble("its file is not in the repository", hint=hint, code="SE311")
        return found
