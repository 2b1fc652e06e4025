"""Strict YAML with positions: text as typed, no types, no tags, no merge keys, nothing twice, bounded in every way.

The tree is built from libyaml's events. libyaml's own composer is never used: it recurses in C and dies with the
process on deep nesting. Every problem carries one of these codes:

SE101 nothing in the file      SE104 syntax           SE107 merge key            SE110 nested too deeply
SE102 not UTF-8, or binary     SE105 key twice        SE108 unquoted template    SE111 aliases beyond the limits
SE103 control characters       SE106 explicit tag     SE109 key is not a text    SE112 directive

What is read as something else than what was typed has codes of its own, see misread.py.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from typing import Any

from yaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
)
from yaml._yaml import CParser

from syncengine.core.errors import Problem
from syncengine.documents.encoding import text_problems
from syncengine.documents.misread import NEVER, Anchor, Misreadings, shown
from syncengine.documents.nodes import Document, Mapping, Node, Scalar, Sequence, SourceText
from syncengine.documents.plain import plain
from syncengine.documents.syntax import QUOTE_TEMPLATE, syntax_problem

__all__ = ["Document", "Mapping", "Node", "Scalar", "Sequence", "SourceText", "plain", "read_documents"]

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_ALIASED_NODES = 100_000
MAX_PROBLEMS = 10_000
"""Number of problems in one file after which reading stops: each takes much more memory than the bytes that cause
it."""
_MAX_RESTARTS = 100

_DOCUMENT_START = re.compile(rb"(?:^|(?<=[\r\n]))---(?=[ \t\r\n]|$)")
_MERGE = "<<"
_LIBYAML_TOO_DEEP = "maximum nesting depth"
"""Since 0.2.6 libyaml limits nesting itself, far above our limit; looking ahead it may reach its limit before our
count."""


def read_documents(data: bytes, file: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a file and all of its problems. Never raises, whatever the bytes.

    Documents are also returned where there are problems (without the faulty parts), so that later checks can find more.
    After a syntax error, reading continues at the next '---'.
    """
    source = SourceText(data, file)
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        hint = "move rows into a CSV or JSON Lines source: those are streamed"
        return [], [Problem(code="SE113", message=message, file=file, hint=hint)]
    problems = text_problems(data, source)
    if problems:
        return [], problems
    collecting = gc.isenabled()
    gc.disable()
    try:
        reading = _EventReader(source, data)
        reading.read(data)
    finally:
        if collecting:
            gc.enable()
    if not reading.documents and not reading.problems:
        hint = "a changeset begins with 'version: 1'"
        reading.problems.append(source.problem("SE101", "the file holds no document", 1, 1, hint=hint))
    return reading.documents, reading.problems


class _Stop(Exception):
    """Reading this file cannot continue; the problem has been reported."""


class _Frame:
    """A collection under construction. `keys` is None for lists; `key` waits for its value."""

    __slots__ = ("anchor", "dropped", "firsts", "flow", "indexed", "is_key", "items", "key", "keys", "node")

    def __init__(self, node: Mapping | Sequence | None, items: list[Any], keys: set[str] | None) -> None:
        self.node = node
        self.items = items
        self.keys = keys
        self.key: Scalar | None = None
        self.anchor: Anchor | None = None
        self.dropped: list[Scalar] | None = None
        self.flow = False
        self.is_key = False
        self.firsts: dict[str, Scalar] = {}
        self.indexed = 0

    def first(self, name: str) -> Scalar | None:
        """The first key of that name whose value was read. Each entry is visited once, however many names are looked
        up."""
        for key, _ in self.items[self.indexed :]:
            self.firsts.setdefault(key.text, key)
        self.indexed = len(self.items)
        return self.firsts.get(name)

    def leave_out_dropped(self) -> None:
        if self.dropped:
            dropped = {id(key) for key in self.dropped}
            self.items[:] = [entry for entry in self.items if id(entry[0]) not in dropped]


class _EventReader:
    """One pass over the events of one file."""

    def __init__(self, source: SourceText, data: bytes) -> None:
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._source = source
        self._base = 0
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Anchor] = {}
        self._aliases = 0
        self._aliased_nodes = 0
        self._names: dict[str, str] = {}
        self._document_line = 1
        self._template_lines: set[int] = set()
        self._misreadings = Misreadings(data, source, self._add)

    def read(self, data: bytes) -> None:
        """Read to the end, restarting at the next document after a syntax error."""
        offset = 0
        for _ in range(_MAX_RESTARTS):
            try:
                self._events(CParser(data[offset:] if offset else data).get_event)
            except MarkedYAMLError as error:
                following = self._after_error(error, data, offset)
                if following is None:
                    return
                offset = following
                self._base = self._source.position(offset)[0] - 1
            except YAMLError as error:
                self.problems.append(self._source.problem("SE104", f"not valid YAML: {error}", self._base + 1, 1))
                return
            except _Stop:
                return
            else:
                return

    def _after_error(self, error: MarkedYAMLError, data: bytes, offset: int) -> int | None:
        """Report a syntax error; returns where the next document begins."""
        mark = error.problem_mark
        if mark is not None and _LIBYAML_TOO_DEEP in (error.problem or ""):
            self._too_deep(mark.line + 1 + self._base, mark.column + 1)
            return None
        problem = syntax_problem(error, self._source, self._base)
        if problem.line not in self._template_lines:
            self.problems.append(problem)
        return self._next_document(data, offset, error)

    def _next_document(self, data: bytes, offset: int, error: MarkedYAMLError) -> int | None:
        failed = self._base + 1 + (error.problem_mark.line if error.problem_mark is not None else 0)
        for match in _DOCUMENT_START.finditer(data, offset + 1):
            if self._source.position(match.start())[0] >= failed:
                return match.start()
        return None

    def _events(self, get_event: Callable[[], Any]) -> None:
        names, base = self._names, self._base + 1
        frame = _Frame(None, [], None)
        next_line = self._misreadings.next_line
        while True:
            event = get_event()
            kind = event.__class__
            # Nearly all events are scalars, so they are handled here: a method would cost a call for each.
            if kind is ScalarEvent:
                mark = event.start_mark
                text = event.value
                keys = frame.keys
                if keys is None or frame.key is not None:
                    node = Scalar(text, event.style == "", mark.line + base, mark.column + 1)
                    frame.items.append(node if keys is None else (frame.key, node))
                    frame.key = None
                else:
                    text = names.setdefault(text, text)
                    node = frame.key = Scalar(text, event.style == "", mark.line + base, mark.column + 1)
                    if text in keys:
                        self._odd_key(frame, node)
                    keys.add(text)
                if event.tag is not None or event.anchor is not None:
                    self._decorated(event, node)
                if (next_line < NEVER and event.end_mark.line + base >= next_line) or " - " in text:
                    next_line = self._look(event, node, frame)
            elif kind is StreamEndEvent:
                return
            else:
                frame = self._structure(kind, event, frame)

    def _look(self, event: Any, node: Scalar, frame: _Frame) -> int:
        """Check one scalar; returns the next line with something suspicious."""
        end = (event.end_mark.line + 1 + self._base, event.end_mark.column)
        self._misreadings.scalar(event, node, end, is_key=frame.key is node, flow=frame.flow)
        return self._misreadings.next_line

    def _structure(self, kind: type, event: Any, frame: _Frame) -> _Frame:
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            return self._open(kind, event, frame)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            return self._close(event, frame)
        if kind is AliasEvent:
            self._alias(event, frame)
        elif kind is DocumentStartEvent:
            return self._begin(event)
        elif kind is DocumentEndEvent:
            self._end(frame)
        return frame

    def _begin(self, event: Any) -> _Frame:
        self._stack = []
        self._anchors = {}
        line = event.start_mark.line + 1 + self._base
        if event.tags:
            self._report("SE112", "a %TAG directive declares tags, which are refused", line, 1, "remove it")
        self._document_line = line
        return _Frame(None, [], None)

    def _end(self, frame: _Frame) -> None:
        for name, anchor in self._anchors.items():
            self._unless_used(name, anchor)
        node = frame.items[0] if frame.items else None
        empty = node is None or (isinstance(node, Scalar) and node.plain and node.text == "")
        self.documents.append(Document(None if empty else node, self._document_line))

    def _open(self, kind: type, event: Any, frame: _Frame) -> _Frame:
        line, column = event.start_mark.line + 1 + self._base, event.start_mark.column + 1
        if len(self._stack) >= MAX_DEPTH:
            self._too_deep(line, column)
            raise _Stop
        self._stack.append(frame)
        items: list[Any] = []
        if kind is MappingStartEvent:
            child = _Frame(Mapping(items, line, column), items, {_MERGE})
        else:
            child = _Frame(Sequence(items, line, column), items, None)
        child.flow = bool(event.flow_style)
        if child.flow:
            self._misreadings.after(line, column)
        if frame.keys is not None and frame.key is None:
            child.is_key = True
            self._collection_key(frame, child, line, column)
        if event.tag is not None or event.anchor is not None:
            child.anchor = self._decorated(event, None)
        return child

    def _collection_key(self, frame: _Frame, child: _Frame, line: int, column: int) -> None:
        outer = frame.node
        doubled = outer is not None and frame.flow and child.flow and (outer.line, outer.column + 1) == (line, column)
        if doubled and isinstance(child.node, Mapping) and not frame.items:
            self._template_lines.add(line)
            self._report("SE108", "a template is not in quotes", line, column - 1, QUOTE_TEMPLATE)
        else:
            what = "mapping" if isinstance(child.node, Mapping) else "list"
            self._report("SE109", f"a {what} cannot be a key", line, column, "keys are texts")

    def _close(self, event: Any, frame: _Frame) -> _Frame:
        parent = self._stack.pop()
        node: Node = frame.node  # type: ignore[assignment]  # only the root has none, and it is never closed
        frame.leave_out_dropped()
        if frame.flow:
            self._misreadings.after(event.end_mark.line + 1 + self._base, event.end_mark.column)
            if node.line in self._template_lines and not frame.items and not frame.is_key:
                node = self._template_text(node, event)
        if frame.anchor is not None:
            frame.anchor.node = node
        if frame.is_key:
            parent.key = Scalar("", False, node.line, node.column)
            self._drop(parent, parent.key)
        else:
            self._place(parent, node)
        return parent

    def _template_text(self, node: Node, event: Any) -> Node:
        """The template as a text, as the author meant it, so that no follow-up errors are reported."""
        if event.end_mark.line + 1 + self._base != node.line:
            return node
        text = self._source.line(node.line)[node.column - 1 : event.end_mark.column]
        return Scalar(text, False, node.line, node.column) if text.startswith("{{") else node

    def _place(self, frame: _Frame, node: Node) -> None:
        if frame.keys is None:
            frame.items.append(node)
        else:
            frame.items.append((frame.key, node))
            frame.key = None

    def _drop(self, frame: _Frame, key: Scalar) -> None:
        if frame.dropped is None:
            frame.dropped = []
        frame.dropped.append(key)

    def _odd_key(self, frame: _Frame, key: Scalar) -> None:
        """Report a duplicate key or a merge key."""
        if key.text == _MERGE and key.plain:
            hint = "write the keys out, or use an anchor for a whole value"
            self._report("SE107", "merge keys ('<<') are refused", key.line, key.column, hint)
        else:
            first = frame.first(key.text)
            if first is None:
                return
            message = f"the key {shown(key.text)} is there twice (first in line {first.line})"
            self._report("SE105", message, key.line, key.column, "keep one of the two")
        self._drop(frame, key)

    def _decorated(self, event: Any, node: Scalar | None) -> Anchor | None:
        """Report an explicit tag; returns the anchor, where there is one."""
        line, column = event.start_mark.line + 1 + self._base, event.start_mark.column + 1
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            hint = "leave it out: every value is taken as the text typed; put a text that begins with ! into quotes"
            self._report("SE106", f"the explicit tag {shown(tag)} is refused", line, column, hint)
        name = event.anchor
        if name is None:
            return None
        if name in self._anchors:
            self._unless_used(name, self._anchors[name])
        self._anchors[name] = anchor = Anchor(line, column, *self._typed(event, node))
        anchor.node = node
        return anchor

    def _typed(self, event: Any, node: Scalar | None) -> tuple[str, str]:
        """The text at an anchor, and the part of it that is read as the value; for a collection, the anchor alone."""
        start, end = event.start_mark, event.end_mark
        if node is None or not node.plain or start.line != end.line:
            return f"&{event.anchor}", ""
        raw = self._source.line(start.line + 1 + self._base)
        return raw[start.column : end.column], node.text

    def _unless_used(self, name: str, anchor: Anchor) -> None:
        problem = anchor.unused(name, self._source)
        if problem is not None:
            self._add(problem)

    def _alias(self, event: Any, frame: _Frame) -> None:
        line, column = event.start_mark.line + 1 + self._base, event.start_mark.column + 1
        name = event.anchor
        node: Node = Scalar("", False, line, column)
        anchor = self._anchors.get(name)
        if anchor is None:
            self._report(
                "SE104", f"the alias *{shown(name)} names no anchor", line, column, "quote a text that begins with *"
            )
        elif anchor.node is None:
            anchor.used = True
            self._report("SE111", f"the alias *{shown(name)} contains itself", line, column, "write the value out")
        else:
            anchor.used = True
            self._count_alias(anchor.node, line, column)
            node = anchor.node
        if frame.keys is not None and frame.key is None:
            self._report("SE109", "an alias cannot be a key", line, column, "write the key out")
            frame.key = Scalar("", False, line, column)
            self._drop(frame, frame.key)
        else:
            self._place(frame, node)

    def _count_alias(self, target: Node, line: int, column: int) -> None:
        self._aliases += 1
        nodes, height = _measure(target)
        self._aliased_nodes += nodes
        if self._aliases > MAX_ALIASES:
            message = f"there are more than {MAX_ALIASES} aliases in this file"
        elif self._aliased_nodes > MAX_ALIASED_NODES:
            message = f"the aliases of this file repeat more than {MAX_ALIASED_NODES:,} values"
        elif len(self._stack) + height > MAX_DEPTH:
            message = f"with this alias the file is nested more than {MAX_DEPTH} levels deep"
        else:
            return
        self._report("SE111", message, line, column, "write the values out, or move rows into a source")
        raise _Stop

    def _too_deep(self, line: int, column: int) -> None:
        self._report("SE110", f"nested more than {MAX_DEPTH} levels deep", line, column, "no changeset needs this")

    def _report(self, code: str, message: str, line: int, column: int, hint: str) -> None:
        self._add(self._source.problem(code, message, line, column, hint=hint))

    def _add(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) == MAX_PROBLEMS:
            message = f"{MAX_PROBLEMS:,} problems were found up to here; the rest of the file was not read"
            hint = "is it a changeset at all?"
            self.problems.append(self._source.problem("SE104", message, problem.line, problem.column, hint=hint))
            raise _Stop


def _measure(node: Node) -> tuple[int, int]:
    """Number of nodes and height of a tree, aliases expanded. The reader limits both before they can do harm."""
    match node:
        case Scalar():
            return 1, 0
        case Mapping():
            parts = [_measure(value) for _, value in node.entries]
            own = 1 + len(node.entries)
        case Sequence():
            parts = [_measure(item) for item in node.items]
            own = 1
    return own + sum(count for count, _ in parts), 1 + max((height for _, height in parts), default=0)
