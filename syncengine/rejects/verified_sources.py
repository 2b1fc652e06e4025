"""The sources of an applied plan, read only where they hold what they held when the plan was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from syncengine.changeset.inline_source import UnusableSource
from syncengine.changeset.load import Changeset, load
from syncengine.changeset.sql_source import SqlSource
from syncengine.core.digests import changeset_part, parts_of, source_part
from syncengine.core.errors import InputError, Problem, Refusal
from syncengine.core.settings import Settings
from syncengine.core.values import ChangesetId
from syncengine.tables.csv_dialect import CsvDialect
from syncengine.tables.source_kinds import dialect_of
from syncengine.tables.sources import NumberedRow, Source, SourceError

_MADE_AGAIN = "bring back that state (git has it), or read the outcomes from 'syncengine history --run RUN'"


class VerifiedSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that changes of the plan read, in the state that the plan was made from."""

    changeset: ChangesetId
    name: str
    source: Source
    columns: tuple[str, ...]
    dialect: CsvDialect
    changes: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """Changeset and source."""
        return self.changeset, self.name

    def rows(self) -> Iterator[NumberedRow]:
        """The rows. Raises Refusal where the file is no longer what it was."""
        try:
            yield from self.source.rows(_ignore)
        except SourceError as error:
            raise _moved(f"source {self.name} of changeset {self.changeset}", error.problem.message) from error


class VerifiedInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The changesets of a plan and their sources, as they were when it was made."""

    changesets: tuple[Changeset, ...]
    sources: tuple[VerifiedSource, ...]


def verified_inputs(
    settings: Settings,
    changesets: Iterable[str],
    *,
    files: Sequence[str],
    variables: Mapping[str, str],
    parts: Mapping[str, str],
    environ: Mapping[str, str],
) -> VerifiedInputs:
    """The changesets, and the sources that their changes read, each read to its end once.

    `files` names the changesets' files, relative to the repository; where one is not there, the whole repository is
    searched. Raises Refusal where a changeset or source is not what `parts` say, InputError for an SQL source.
    """
    wanted = tuple(changesets)
    found = _loaded(settings, wanted, files, variables, environ)
    verified: list[Changeset] = []
    sources: list[VerifiedSource] = []
    for name in wanted:
        changeset = found.get(name)
        if changeset is None:
            raise _moved(f"changeset {name}", "it is not in the repository, or cannot be read")
        declared = parts.get(changeset_part(name))
        if declared is not None and parts_of(changeset.facts())[changeset_part(name)] != declared:
            raise _moved(f"changeset {name}", "its file or its variables changed")
        verified.append(changeset)
        sources += [
            _verified(changeset, source, changes, parts) for source, changes in changeset.changes_by_source().items()
        ]
    return VerifiedInputs(changesets=tuple(verified), sources=tuple(sources))


def _loaded(
    settings: Settings,
    wanted: Sequence[str],
    files: Sequence[str],
    variables: Mapping[str, str],
    environ: Mapping[str, str],
) -> dict[str, Changeset]:
    """The changesets by id. Problems of other files do not matter here, and those of these show in their digests."""
    root = Path(settings.root)
    named = [root / file for file in files]
    everywhere = [root]
    for paths in (named, everywhere) if named and all(path.is_file() for path in named) else (everywhere,):
        loaded = load(paths, settings, variables=variables, only=None, environ=environ, command="rejects")
        found = {str(changeset.id): changeset for changeset in loaded.changesets if changeset.id in wanted}
        if len(found) == len(set(wanted)):
            break
    return found


def _verified(changeset: Changeset, name: str, changes: tuple[str, ...], parts: Mapping[str, str]) -> VerifiedSource:
    source = changeset.sources.get(name)
    said = f"source {name} of changeset {changeset.id}"
    if isinstance(source, SqlSource):
        raise InputError(
            f"{said} is an SQL statement, whose rows cannot be given back",
            code="SE681",
            hint="'syncengine history --run RUN --format csv' lists what was rejected, by lead",
        )
    if source is None or isinstance(source, UnusableSource):
        raise _moved(said, "it is not there, or cannot be read")
    try:
        columns = _read_through(source)
        dialect = dialect_of(source)
    except SourceError as error:
        raise _moved(said, error.problem.message) from error
    expected = parts.get(source_part(changeset.id, name))
    # Rows that are typed in the changeset have no digest of their own: the changeset's covers them.
    if source.digest is not None and source.digest != expected:
        raise _moved(said, f"{source.label} changed")
    return VerifiedSource(
        changeset=changeset.id,
        name=name,
        source=source,
        columns=columns,
        dialect=dialect,
        changes=changes,
    )


def _read_through(source: Source) -> tuple[str, ...]:
    """Read a source to its end, so that its digest is known. Gives its columns. Raises SourceError."""
    columns = source.columns()
    names: dict[str, None] = {}
    for _, _, row in source.rows(_ignore):
        if columns is None:
            names.update(dict.fromkeys(row))
    return tuple(names) if columns is None else columns


def _moved(what: str, how: str) -> Refusal:
    return Refusal(
        f"{what} is not what the plan was made from: {how}; its rows cannot be matched with their outcomes",
        code="SE680",
        hint=_MADE_AGAIN,
    )


def _ignore(_problem: Problem) -> None:
    """A file in the state that was planned has no errors, and notes were shown then."""
