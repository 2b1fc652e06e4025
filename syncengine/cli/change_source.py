"""What a change says, read from its changeset as the file is now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from syncengine.core.errors import InputError
from syncengine.core.plan import PlannedOperation
from syncengine.core.redaction import Masker, visible
from syncengine.documents.files import read_bounded
from syncengine.documents.nodes import Mapping, Node, Scalar, Sequence
from syncengine.documents.reader import read_documents

_LARGEST = 16 << 20
"""Bytes of a changeset that is read to show one change."""
_LINES = 40
_PERSONAL = frozenset({"update", "expect"})
"""Keys whose literal values may be a person's."""


def declared(planned: PlannedOperation, root: Path, masker: Masker) -> tuple[str, ...]:
    """The change that declared `planned`, a line for each key, templates as written, literal field values masked.

    Empty where the file is gone, lies outside `root`, cannot be read, or holds no such change in that line any more.
    """
    path = root / planned.origin.file
    try:
        if not path.resolve().is_relative_to(root.resolve()):
            return ()
        documents, problems = read_documents(read_bounded(path, _LARGEST), planned.origin.file)
    except (InputError, OSError):
        return ()
    if any(problem.severity == "error" for problem in problems):
        return ()
    for document in documents:
        node = document.node
        if isinstance(node, Mapping) and _says(node, "changeset", planned.changeset):
            change = _change_at(node, planned.origin.line)
            if change is not None:
                lines = list(_lines(change, masker, ""))
                return tuple(lines[:_LINES])
    return ()


def _says(node: Mapping, name: str, text: str) -> bool:
    value = node.get(name)
    return isinstance(value, Scalar) and value.text == text


def _change_at(node: Mapping, line: int) -> Mapping | None:
    """The last change that begins on or before `line`: an item of a list of leads has its own line."""
    changes = node.get("changes")
    found = None
    for change in changes.items if isinstance(changes, Sequence) else ():
        if isinstance(change, Mapping) and change.line <= line:
            found = change
    return found


def _lines(node: Mapping, masker: Masker, above: str) -> Iterator[str]:
    for key, value in node.entries:
        name = visible(key.text)
        place = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from _lines(value, masker, f"{place}.")
        else:
            yield f"{place}: {_shown(value, key.text, masker, personal=above.rstrip('.') in _PERSONAL)}"


def _shown(value: Node, name: str, masker: Masker, *, personal: bool) -> str:
    match value:
        case Scalar(text=text):
            return masker.show(name, text) if personal and "{{" not in text else visible(text)
        case Sequence(items=items):
            told = [_shown(item, name, masker, personal=personal) for item in items[:10]]
            more = [f"and {len(items) - 10} more"] if len(items) > 10 else []
            return ", ".join([*told, *more])
        case Mapping():
            return "{...}"
