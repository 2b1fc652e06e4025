"""Validates that bytes are readable text: UTF-8 without characters that hide text or break lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from syncengine.core.errors import Problem
from syncengine.documents.nodes import SourceText

_CONTROL_BYTES = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CONTROL_CHARACTERS = re.compile("[\x80-\x9f\u2028\u2029\ufffe\uffff]|(?<!^)\ufeff")
_SHOWN = 100


def text_problems(data: bytes, source: SourceText) -> list[Problem]:
    """The defects of these bytes as text, each with its location; empty where there are none."""
    if not data.strip(b" \t\r\n\xef\xbb\xbf"):
        words = "the file is empty" if not data else "the file holds nothing but white space"
        return [Problem(code="SE101", message=words, file=source.file, line=1, column=1)]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [_whole(source, "the file is in UTF-16", "save it as UTF-8")]
    if b"\0" in data:
        line, column = source.position(data.index(b"\0"))
        return [_whole(source, "this is not a text file: it holds NUL bytes", "name a YAML file", line, column)]
    try:
        text = "" if data.isascii() else data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = source.position(error.start)
        hint = "save the file as UTF-8 (it may be in Latin-1 or Windows-1252)"
        return [_whole(source, "the file is not in UTF-8", hint, line, column)]
    return [_control(source, offset, code) for offset, code in sorted(_controls(data, text))[:_SHOWN]]


def _controls(data: bytes, text: str) -> Iterator[tuple[int, int]]:
    """The first control characters of `data`: byte offset and code. `text` is "" where all is ASCII."""
    for match in islice(_CONTROL_BYTES.finditer(data), _SHOWN):
        yield match.start(), match.group()[0]
    for character in islice(_CONTROL_CHARACTERS.finditer(text), _SHOWN):
        yield len(text[: character.start()].encode()), ord(character.group())


def _control(source: SourceText, offset: int, code: int) -> Problem:
    line, column = source.position(offset)
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    hint = f'remove it, or write "{escape}" in double quotes where it is meant'
    return source.problem("SE103", f"there is a control character U+{code:04X} here", line, column, hint=hint)


def _whole(source: SourceText, message: str, hint: str, line: int = 1, column: int = 1) -> Problem:
    return Problem(code="SE102", message=message, file=source.file, line=line, column=column, hint=hint)
