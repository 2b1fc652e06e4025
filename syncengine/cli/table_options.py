"""Options for reading a table: `--sheet`, `--delimiter`, `--encoding`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from syncengine.core.errors import InputError

if TYPE_CHECKING:
    from syncengine.tables.sources import SourceOptions

F = TypeVar("F", bound=Callable[..., Any])


def table_options(command: F) -> F:
    """The three options, as parameters `delimiter`, `encoding` and `sheet`."""
    for option in (
        click.option("--sheet", metavar="NAME", help="Sheet of a spreadsheet; optional if there is only one."),
        click.option("--encoding", metavar="NAME",
                     help="CSV, JSON Lines: encoding, as in sources; by default UTF-8."),
        click.option("--delimiter", type=click.Choice((",", ";", "|", "tab")), help="CSV: cell delimiter."),
    ):  # fmt: skip
        command = option(command)
    return command


def source_options(file: Path, delimiter: str | None, encoding: str | None, sheet: str | None) -> SourceOptions:
    """What the options say of a table. Raises InputError where they do not belong to such a file."""
    from syncengine.tables.source_kinds import (
        known_suffixes,
        suffix_of,
        takes_delimiter,
        takes_encoding,
        takes_sheet,
    )
    from syncengine.tables.sources import SourceOptions

    _check_encoding(encoding)
    name = file.name if suffix_of(file.name) in known_suffixes() else "any.csv"
    for option, given, takes in (
        ("delimiter", delimiter, takes_delimiter),
        ("encoding", encoding, takes_encoding),
        ("sheet", sheet, takes_sheet),
    ):
        if given is not None and not takes(name):
            raise InputError(f"{file} has no {option}", code="SE901", hint=f"leave --{option} out")
    return SourceOptions(
        label=str(file),
        path=str(file),
        delimiter="\t" if delimiter == "tab" else delimiter,
        encoding=encoding or "utf-8",
        sheet=sheet,
        said_in="command",
    )


def _check_encoding(encoding: str | None) -> None:
    from syncengine.documents.did_you_mean import did_you_mean
    from syncengine.tables.encodings import ENCODINGS

    if encoding is not None and encoding not in ENCODINGS:
        hint = did_you_mean(encoding, ENCODINGS) or f"there are: {', '.join(ENCODINGS)}"
        raise InputError(f"the encoding {encoding!r} is not known", code="SE901", hint=hint)
