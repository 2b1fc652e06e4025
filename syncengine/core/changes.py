"""What a changeset declares, once rendered: the value that leaves the changeset package and enters planning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from syncengine.core.operations import Operation
from syncengine.core.text import Variable
from syncengine.core.values import ChangesetId, LeadId


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where something was declared: path relative to the repository, line from 1, and the data row if there is one.

    `data` is the row's physical line in its file, or its row in a sheet, where it came from one: ChangeFacts name it.
    """

    file: str
    line: int
    row: int | None = None
    data: int | None = None


class NameUse(msgspec.Struct, frozen=True):
    """A configured name that a change used, and the id it stood for."""

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
    """What became of the rows of one change, and which of its values came from them.

    There are none for a change without source whose leads were all taken: everything in it was typed. `file` is the
    source's file (with " SHEET" where it has several), "" where it is none. `typed` names fields, amounts, "buyer",
    "delivery" and "lead" where the changeset itself holds them. `rows` counts leads where there is no source.
    """

    changeset: ChangesetId
    change: str
    source: str = ""
    file: str = ""
    typed: tuple[str, ...] = ()
    rows: int = 0
    taken: int = 0
    when: bool = False


class ChangesetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan must know of a changeset besides its items. `vars` are the effective ones, `--var` included."""

    id: ChangesetId
    account: str
    title: str
    file: str
    line: int
    vars: Mapping[str, Variable]
    sources: dict[str, str]
    """Name to SHA-256 of the bytes read; known once the items have been read to the end."""
    changes: tuple[ChangeFacts, ...] = ()
    """What became of rows; complete once the items have been read to the end."""
    digest: str = ""
    """SHA-256 of the document's own text."""
    begins: int = 1
    """The line where the document begins in its file."""
    description: str = ""
