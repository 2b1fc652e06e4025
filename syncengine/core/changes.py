"""What a changeset declares, once rendered: the value that leaves the changeset package and enters planning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from syncengine.core.operations import Operation
from syncengine.core.text import Variable
from syncengine.core.values import ChangesetId, LeadId


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Source position of a declaration: path relative to the repository, line from 1, and the data row if there is one.

    `data` is the physical line of the row in its file, or its row number in a sheet. ChangeFacts names the file.
    """

    file: str
    line: int
    row: int | None = None
    data: int | None = None


class NameUse(msgspec.Struct, frozen=True):
    """A configured name that a change used, and the id that it resolved to."""

    kind: Literal["delivery", "buyer"]
    name: str
    target: str


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One change rendered for one lead.

    `operations` keep the declared order: the update first, then the action or the triggers, the financials last.
    `change` is the change's own id, or "#3" for the third without one. `skipped` counts fields that `skip_empty` left
    out. `expect` maps field names to the before-value they must have.
    """

    changeset: ChangesetId
    change: str
    lead: LeadId
    origin: Origin
    operations: tuple[Operation, ...]
    expect: dict[str, str] = {}
    names: tuple[NameUse, ...] = ()
    skipped: int = 0


class ChangeFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts of the rows of one change by result, and the origin of its values.

    A change has no facts when it has no source and all its leads were taken: every value was typed. `file` is the
    source's file, relative to the repository, "" where there is no file. `typed` names the fields, amounts,
    "buyer", "delivery" and "lead" whose values the changeset itself holds. `rows` counts leads where there is no
    source.
    """

    changeset: ChangesetId
    change: str
    source: str = ""
    file: str = ""
    typed: tuple[str, ...] = ()
    rows: int = 0
    taken: int = 0
    when: bool = False


def data_files(changeset: str, changes: Iterable[ChangeFacts]) -> tuple[str, ...]:
    """The files that a changeset's changes took rows from, relative to the repository."""
    files = (change.file for change in changes if change.changeset == changeset and change.file)
    return tuple(dict.fromkeys(files))


class ChangesetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that a plan records about a changeset besides its items. `vars` are the effective ones, `--var`
    included."""

    id: ChangesetId
    account: str
    title: str
    file: str
    line: int
    vars: Mapping[str, Variable]
    sources: dict[str, str]
    """Name to SHA-256 of the bytes read. Complete once the items were read to the end."""
    changes: tuple[ChangeFacts, ...] = ()
    """Counts of rows by result. Complete once the items were read to the end."""
    digest: str = ""
    """SHA-256 of the document's own text, wherever it is in its file."""
    description: str = ""
