"""Writing a ledger's id into a configuration, in place: every other character stays, comments included."""

from __future__ import annotations

from syncengine.documents.nodes import Mapping, Node, Scalar
from syncengine.documents.reader import read_documents

_EMPTY = frozenset({"", "~", "null", "Null", "NULL"})


def pinned(text: str, ledger: str) -> str | None:
    """`text` with `ledger.id` set, or None where there is no place for it that keeps the rest as it is.

    A pin that is there already is never replaced: that is None too.
    """
    root = _root(text)
    if root is None:
        return None
    edited = _edited(text, root, ledger)
    return edited if edited is not None and pin_of(edited) == ledger else None


def pin_of(text: str) -> str | None:
    """The id under `ledger.id`, None where there is none."""
    root = _root(text)
    section = root.get("ledger") if root is not None else None
    node = section.get("id") if isinstance(section, Mapping) else None
    return node.text if isinstance(node, Scalar) and not _is_empty(node) else None


def _root(text: str) -> Mapping | None:
    documents, problems = read_documents(text.encode(), "syncengine.yaml")
    if (
        any(problem.severity == "error" for problem in problems)
        or len(documents) != 1
        or not isinstance(documents[0].node, Mapping)
    ):
        return None
    return documents[0].node


def _edited(text: str, root: Mapping, ledger: str) -> str | None:
    section, key = root.get("ledger"), root.key("ledger")
    if section is None or key is None:
        return _appended(text, root, ledger)
    if not isinstance(section, Mapping):
        return _after_key(text, key, section, f"{{id: {ledger}}}")
    node, name = section.get("id"), section.key("id")
    if node is not None and name is not None:
        return _after_key(text, name, node, ledger)
    if not section.entries or _opens_flow(text, section):
        return _into_flow(text, section, f"id: {ledger}")
    first = section.entries[0][0]
    return _insert_line(text, first.line, f"{' ' * (first.column - 1)}id: {ledger}")


def _appended(text: str, root: Mapping, ledger: str) -> str | None:
    if _opens_flow(text, root):
        return _into_flow(text, root, f"ledger: {{id: {ledger}}}")
    newline = _newline(text)
    end = "" if text.endswith(("\n", "\r")) else newline
    return f"{text}{end}{newline}ledger:{newline}  id: {ledger}{newline}"


def _after_key(text: str, key: Scalar, value: Node, new: str) -> str | None:
    """`key: null` and `key:` become `key: new`; a value that says something is left alone."""
    if not isinstance(value, Scalar) or not _is_empty(value):
        return None
    lines = text.splitlines(keepends=True)
    line = lines[key.line - 1]
    start = key.column - 1
    end = start + len(key.text) + (2 if line[start] in "\"'" else 0)
    before, colon, after = line[end:].partition(":")
    if before.strip() or not colon:
        return None
    rest = after.lstrip(" ").removeprefix(value.text) if value.line == key.line else after
    tail = rest if rest[:1] in ("", " ", ",", "}", "\r", "\n") else f" {rest}"
    lines[key.line - 1] = f"{line[:end]}{before}: {new}{tail}"
    return "".join(lines)


def _opens_flow(text: str, node: Mapping) -> bool:
    lines = text.splitlines()
    return lines[node.line - 1][node.column - 1 : node.column] == "{"


def _into_flow(text: str, node: Mapping, entry: str) -> str | None:
    if not _opens_flow(text, node):
        return None
    lines = text.splitlines(keepends=True)
    line = lines[node.line - 1]
    comma = ", " if node.entries else ""
    lines[node.line - 1] = f"{line[: node.column]}{entry}{comma}{line[node.column :]}"
    return "".join(lines)


def _insert_line(text: str, number: int, content: str) -> str:
    lines = text.splitlines(keepends=True)
    lines.insert(number - 1, content + _newline(text))
    return "".join(lines)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _is_empty(node: Scalar) -> bool:
    return node.plain and node.text in _EMPTY
