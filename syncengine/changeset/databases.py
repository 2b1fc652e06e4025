"""Databases of SQL sources: resolves their names in syncengine.yaml, and decides whether a connection is allowed."""

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
"""Whether connections may be opened. If not, planning fails ("offline") and validation continues ("check")."""

SQLITE = "sqlite:///"
_SERVERS = ("postgresql://", "postgres://")


class DatabaseTrouble(Exception):
    """A statement cannot be run, or its rows cannot be read. The message holds no address and no password.

    `offset` is the position in the statement, from 0, where the database reports one.
    """

    def __init__(self, message: str, *, hint: str = "", code: str = "SE324", offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.offset = offset


class Result(Protocol):
    """The rows of one statement. Read once, in batches."""

    names: tuple[str, ...]
    converts: tuple[Convert | None, ...]

    def batches(self) -> Iterator[Sequence[Sequence[str | None]]]:
        """Batches of about a thousand rows; None is NULL. Raises DatabaseTrouble."""
        ...


Run = Callable[[str], AbstractContextManager[Result]]
"""Runs one read-only statement. Raises DatabaseTrouble."""


class Server(msgspec.Struct, frozen=True):
    """A PostgreSQL server. The address is never shown."""

    dsn: str


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One database of syncengine.yaml. `environ` resolves `env:`; `root` is the repository."""

    name: str
    database: Database
    root: Path
    environ: Mapping[str, str]
    reach: Reach

    @property
    def connects(self) -> bool:
        """Whether reading it opens a connection, or reads an address from the environment."""
        return not self.database.path

    def place(self) -> Path | Server:
        """The SQLite file, inside the repository, or the server. Raises DatabaseTrouble."""
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
