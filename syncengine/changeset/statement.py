"""Checks the SQL of a source before any database sees it: one SELECT with an explicit order.

These checks give clear errors in the changeset. They do not guarantee that nothing is written: that is ensured by
opening the databases read-only.
"""

from __future__ import annotations

import re

import msgspec

MAX_STATEMENT = 20_000
"""Longest statement, in characters."""

_TOKENS = re.compile(
    r"(?P<blank>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[A-Za-z_][^\[\]\n]*\]"
    r"|\$(?P<tag>[A-Za-z_]?[A-Za-z0-9_]*)\$.*?\$(?P=tag)\$)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_READING = frozenset({"SELECT", "VALUES"})
_VERBS = _READING | {"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TABLE"}
_UNCLOSED = {"'": "a quote is not closed", '"': "a quoted name is not closed", "`": "a quoted name is not closed"}


class StatementFault(msgspec.Struct, frozen=True):
    """Why a statement is refused; `offset` counts characters from 0."""

    message: str
    offset: int
    hint: str = ""


class SelectStatement(msgspec.Struct, frozen=True):
    """One SELECT (or WITH ... SELECT, or VALUES) with an ORDER BY, without a closing semicolon."""

    sql: str


def checked_statement(sql: str) -> SelectStatement | StatementFault:
    """`sql` as a statement, or its fault."""
    if len(sql) > MAX_STATEMENT:
        return StatementFault(f"the statement has {len(sql):,} characters, more than {MAX_STATEMENT:,}", 0)
    scan = _Scan()
    for match in _TOKENS.finditer(sql):
        fault = scan.take(match)
        if fault is not None:
            return fault
    return scan.verdict() or SelectStatement(sql if scan.end is None else sql[: scan.end])


class _Scan:
    """State of the scan, outside of quotes and comments."""

    def __init__(self) -> None:
        self.end: int | None = None
        self._depth = 0
        self._first = ""
        self._verb = ""
        self._previous = ""
        self._ordered = False

    def take(self, match: re.Match[str]) -> StatementFault | None:
        """Process the next token."""
        if match["blank"] is not None:
            return None
        if self.end is not None:
            return StatementFault("there is more than one statement", match.start(), "a source is one SELECT")
        word = (match["word"] or "").upper()
        fault = self._word(word, match.start()) if word else self._sign(match)
        if self._first == "":
            self._first = word or match.group()[0]
        self._previous = word
        return fault

    def _word(self, word: str, offset: int) -> StatementFault | None:
        if self._first == "" and word not in _READING and word != "WITH":
            return StatementFault(f"the statement begins with {word}", offset, "a source is one SELECT")
        if self._depth:
            return None
        if word in _VERBS and not self._verb:
            self._verb = word
            if word not in _READING:
                return StatementFault(f"the statement is {word}, not a SELECT", offset, "a source only reads")
        if word == "INTO":
            return StatementFault("SELECT ... INTO writes a table", offset, "a source only reads")
        self._ordered |= (self._previous, word) == ("ORDER", "BY")
        return None

    def _sign(self, match: re.Match[str]) -> StatementFault | None:
        sign, offset = match["other"], match.start()
        if sign in _UNCLOSED:
            return StatementFault(_UNCLOSED[sign], offset)
        if match.string.startswith(("{{", "{%", "/*"), offset):
            comment = sign == "/"
            hint = "" if comment else "use the columns of its rows in templates, and when: to choose among them"
            return StatementFault(
                "a comment is not closed" if comment else "templates are not rendered in SQL", offset, hint
            )
        if sign == ";":
            self.end = offset
        elif sign == "(":
            self._depth += 1
        elif sign == ")":
            self._depth -= 1
        return None

    def verdict(self) -> StatementFault | None:
        """What is missing at the end of the statement."""
        if self._verb == "":
            return StatementFault(
                "there is no SELECT", 0, "write SELECT lead_id, postcode FROM repairs ORDER BY lead_id"
            )
        if not self._ordered:
            hint = "end it with ORDER BY and columns that no two rows share: ORDER BY lead_id"
            return StatementFault("the SELECT has no ORDER BY: its rows would come in any order", 0, hint)
        return None
