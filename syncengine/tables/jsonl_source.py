"""Rows from JSON Lines: one object per line, every value as the characters that were typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NoReturn

from syncengine.core.errors import Problem
from syncengine.tables.sources import NumberedRow, Report, Row, SourceOptions
from syncengine.tables.text_file import TextFile

_WORDS = {True: "true", False: "false"}


class JsonLinesSource:
    """A file of objects. Numbers keep their characters, booleans are true and false, null is a missing value."""

    def __init__(self, options: SourceOptions) -> None:
        self._file = TextFile(options)

    @property
    def label(self) -> str:
        """The file relative to the repository."""
        return self._file.options.label

    @property
    def digest(self) -> str | None:
        """SHA-256 once it was read to the end."""
        return self._file.digest

    def columns(self) -> None:
        """None: only the rows know their columns."""
        return

    def place(self, line: int) -> str:
        """The line, for messages."""
        return f"line {line}"

    def rows(self, report: Report) -> Iterator[NumberedRow]:
        """The rows. Lists and mappings are kept, and refused where a template uses one."""
        decode = json.JSONDecoder(
            parse_int=str, parse_float=str, parse_constant=_refuse_constant, object_pairs_hook=_object
        ).decode
        number = 0
        with self._file.open(newline="\n") as text:
            if self._file.doubt is not None:
                report(self._file.doubt)
            for line, content in enumerate(text.all, 1):
                if not content.strip():
                    continue
                number += 1
                try:
                    row = decode(content)
                except (ValueError, RecursionError) as error:
                    report(self._malformed(number, line, error))
                    continue
                if type(row) is not dict:
                    hint = "a file of one list is no JSON Lines: jq -c '.[]' makes it one" if type(row) is list else ""
                    report(self._malformed(number, line, ValueError("{...} was expected"), hint))
                    continue
                yield number, line, _texts(row)
            if number == 0:
                raise self._file.failure("SE312", "the file is empty", line=1, hint="write one JSON object a line")
            self._file.finish(text)

    def _malformed(self, row: int, line: int, error: Exception, hint: str = "") -> Problem:
        words = f"{error.msg} (column {error.colno})" if isinstance(error, json.JSONDecodeError) else str(error)
        return self._file.problem(
            "SE314", f"row {row} (line {line}) is no JSON object: {words}", line=line, row=row, hint=hint
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = sorted(name for name, _ in pairs)
        twice = next(name for name, following in pairwise(names) if name == following)
        raise ValueError(f"the key {twice!r} is there twice")
    return row


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")


def _texts(row: dict[str, Any]) -> Row:
    for value in row.values():
        if type(value) is not str:
            return {
                name: _WORDS[value] if type(value) is bool else value
                for name, value in row.items()
                if value is not None
            }
    return row
