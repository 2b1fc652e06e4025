"""Parses one document of a file into one declared changeset."""

from __future__ import annotations

import os
from collections.abc import Mapping as Names
from pathlib import Path

import msgspec

from syncengine.changeset.declared import Declared, DeclaredChange, Place, kind_in_words
from syncengine.changeset.inline_source import UnusableSource
from syncengine.changeset.known_sql import KnownSql
from syncengine.changeset.parse_change import parse_change
from syncengine.changeset.parse_sources import Shelf, parse_sources
from syncengine.changeset.parse_vars import parse_variables
from syncengine.changeset.published import check_label, check_published
from syncengine.changeset.structure import Parts
from syncengine.core.settings import Account, Settings
from syncengine.core.values import ChangesetId, is_changeset_id
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.nodes import Document, Mapping, Node, Scalar
from syncengine.tables.sources import Source

_KEYS = frozenset({"version", "changeset", "account", "title", "description", "vars", "sources", "changes"})
_REQUIRED = ("version", "changeset", "account", "changes")
_NO_ACCOUNT = Account(name="", identity="", base_url="", host="")


class ParseContext(msgspec.Struct, frozen=True, kw_only=True):
    """Context of a document. `folder` is its file's, resolved; `file` is relative to the repository."""

    settings: Settings
    folder: Path
    file: str
    overrides: Names[str, str]
    """Values of variables from the command line."""
    environ: Names[str, str] | None = None
    """Resolves `env:` of a database; None where no connection is opened, and such rows stay unchecked."""
    known_sql: KnownSql | None = None


def parse_changeset(document: Document, place: Place, around: ParseContext) -> Declared | None:
    """The changeset, or None where it cannot be interpreted. Reports every problem."""
    node = document.node
    if not isinstance(node, Mapping):
        _not_a_mapping(document, place)
        return None
    parts = Parts(place, node, "a changeset", _KEYS, _REQUIRED)
    _version(place, parts)
    name = _id(place, parts)
    account = _account(place, parts, around.settings)
    title = parts.text("title")
    description = parts.text("description")
    check_published(place, parts)
    variables = parse_variables(place, parts, around.overrides)
    declared, sources = _sources(place, parts, around)
    changes = _changes(place, parts, declared)
    return Declared(
        id=ChangesetId("" if name is None else name.text),
        id_at=name or Scalar("", True, node.line, node.column),
        account=account or _NO_ACCOUNT,
        title="" if title is None else title.text,
        description="" if description is None else description.text.strip(),
        file=around.file,
        line=node.line,
        vars=variables,
        sources=_with_stand_ins(sources, changes),
        changes=tuple(changes),
        text=place.text,
        usable=name is not None and account is not None,
        linked=_is_linked(node.get("sources"), around.folder),
    )


def _not_a_mapping(document: Document, place: Place) -> None:
    node = document.node
    what = "nothing" if node is None else kind_in_words(node)
    at = node or Scalar("", True, document.line, 1)
    place.problem("SE203", f"a changeset must be a mapping, not {what}", at, hint="a changeset begins with: version: 1")


def _version(place: Place, parts: Parts) -> None:
    version = parts.text("version")
    if version is not None and not (version.plain and version.text == "1"):
        hint = "" if version.text != "1" else "without quotes"
        place.problem("SE204", f"version must be 1, not {version.text!r}", version, hint=hint or "write version: 1")


def _id(place: Place, parts: Parts) -> Scalar | None:
    name = parts.text("changeset")
    if name is not None and not is_changeset_id(name.text):
        message = f"{name.text!r} cannot name a changeset"
        hint = "3 to 64 of a-z, 0-9, dot, underscore and hyphen; the first is a letter or digit"
        place.problem("SE234", message, name, hint=hint)
        return None
    return name


def _account(place: Place, parts: Parts, settings: Settings) -> Account | None:
    name = parts.text("account")
    if name is None:
        return None
    account = settings.accounts.get(name.text)
    if account is None:
        hint = did_you_mean(name.text, settings.accounts) or "declare it in syncengine.yaml"
        place.problem("SE510", f"syncengine.yaml has no account {name.text!r}", name, hint=hint)
    return account


def _sources(place: Place, parts: Parts, around: ParseContext) -> tuple[frozenset[str], dict[str, Source]]:
    """All declared names, and the usable sources."""
    node = parts.mapping("sources")
    if node is None:
        return frozenset(), {}
    names = frozenset(key.text for key, _ in node.entries)
    shelf = Shelf(
        folder=around.folder,
        root=Path(around.settings.root),
        databases=around.settings.databases,
        environ=around.environ or {},
        reach="check" if around.environ is None else "connect",
        known_sql=around.known_sql,
    )
    return names, parse_sources(place, node, shelf)


def _is_linked(sources: Node | None, folder: Path) -> bool:
    """Whether the path of a file source leads through a symbolic link."""
    entries = sources.entries if isinstance(sources, Mapping) else []
    nodes = [value.get("file") for _, value in entries if isinstance(value, Mapping)]
    paths = [str(folder / node.text) for node in nodes if isinstance(node, Scalar) and "\0" not in node.text]
    return any(os.path.realpath(path) != os.path.normpath(path) for path in paths)


def _with_stand_ins(sources: dict[str, Source], changes: list[DeclaredChange]) -> dict[str, Source]:
    """The usable sources, and a placeholder for every other source that a change names."""
    named = {change.source.text for change in changes if change.source is not None}
    return {**dict.fromkeys(named - sources.keys(), UnusableSource()), **sources}


def _changes(place: Place, parts: Parts, sources: frozenset[str]) -> list[DeclaredChange]:
    listed = parts.sequence("changes", example='- lead: "2932682"')
    if listed is None:
        return []
    changes: list[DeclaredChange] = []
    labels: dict[str, int] = {}
    for number, node in enumerate(listed.items, 1):
        if isinstance(node, Mapping):
            check_label(place, node)
        change = parse_change(place, node, number, sources)
        if change is None:
            continue
        first = labels.setdefault(change.label, change.line)
        if first != change.line and isinstance(node, Mapping):
            at = node.get("id") or node
            place.problem("SE405", f"the change in line {first} has the id {change.label!r} too", at)
        changes.append(change)
    return changes
