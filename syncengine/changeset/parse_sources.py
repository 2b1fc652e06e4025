"""Parses the `sources` of a changeset: files inside the repository, SELECTs over named databases, or inline rows."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection
from collections.abc import Mapping as NamesOf
from pathlib import Path, PurePosixPath

import msgspec

from syncengine.changeset.databases import Access, Reach
from syncengine.changeset.declared import Place, kind_in_words
from syncengine.changeset.inline_source import InlineSource
from syncengine.changeset.known_sql import KnownSql
from syncengine.changeset.sql_source import SqlPlace, SqlSource
from syncengine.changeset.statement import StatementFault, checked_statement
from syncengine.changeset.structure import Parts, named_texts
from syncengine.core.settings import Database
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.files import inside
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence
from syncengine.tables.encodings import ENCODINGS
from syncengine.tables.source_kinds import (
    hint_for,
    open_source,
    takes_delimiter,
    takes_encoding,
    takes_sheet,
)
from syncengine.tables.sources import Row, Source, SourceOptions

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_KEYS = frozenset({"file", "delimiter", "encoding", "quote", "sheet", "hidden"})
_SQL_KEYS = frozenset({"sql", "database"})
_DELIMITERS = (",", ";", "|", "\t")
_HIDDEN = ("include",)
_UNKNOWN_SQL = "no reviewed changeset runs this statement on the database {!r}, so it is not run here"
_QUOTES = {'"': '"', "'": "'", "none": None}


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """Locations of sources: files from `folder`, the changeset's, inside `root`; databases by their names."""

    folder: Path
    root: Path
    databases: NamesOf[str, Database]
    environ: NamesOf[str, str]
    reach: Reach
    known_sql: KnownSql | None = None
    """The only SQL that may run; None for any."""


def parse_sources(place: Place, node: Mapping, shelf: Shelf) -> dict[str, Source]:
    """The usable sources by name."""
    found: dict[str, Source] = {}
    for key, value in node.entries:
        if not _NAME.fullmatch(key.text):
            message = "a source's name is made of letters, digits, _ and -, and begins with a letter"
            place.problem("SE237", message, key)
            continue
        source = _source(place, key.text, value, shelf)
        if source is not None:
            found[key.text] = source
    return found


def _source(place: Place, name: str, node: Node, shelf: Shelf) -> Source | None:
    match node:
        case Sequence():
            return _inline(place, name, node)
        case Mapping() if node.get("sql") is not None or node.get("database") is not None:
            return _sql(place, name, node, shelf)
        case Mapping():
            return _file(place, node, shelf.folder, shelf.root)
        case Scalar():
            hint = "write {file: ../data/leads.csv}, or a list of mappings"
            place.problem("SE203", f"a source must be a mapping or a list, not {kind_in_words(node)}", node, hint=hint)
            return None


def _inline(place: Place, name: str, node: Sequence) -> Source:
    rows: list[Row] = []
    for item in node.items:
        if isinstance(item, Mapping):
            rows.append({column: value.text for column, value in named_texts(place, item, "the column")})
        else:
            message = f"a row must be a mapping, not {kind_in_words(item)}"
            place.problem("SE203", message, item, hint='write {lead_id: "2932682", postcode: TN25 6QD}')
    return InlineSource(name, tuple(rows))


def _sql(place: Place, name: str, node: Mapping, shelf: Shelf) -> Source | None:
    parts = Parts(place, node, "an SQL source", _SQL_KEYS, ("sql", "database"))
    sql, named = parts.text("sql"), parts.text("database")
    if sql is None or named is None:
        return None
    database = shelf.databases.get(named.text)
    if database is None:
        hint = did_you_mean(named.text, shelf.databases) or f"name it there: databases: {{{named.text}: env:NAME}}"
        place.problem("SE513", f"syncengine.yaml has no database {named.text!r}", named, hint=hint)
    at = SqlPlace(place.text, sql)
    statement = checked_statement(sql.text)
    if isinstance(statement, StatementFault):
        place.report(at.problem("SE323", statement.message, offset=statement.offset, hint=statement.hint))
        return None
    if database is None:
        return None
    if shelf.known_sql is not None and (named.text, sql.text) not in shelf.known_sql:
        place.report(at.problem("SE562", _UNKNOWN_SQL.format(named.text), hint=_local_command(place.text.file)))
        return None
    access = Access(name=named.text, database=database, root=shelf.root, environ=shelf.environ, reach=shelf.reach)
    return SqlSource(f"sources.{name}", statement, access, at)


def _local_command(file: str) -> str:
    return f"plan it on your machine, with access of your own: syncengine plan {shlex.quote(file)} --each plans"


def _file(place: Place, node: Mapping, folder: Path, root: Path) -> Source | None:
    parts = Parts(place, node, "a source", _KEYS, ("file",))
    file = parts.text("file")
    delimiter = _choice(place, parts, "delimiter", _DELIMITERS)
    encoding = _choice(place, parts, "encoding", ENCODINGS)
    if file is None:
        return None
    quote = _choice(place, parts, "quote", _QUOTES)
    sheet = parts.text("sheet")
    hidden = _choice(place, parts, "hidden", _HIDDEN)
    _check_options(place, parts, file.text, encoding)
    path = _resolved(place, file, folder, root)
    if path is None:
        return None
    options = SourceOptions(
        label=path.relative_to(root.resolve()).as_posix(),
        path=str(path),
        delimiter=delimiter,
        encoding=encoding or "utf-8",
        quote=_QUOTES[quote or '"'],
        sheet=None if sheet is None else sheet.text,
        include_hidden=hidden is not None,
    )
    source = open_source(options)
    if source is None:
        message = f"no kind of source reads files like {PurePosixPath(file.text).name!r}"
        place.problem("SE320", message, file, hint=hint_for(file.text))
    return source


def _check_options(place: Place, parts: Parts, file: str, encoding: str | None) -> None:
    """Report options that files of this kind do not have."""
    for option, takes, those in (
        ("delimiter", takes_delimiter, "CSV files"),
        ("quote", takes_delimiter, "CSV files"),
        ("sheet", takes_sheet, "spreadsheets"),
        ("hidden", takes_sheet, "spreadsheets"),
    ):
        if option in parts and not takes(file):
            place.problem("SE320", f"only {those} have a {option}", parts.place_of(option))
    if encoding is not None and not takes_encoding(file):
        place.problem("SE320", "only text files have an encoding", parts.place_of("encoding"))


def _choice(place: Place, parts: Parts, name: str, known: Collection[str]) -> str | None:
    value = parts.text(name)
    if value is None:
        return None
    if value.text not in known:
        shown = [repr(choice) if choice.isspace() else choice for choice in known]
        hint = did_you_mean(value.text, known) if name == "encoding" else f"there are: {'  '.join(shown)}"
        place.problem("SE204", f"the {name} {value.text!r} is not known", value, hint=hint)
        return None
    return value.text


def _resolved(place: Place, file: Scalar, folder: Path, root: Path) -> Path | None:
    if "\0" in file.text or Path(file.text).is_absolute():
        hint = "write it relative to this file: ../data/leads.csv"
        place.problem("SE311", "a source's file must be a relative path", file, hint=hint)
        return None
    try:
        path = inside(root, folder / file.text)
        exists = (folder / file.text).exists()
    except OSError as error:
        place.problem("SE310", f"there can be no such file: {error.strerror or error}", file)
        return None
    if path is not None:
        return path
    wanted = Path(os.path.normpath(folder / file.text))
    if not wanted.is_relative_to(os.path.normpath(root)):
        place.problem("SE311", "the source lies outside the repository", file, hint=f"the repository is {root.name}/")
    elif exists:
        hint = "it is no ordinary file, or a link out of the repository"
        place.problem("SE311", f"{file.text!r} is not a file inside the repository", file, hint=hint)
    else:
        place.problem("SE310", f"there is no file {file.text!r}", file, hint="it is looked for beside this file")
    return None
