"""SQL that was reviewed: the databases and statements of other changesets, such as those of the main branch.

A statement of a proposal would run with the rights of the person or job that plans it; a CI job has more than the
author.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.documents.files import read_bounded
from syncengine.documents.nodes import Mapping, Scalar
from syncengine.documents.reader import MAX_BYTES, read_documents
from syncengine.documents.search import SUFFIXES

KnownSql = frozenset[tuple[str, str]]
"""Pairs of a database's name and a statement."""


def known_sql(folders: Sequence[Path]) -> KnownSql:
    """Every SQL source of the changesets below `folders`.

    A file that cannot be read adds nothing, so what only it holds is refused. Raises InputError where a folder is not
    there.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(
                f"{folder} is not a folder, so no SQL of it is known",
                code="SE563",
                hint="name the folder of changesets that were reviewed, such as a checkout of the main branch",
            )
    return frozenset(pair for folder in folders for pair in _pairs_below(folder))


def _pairs_below(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            continue
        try:
            documents, _ = read_documents(read_bounded(file, MAX_BYTES), file.name)
        except InputError:
            continue
        for document in documents:
            if isinstance(document.node, Mapping):
                yield from _pairs_of(document.node.get("sources"))


def _pairs_of(sources: object) -> Iterator[tuple[str, str]]:
    for _, source in sources.entries if isinstance(sources, Mapping) else ():
        if isinstance(source, Mapping):
            sql, database = source.get("sql"), source.get("database")
            if isinstance(sql, Scalar) and isinstance(database, Scalar):
                yield database.text, sql.text
