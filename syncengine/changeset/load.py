"""Entry point of the package: paths in, changesets and problems out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from syncengine.changeset.declared import Declared, Place
from syncengine.changeset.known_sql import KnownSql
from syncengine.changeset.loaded import Changeset, Loaded, validate
from syncengine.changeset.parse import ParseContext, parse_changeset
from syncengine.changeset.structure import unsendable
from syncengine.core.errors import InputError, Problem
from syncengine.core.problem_limit import ProblemLimit
from syncengine.core.settings import Account, Settings
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.files import read_bounded
from syncengine.documents.nodes import Document, SourceText
from syncengine.documents.nodes import Mapping as MappingNode
from syncengine.documents.nodes import Sequence as SequenceNode
from syncengine.documents.reader import MAX_BYTES, read_documents
from syncengine.documents.schema import DocumentSchema, LeadSchema
from syncengine.documents.search import find_documents

__all__ = ["Changeset", "Loaded", "load", "validate"]

_ALWAYS_HELD_TO_SCHEMA = 5_000
"""Maximum number of changes for which a document is validated against the JSON Schema although it has no other
problems."""


def load(
    paths: Sequence[Path],
    settings: Settings,
    *,
    variables: Mapping[str, str],
    only: frozenset[str] | None = None,
    environ: Mapping[str, str] | None = None,
    command: str = "validate",
    known_sql: KnownSql | None = None,
) -> Loaded:
    """Every changeset in these files and folders. With `only`, returns those ids alone, but checks all files.

    `environ` resolves addresses of databases. Without it no connection is opened, and SQL sources on servers are not
    read, with a warning. `known_sql` is the only SQL that may be declared; None for any. Never raises for the content
    of files: every problem is in `problems`, the first 100 of a kind.
    """
    problems: list[Problem] = []
    findings = ProblemLimit(problems.append)
    with _collector_resting():
        reading = _ChangesetReader(settings, variables, environ, known_sql, findings.add)
        reading.read(paths, command)
    declared = reading.selected(only)
    schemas = _lead_schemas({found.account.name: found.account for found in declared}, reading.label, findings.add)
    findings.finish()
    allow_negative = settings.policy.allow_negative

    def made(some: Iterable[Declared]) -> tuple[Changeset, ...]:
        changesets = [
            Changeset(found, allow_negative=allow_negative, schema=schemas.get(found.account.name)) for found in some
        ]
        return tuple(sorted(changesets, key=lambda changeset: changeset.id))

    return Loaded(
        changesets=made(declared),
        left_out=made(reading.left_out(only)),
        problems=tuple(problems),
        unusable=tuple(Changeset(found, allow_negative=True, schema=None) for found in reading.unusable),
    )


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Pause the cyclic garbage collector. A large file is a million small values without garbage, and collecting would
    take most of the time of reading it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _ChangesetReader:
    """The documents and problems found in the files so far."""

    def __init__(
        self,
        settings: Settings,
        variables: Mapping[str, str],
        environ: Mapping[str, str] | None,
        known_sql: KnownSql | None,
        report: Callable[[Problem], None],
    ) -> None:
        self._settings = settings
        self._variables = variables
        self._environ = environ
        self._known_sql = known_sql
        self._report = report
        self._root = Path(settings.root).resolve()
        self._schema = DocumentSchema("changeset.v1")
        self._declared: dict[str, Declared] = {}
        self.unusable: list[Declared] = []

    def read(self, paths: Sequence[Path], command: str) -> None:
        """Every document of every file."""
        files, problems = find_documents(paths, self._root, command=command)
        for problem in problems:
            self._report(problem)
        for file in files:
            try:
                data = read_bounded(file, MAX_BYTES)
            except InputError as error:
                self._report(Problem(code=error.code, message=error.message, file=self.label(file), hint=error.hint))
                continue
            self._file(file, data)

    def selected(self, only: frozenset[str] | None) -> list[Declared]:
        """The requested changesets. Reports ids and variables that do not exist."""
        for name in sorted((only or frozenset()) - self._declared.keys()):
            hint = did_you_mean(name, self._declared)
            self._report(Problem(code="SE406", message=f"there is no changeset {name!r} in these files", hint=hint))
        chosen = [found for name, found in self._declared.items() if only is None or name in only]
        self._check_variables({name for found in chosen for name in found.vars})
        return chosen

    def _check_variables(self, known: Collection[str]) -> None:
        for name, value in sorted(self._variables.items()):
            if name not in known:
                hint = did_you_mean(name, known) or "declare it under vars, with a default"
                message = f"the variable {name!r} was given, but no changeset declares it"
                self._report(Problem(code="SE322", message=message, hint=hint))
            elif (character := unsendable(value)) is not None:
                self._report(Problem(code="SE235", message=f"the variable {name!r} holds {character}"))

    def left_out(self, only: frozenset[str] | None) -> list[Declared]:
        """The changesets that were not requested."""
        return [] if only is None else [found for name, found in self._declared.items() if name not in only]

    def label(self, file: Path) -> str:
        """Name of a file in problems and plans."""
        real = file.resolve()
        # Always relative: the location of a file on this machine must not affect a plan's digest.
        return Path(os.path.relpath(real, self._root)).as_posix()

    def _file(self, file: Path, data: bytes) -> None:
        label = self.label(file)
        documents, problems = read_documents(data, label)
        for problem in problems:
            self._report(problem)
        text = SourceText(data, label)
        around = ParseContext(
            settings=self._settings,
            folder=file.resolve().parent,
            file=label,
            overrides=self._variables,
            environ=self._environ,
            known_sql=self._known_sql,
        )
        for number, document in enumerate(documents):
            begins = document.line if number else 1
            end = documents[number + 1].line - 1 if number + 1 < len(documents) else None
            self._document(document, text, around, (begins, end))

    def _document(
        self, document: Document, text: SourceText, around: ParseContext, span: tuple[int, int | None]
    ) -> None:
        found: list[Problem] = []
        declared = parse_changeset(document, Place(text, found.append), around)
        if declared is not None:
            digest = text.digest(declared.line, span[1])
            declared = msgspec.structs.replace(declared, begins=span[0], ends=span[1], digest=digest)
        found += self._by_schema(document, text, found)
        for problem in sorted(found, key=lambda problem: (problem.line, problem.column)):
            self._report(problem)
        if declared is None:
            return
        if not declared.usable:
            self.unusable.append(declared)
            return
        first = self._declared.setdefault(declared.id, declared)
        if first is not declared:
            where = f"line {first.id_at.line}" if first.file == declared.file else f"{first.file}:{first.id_at.line}"
            hint = "the id is what the ledger knows a changeset by: give this one another"
            Place(text, self._report).problem(
                "SE401", f"the changeset {declared.id!r} is in {where} already", declared.id_at, hint=hint
            )

    def _by_schema(self, document: Document, text: SourceText, found: list[Problem]) -> list[Problem]:
        """Problems that the JSON Schema finds in lines without other problems, with messages that were not used yet."""
        node = document.node
        if node is None or (not found and _size(document) > _ALWAYS_HELD_TO_SCHEMA):
            return []
        said: set[int | str] = set().union(*((problem.line, problem.message) for problem in found))
        by_schema = self._schema.problems(node, text.file, text)
        return [problem for problem in by_schema if problem.line not in said and problem.message not in said]


def _size(document: Document) -> int:
    changes = document.node.get("changes") if isinstance(document.node, MappingNode) else None
    return len(changes.items) if isinstance(changes, SequenceNode) else 0


def _lead_schemas(
    accounts: Mapping[str, Account], label: Callable[[Path], str], report: Callable[[Problem], None]
) -> dict[str, LeadSchema]:
    """The lead schemas by account. Reports the unusable ones."""
    schemas: dict[str, LeadSchema] = {}
    for name, account in accounts.items():
        if account.lead_schema is None:
            continue
        loaded = LeadSchema.load(Path(account.lead_schema))
        if isinstance(loaded, LeadSchema):
            schemas[name] = loaded
        else:
            for problem in loaded:
                report(msgspec.structs.replace(problem, file=label(Path(problem.file))))
    return schemas
