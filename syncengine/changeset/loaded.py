"""Loaded changesets: their facts, and their items as a stream that can be read repeatedly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from syncengine.changeset.checks import Checks
from syncengine.changeset.conflicts import Settling
from syncengine.changeset.declared import Declared, Place
from syncengine.changeset.expand import Around, Expansion
from syncengine.changeset.inline_source import InlineSource, UnusableSource
from syncengine.changeset.sql_source import SqlSource
from syncengine.core.changes import ChangeFacts, ChangesetFacts, Item
from syncengine.core.errors import Problem
from syncengine.core.problem_limit import OVERFLOW, ByCause, ProblemLimit
from syncengine.core.values import ChangesetId
from syncengine.documents.claims import ClaimStore
from syncengine.documents.lead_schema import LeadSchema
from syncengine.tables.sources import Report, Source

_NOT_FILES = (SqlSource, InlineSource, UnusableSource)


class Changeset:
    """One changeset, ready to be rendered."""

    def __init__(self, declared: Declared, *, allow_negative: bool, schema: LeadSchema | None) -> None:
        self._declared = declared
        self._allow_negative = allow_negative
        self._schema = schema
        self._changes: tuple[ChangeFacts, ...] = ()

    @property
    def id(self) -> ChangesetId:
        """Its identity."""
        return self._declared.id

    @property
    def account(self) -> str:
        """Name of its account."""
        return self._declared.account.name

    @property
    def files(self) -> tuple[str, ...]:
        """Its own file and the names of its sources: files relative to the repository, or other names."""
        return (self._declared.file, *(source.label for source in self._declared.sources.values()))

    @property
    def sources(self) -> Mapping[str, Source]:
        """Its sources by name."""
        return self._declared.sources

    def changes_by_source(self) -> dict[str, tuple[str, ...]]:
        """The labels of the changes that read each source, for sources that a change reads."""
        found: dict[str, tuple[str, ...]] = {}
        for change in self._declared.changes:
            if change.source is not None:
                found[change.source.text] = (*found.get(change.source.text, ()), change.label)
        return found

    @property
    def data_files(self) -> tuple[str, ...]:
        """The files of its sources, relative to the repository."""
        sources = self._declared.sources.values()
        return tuple(source.label for source in sources if not isinstance(source, _NOT_FILES))

    @property
    def linked(self) -> bool:
        """Whether the path of a file source leads through a symbolic link."""
        return self._declared.linked

    def document(self) -> bytes:
        """The text of its own document, with what precedes its content."""
        declared = self._declared
        return declared.text.bytes_of(declared.begins, declared.ends)

    def facts(self) -> ChangesetFacts:
        """Facts besides the items. Digests of sources are complete once `items` was read to the end."""
        declared = self._declared
        digests = {name: source.digest for name, source in declared.sources.items()}
        return ChangesetFacts(
            id=declared.id,
            account=declared.account.name,
            title=declared.title,
            description=declared.description,
            file=declared.file,
            line=declared.line,
            vars=declared.vars,
            sources={name: digest for name, digest in digests.items() if digest is not None},
            changes=self._changes,
            digest=declared.digest,
        )

    def offline(self) -> Changeset:
        """A copy that opens no connection: reading a source that needs one is an error."""
        return self._with_sql(lambda source: source.reached("offline"))

    def apart(self) -> Changeset:
        """A copy whose rows from databases may differ from those that this one reads, since it reads them again."""
        return self._with_sql(lambda source: source.again())

    def _with_sql(self, copied: Callable[[SqlSource], SqlSource]) -> Changeset:
        sources = {
            name: copied(source) if isinstance(source, SqlSource) else source
            for name, source in self._declared.sources.items()
        }
        declared = msgspec.structs.replace(self._declared, sources=sources)
        return Changeset(declared, allow_negative=self._allow_negative, schema=self._schema)

    def items(self, report: Report) -> Iterator[Item]:
        """Every item, in declared order and then row order, rendered lazily.

        Problems (the first 100 of a kind, then their number) go to `report` during iteration, and the faulty items are
        left out of the stream. Use the items only if no error was reported until the end.
        """
        findings = ProblemLimit(report)
        yield from self.unlimited_items(findings.add)
        findings.finish()

    def unlimited_items(self, report: Report) -> Iterator[Item]:
        """The same with every finding, one for each cause."""
        declared = self._declared
        by_cause = ByCause(report, written_in=declared.file)
        place = Place(declared.text, by_cause.add)
        checks = {
            skip: Checks(declared.account, allow_negative=self._allow_negative, skip_empty=skip)
            for skip in (False, True)
        }
        around = Around(declared=declared, checks=checks, schema=self._schema, place=place, read=set(), told=set())
        changes: list[ChangeFacts] = []
        with ClaimStore() as claims:
            settling = Settling(declared, place, claims)
            for change in declared.changes:
                expansion = Expansion(change, around)
                if expansion.prepare():
                    for item in expansion.items():
                        settled = settling.settle(item, change)
                        if settled is not None:
                            yield settled
                facts = expansion.facts()
                if facts is not None:
                    changes.append(facts)
        by_cause.finish()
        self._changes = tuple(changes)


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Contents of the files: changesets ordered by id, and every problem of the changesets' text.

    Data is not read yet; `validate` reads it, and so does iterating over the items.
    """

    changesets: tuple[Changeset, ...]
    problems: tuple[Problem, ...]
    unusable: tuple[Changeset, ...] = ()
    """Changesets with an invalid id or account. `validate` looks for further problems in them."""
    left_out: tuple[Changeset, ...] = ()
    """Changesets of the same files that were not chosen, ordered by id."""

    def choose(self, chosen: Callable[[Changeset], bool]) -> Loaded:
        """The same with some of its changesets left out."""
        kept = tuple(changeset for changeset in self.changesets if chosen(changeset))
        others = [changeset for changeset in self.changesets if changeset not in kept]
        left_out = sorted((*self.left_out, *others), key=lambda changeset: changeset.id)
        return msgspec.structs.replace(self, changesets=kept, left_out=tuple(left_out))

    def alone(self, changeset: Changeset) -> Loaded:
        """One of its changesets, with the warnings about its own file."""
        mine = frozenset(changeset.files)
        problems = tuple(problem for problem in self.problems if problem.file in mine)
        return msgspec.structs.replace(self, changesets=(changeset,), problems=problems, left_out=())

    def offline(self) -> Loaded:
        """A copy that opens no connection: reading a source that needs one is an error."""
        return msgspec.structs.replace(self, changesets=tuple(changeset.offline() for changeset in self.changesets))


def validate(loaded: Loaded) -> list[Problem]:
    """Every problem, rows included: the first 100 of a kind, then their number; by file and line."""
    found: list[Problem] = []
    findings = ProblemLimit(found.append)
    for problem in loaded.problems:
        findings.add(problem)
    for changeset in (*loaded.changesets, *loaded.unusable):
        for _ in changeset.unlimited_items(findings.add):
            pass
    found.sort(
        key=lambda problem: (problem.code == OVERFLOW, problem.file, problem.line, problem.column, problem.row or 0)
    )
    findings.finish()
    return found
