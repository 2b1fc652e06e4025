"""A changeset as written: typed parts with their positions. Templates are not rendered yet."""

from __future__ import annotations

from typing import Literal

import msgspec

from syncengine.core.errors import Severity
from syncengine.core.settings import Account
from syncengine.core.text import Variable
from syncengine.core.values import ChangesetId
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence, SourceText
from syncengine.tables.sources import Report, Source

Named = tuple[str, Scalar]
Action = Literal["reprocess", "release", "reject"]


class DeclaredChange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One item of `changes`. `leads` holds one template where `source` is given, quarantine ids where `quarantined`.

    `generation` is that of its irreversible operations; `label` is its own id, or "#3" for the third without one.
    """

    label: str
    line: int
    column: int
    leads: tuple[Scalar, ...]
    quarantined: bool = False
    source: Scalar | None = None
    when: Scalar | None = None
    update: tuple[Named, ...] = ()
    action: Action | None = None
    trigger: tuple[Scalar, ...] = ()
    payout: Scalar | None = None
    revenue: Scalar | None = None
    buyer: Scalar | None = None
    returned_by: Scalar | None = None
    """The buyer of a return; the reason is sent with it."""
    reason: Scalar | None = None
    generation: int = 1
    expect: tuple[Named, ...] = ()
    skip_empty: bool = False


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One changeset. `file` is relative to the repository. `vars` are the effective ones.

    `usable` is False where its id or account is invalid. Placeholders then replace them, so that further problems can
    be found.
    """

    id: ChangesetId
    id_at: Scalar
    account: Account
    title: str
    description: str
    file: str
    line: int
    vars: dict[str, Variable]
    sources: dict[str, Source]
    changes: tuple[DeclaredChange, ...]
    text: SourceText
    usable: bool = True
    begins: int = 1
    """The line where its document begins; 1 for the first document of a file, whatever precedes it."""
    ends: int | None = None
    """The last line of its document; None for the last document of a file."""
    digest: str = ""
    """SHA-256 of the document's own text from `line` on, wherever it is in its file."""
    linked: bool = False
    """Whether the path of a file source leads through a symbolic link."""


class Place:
    """Reports problems at nodes of one file."""

    def __init__(self, text: SourceText, report: Report) -> None:
        self.text = text
        self.report = report

    def problem(
        self,
        code: str,
        message: str,
        node: Node | DeclaredChange,
        *,
        hint: str = "",
        severity: Severity = "error",
        row: int | None = None,
    ) -> None:
        """One problem, with its line."""
        problem = self.text.problem(code, message, node.line, node.column, hint=hint, severity=severity)
        self.report(problem if row is None else msgspec.structs.replace(problem, row=row))


def kind_in_words(node: Node) -> str:
    """Name of a node's type, for messages."""
    match node:
        case Scalar():
            return "a text"
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"


_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def is_null(node: Node) -> bool:
    """Whether the value is missing: plain null, ~ or nothing."""
    return type(node) is Scalar and node.plain and node.text in _NULLS
