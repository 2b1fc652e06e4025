"""Ledger URLs: `sqlite:///path` (relative to the repository) or `postgresql://...`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec

from syncengine.core.errors import ConfigError


class FileAddress(msgspec.Struct, frozen=True):
    """A ledger in an SQLite file."""

    path: Path


class ServerAddress(msgspec.Struct, frozen=True):
    """A ledger on a PostgreSQL server. `shown` is the URL without its password."""

    dsn: str
    shown: str


Address = FileAddress | ServerAddress


def parse_address(url: str, root: Path) -> Address:
    """The address in `url`. Raises ConfigError where it has neither form."""
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if path and "\0" not in path:
            return FileAddress((root / path).absolute())
    if url.startswith(("postgresql://", "postgres://")):
        return ServerAddress(url, _without_password(url))
    raise ConfigError(
        "`ledger.url` is neither sqlite:///PATH nor postgresql://HOST/DATABASE",
        hint='write for example "sqlite:///.syncengine/ledger.db"',
    )


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    # The query may hold a password as well, so none of the URL is shown.
    return urlunsplit((parts.scheme, user.partition(":")[0] + at + host, parts.path, "", ""))
