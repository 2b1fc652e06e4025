"""Messages for libyaml's syntax errors that tell the author what to change."""

from __future__ import annotations

import re
from typing import NamedTuple

from yaml import MarkedYAMLError
from yaml.error import Mark

from syncengine.core.errors import Problem
from syncengine.documents.nodes import SourceText

_UNQUOTED_TEMPLATE = re.compile(r"""(?:^|[:\-,\[])\s*\{[{%#]|\}\}\s*[^\s,\]}#]|^[^"'#]*\{%""")
_ANCHOR_BEFORE = r"(?:^|[\s\[{,])[&*][\w-]+[ \t]*$"

QUOTE_TEMPLATE = 'put the whole value into quotes: "{{ row.postcode }}"'


class _Wording(NamedTuple):
    pattern: str
    message: str
    hint: str
    at_context: bool = False


_TAB = "indent with spaces, never with tabs"
_WORDINGS = (
    _Wording("tab character", "a tab where indentation is expected", _TAB),
    _Wording(
        "mapping values are not allowed",
        "a second ': ' where a value is expected",
        "quote a value that contains ': ', or check the indentation of this line and the one before",
    ),
    _Wording("unexpected end of stream", "this quoted text never ends", "add the closing quote", at_context=True),
    _Wording("unexpected document indicator", "this quoted text never ends", "add the closing quote", at_context=True),
    _Wording(
        "unknown escape character",
        "an unknown escape in a double-quoted text",
        "write a backslash as \\\\, or use single quotes, which know no escapes",
    ),
    _Wording(
        "invalid Unicode character escape",
        "this escape names no character",
        "write \\uXXXX or \\UXXXXXXXX with the number of a character",
    ),
    _Wording("did not find expected hexdecimal", "this escape lacks hexadecimal digits", "write \\xXX or \\uXXXX"),
    _Wording("expected ',' or ']'", "this list is not closed, or lacks a comma", "add the missing ',' or ']'"),
    _Wording("expected ',' or '}'", "this mapping is not closed, or lacks a comma", "add the missing ',' or '}'"),
    _Wording(
        "did not find expected '-' indicator",
        "this line does not belong to the list above it",
        "begin it with '- ', or move it to the column of the mapping that it belongs to",
    ),
    _Wording(
        "did not find expected key",
        "a 'key: value' pair is expected here",
        "check the indentation; a value that begins with a quote, [ or { must end with it, and a text that begins with "
        "& or * belongs into quotes",
    ),
    _Wording("could not find expected ':'", "this line lacks ': ' after its key", "write 'key: value'"),
    _Wording(
        "block sequence entries are not allowed",
        "a list item where none can be",
        "begin the list on a line of its own, below its key",
    ),
    _Wording("cannot start any token", "a value cannot begin with this character", "put the value into quotes"),
    _Wording(
        "expected <document start>",
        "something follows the end of the document",
        "begin a further document with '---' on a line of its own",
    ),
    _Wording(
        "expected node content",
        "a value is missing here, or begins with a character that means something else inside [ ] and { }",
        "put the value into quotes",
    ),
    _Wording(
        "unexpected ':'",
        "':' before a bracket or comma: the key lacks its value, or the text its quotes",
        "write 'key: value', or put a text that ends with ':' into quotes",
    ),
    _Wording(
        "mapping keys are not allowed", "a value cannot begin with '? ' or be a '?' alone", "put the value into quotes"
    ),
    _Wording("undefined alias", "this alias names no anchor", ""),
    _Wording("incompatible YAML document", "this YAML version is unknown", "remove the %YAML line"),
    _Wording("directive", "a line that begins with % is an instruction to YAML, and not a known one", "remove it"),
    _Wording("unexpected non-alphabetical", "a line begins with %", "put the text into quotes"),
    _Wording(
        "alphabetic or numeric character", "an anchor or alias lacks its name", "quote a text that begins with & or *"
    ),
)


def syntax_problem(error: MarkedYAMLError, source: SourceText, base: int) -> Problem:
    """The problem for a syntax error. `base` is the number of lines before the text that libyaml was given."""
    words = error.problem or "not valid YAML"
    wording = next((known for known in _WORDINGS if known.pattern in words), None)
    line, column = _place(_mark_of(error, wording), base)
    typed = _from_typed_text(source, line, column)
    if typed is not None:
        return typed
    if wording is None:
        return source.problem("SE104", f"not valid YAML: {words}", line, column)
    message = wording.message
    if "not closed" in message and error.context_mark is not None:
        opened_line, opened_column = _place(error.context_mark, base)
        message = f"{message} (opened in line {opened_line}, column {opened_column})"
    return source.problem("SE104", message, line, column, hint=wording.hint)


def _mark_of(error: MarkedYAMLError, wording: _Wording | None) -> Mark | None:
    if wording is not None and wording.at_context and error.context_mark is not None:
        return error.context_mark
    return error.problem_mark or error.context_mark


def _from_typed_text(source: SourceText, line: int, column: int) -> Problem | None:
    """The problem where the text of the line explains it better than libyaml does."""
    text = source.line(line)
    if _UNQUOTED_TEMPLATE.search(text):
        start = text.find("{{") + 1 or column
        return source.problem("SE108", "a template is not in quotes", line, start, hint=QUOTE_TEMPLATE)
    if text[column - 1 : column] == "\t":
        return source.problem("SE104", "a tab where indentation is expected", line, column, hint=_TAB)
    if re.search(_ANCHOR_BEFORE, text[: column - 1]):
        message = "an anchor or alias ends here, and this text does not belong to it"
        return source.problem("SE104", message, line, column, hint="quote a text that begins with & or *")
    return None


def _place(mark: Mark | None, base: int) -> tuple[int, int]:
    return (base + mark.line + 1, mark.column + 1) if mark is not None else (base + 1, 1)
