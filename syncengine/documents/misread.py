"""Detects text that YAML, or libyaml, reads differently from what was typed, from the raw lines around each value.

SE104 '#' without a space before it   SE117 value cut by ' #'              SE119 a list item joined to a text
SE116 anchor without an alias         SE118 '?' at the start of a text
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any

from syncengine.core.errors import Problem, Severity
from syncengine.documents.nodes import Node, Scalar, SourceText
from syncengine.documents.quoting import quoted

NEVER = 1 << 62
"""A line number that no file reaches."""

# Each begins with one literal character, for which the search of a large file is fast.
_HASH = re.compile(rb"#(?:(?<=[\]}\"',\[{>|+\-0-9]#)|(?<=[ \t]#)#*[^\s#])")
_QUESTION = re.compile(rb"\?(?<![^\s,\[{?:]\?)(?=\S)")
# Compiled on first use: most files contain nothing suspicious.
_CUT = r"[ \t]+(#+[^\s#].*)"
_TOUCHING = r"#|[ \t]*,#"
_HEADER = r"[|>][-+0-9]*#"
_ITEM = r"[ \t]*-(?:[ \t]|$)"
_FLOW_END = r"[ \t]*[,\]}].*"
QUOTING = frozenset({"SE106", "SE116", "SE117", "SE118", "SE119"})
"""Codes whose messages and hints quote what was typed."""
_SHOWN = 60


class Misreadings:
    """Checks the scalars of one file, in file order. `next_line` is the next line with something suspicious: for all
    other lines the comparison with it is the only cost."""

    def __init__(self, data: bytes, source: SourceText, report: Callable[[Problem], None]) -> None:
        self._source = source
        self._report = report
        self._marked = (0, 0)
        self._lines = self._suspicious(data)
        self.next_line = next(self._lines, NEVER)

    def scalar(self, event: Any, node: Scalar, end: tuple[int, int], *, is_key: bool, flow: bool) -> None:
        """Check one scalar. `end` is the line and the column (from 0) after its last character; `flow`: it is inside
        brackets or braces."""
        if node.plain and end[0] > node.line:
            self._joined(node, end[0])
        if not self._reached(node.line, end[0]):
            return
        if node.line == end[0] or not node.plain:
            self._question_mark(node)
        if event.style in ("|", ">"):
            self._block_header(node)
            return
        if node.plain and not is_key:
            self._cut(node, *end, flow=flow)
        self.after(*end)

    def _block_header(self, node: Scalar) -> None:
        header = re.match(_HEADER, self._source.line(node.line)[node.column - 1 :])
        if header is not None:
            self._hash(node.line, node.column - 1 + header.end())

    def after(self, line: int, column: int) -> None:
        """Check the characters after the end of a text or of a bracket; `column` counts from 0."""
        if not self._reached(line, line):
            return
        raw = self._source.line(line)
        touching = re.match(_TOUCHING, raw[column:])
        # A plain scalar includes a '#' that touches it. Only a token with an end of its own can be followed by one.
        if touching is not None:
            self._hash(line, column + touching.end())

    def _suspicious(self, data: bytes) -> Iterator[int]:
        at = self._source.line_at
        hashes = (at(match.start()) for match in _HASH.finditer(data))
        return merge(hashes, (at(match.start()) for match in _QUESTION.finditer(data)))

    def _reached(self, first: int, last: int) -> bool:
        while self.next_line < first:
            self.next_line = next(self._lines, NEVER)
        return self.next_line <= last

    def _question_mark(self, node: Scalar) -> None:
        raw = self._source.line(node.line)
        place = (node.line, node.column)
        if node.column < 2 or raw[node.column - 2] != "?" or place == self._marked:
            return
        self._marked = place  # A lone '?' yields an empty key and an empty value, both at this position.
        typed = f"?{node.text}"
        self._problem(
            "SE118",
            f"{shown(typed)} is read without its '?', which marks a key inside [ ] and {{ }}",
            node.line,
            node.column - 1,
            f"put the text into quotes: {quoted(typed[:_SHOWN])}",
        )

    def _cut(self, node: Scalar, line: int, column: int, *, flow: bool) -> None:
        raw = self._source.line(line)
        cut = re.match(_CUT, raw[column:])
        if cut is None or (not node.text and raw[column - 1 : column] not in (":", "-")):
            return
        gap = cut[0][: cut.start(1)] if node.text else ""
        rest = (re.sub(_FLOW_END, "", cut[1]) if flow else cut[1]).rstrip() or cut[1].rstrip()
        whole = quoted(f"{node.text}{gap}{rest}")
        what = f"the value {shown(node.text)} ends" if node.text else "the value is empty"
        self._problem(
            "SE117",
            f"{what} before {shown(rest)}, which is read as a comment",
            line,
            column + cut.start(1) + 1,
            f"if it belongs to the value, put it all into quotes: {whole}; if it is a comment, write a space after #",
            warning=True,
        )

    def _joined(self, node: Scalar, last: int) -> None:
        for line in range(node.line + 1, last + 1):
            raw = self._source.line(line)
            if re.match(_ITEM, raw):
                self._problem(
                    "SE119",
                    f"this line is joined to the text above it, as {shown(node.text)}",
                    line,
                    len(raw) - len(raw.lstrip()) + 1,
                    "move an item of a list to the column of the other '- '; put a text that goes on here into quotes",
                    warning=True,
                )
                return

    def _hash(self, line: int, column: int) -> None:
        self._problem(
            "SE104",
            "'#' directly after a value: it begins a comment only after a space",
            line,
            column,
            "write a space before #, or put the whole value into quotes",
        )

    def _problem(self, code: str, message: str, line: int, column: int, hint: str, *, warning: bool = False) -> None:
        severity: Severity = "warning" if warning else "error"
        self._report(self._source.problem(code, message, line, column, hint=hint, severity=severity))


class Anchor:
    """One anchor definition. `node` is None while its collection is being read; `typed` is the source text."""

    __slots__ = ("column", "line", "node", "read", "typed", "used")

    def __init__(self, line: int, column: int, typed: str, read: str) -> None:
        self.line = line
        self.column = column
        self.typed = typed
        self.read = read
        self.node: Node | None = None
        self.used = False

    def unused(self, name: str, source: SourceText) -> Problem | None:
        """The problem for an anchor that no alias uses; None where one does."""
        if self.used:
            return None
        if self.read:
            message = f"{shown(self.typed)} is read as {shown(self.read)}: &{name} is an anchor, and no alias uses it"
            hint = f"put the text into quotes: {quoted(self.typed)}; or remove the anchor"
        else:
            message = f"the anchor &{name} is used by no alias (*{name})"
            hint = f"remove it; put a text that begins with & into quotes: {quoted(self.typed)}"
        return source.problem("SE116", message, self.line, self.column, hint=hint)


def shown(text: str) -> str:
    """A text for a message, cut where it is long."""
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
