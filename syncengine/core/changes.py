"""What a changeset declares, once rendered: the value that leaves the changeset package and enters planning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from syncengine.core.operations import Operation
from syncengine.core.text import Variable
from syncengine.core.values import ChangesetId, LeadId


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where something was declared: path relative to the repository, line from 1, and the data row if there is one."""

    file: str
    line: int
    row: int | None = None


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
