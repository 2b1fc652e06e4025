"""The kinds of table files, selected by file name suffix."""

from __future__ import annotations

from collections.abc import Callable

from syncengine.tables.csv_dialect import CsvDialect
from syncengine.tables.sources import Source, SourceOptions

Opener = Callable[[SourceOptions], Source]


def open_source(options: SourceOptions) -> Source | None:
    """The source for a file, selected by its suffix; None for an unknown suffix."""
    opener = _openers().get(suffix_of(options.label))
    return None if opener is None else opener(options)


def open_table(options: SourceOptions) -> Source:
    """The table in a file on the command line. Raises SourceError where no kind reads such files.

    Exports also use .json for JSON Lines, and any suffix for CSV.
    """
    from syncengine.tables.csv_source import CsvSource
    from syncengine.tables.jsonl_source import JsonLinesSource

    suffix = suffix_of(options.label)
    if suffix == ".json":
        return JsonLinesSource(options)
    if suffix in _OTHER_SHEETS:
        raise options.failure("SE320", "spreadsheets of this kind are not read", hint=hint_for(options.label))
    return open_source(options) or CsvSource(options)


def dialect_of(source: Source) -> CsvDialect:
    """Format of a CSV file that holds a source's rows: its own where it is CSV, else commas and UTF-8."""
    from syncengine.tables.csv_source import CsvSource

    return source.dialect() if isinstance(source, CsvSource) else CsvDialect()


def suffix_of(name: str) -> str:
    """The suffix of a file's name, in lower case: ".csv"."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > name.rfind("/") else ""


def known_suffixes() -> tuple[str, ...]:
    """The suffixes that `open_source` supports."""
    return tuple(_openers())


def takes_delimiter(name: str) -> bool:
    """Whether a file of this name has delimiters."""
    return suffix_of(name) in _DELIMITED


def takes_encoding(name: str) -> bool:
    """Whether a file of this name is text."""
    return suffix_of(name) not in _BINARY


def takes_sheet(name: str) -> bool:
    """Whether a file of this name has sheets."""
    return suffix_of(name) in _SHEETS


def hint_for(name: str) -> str:
    """Hint for a file that no kind of source reads."""
    if suffix_of(name) in _OTHER_SHEETS:
        return "open it in a spreadsheet program and save it as .xlsx"
    return f"their names end in {', '.join(known_suffixes())}"


_OTHER_SHEETS = frozenset({".xls", ".xlsm", ".xlsb", ".xltx", ".numbers", ".fods"})
_DELIMITED = frozenset({".csv", ".tsv", ".txt"})
_SHEETS = frozenset({".xlsx", ".ods"})
_BINARY = frozenset({".parquet", ".pq"}) | _SHEETS


def _openers() -> dict[str, Opener]:
    from syncengine.tables.columnar_source import ColumnarSource
    from syncengine.tables.csv_source import CsvSource
    from syncengine.tables.jsonl_source import JsonLinesSource
    from syncengine.tables.spreadsheet_source import SpreadsheetSource

    return {
        ".csv": CsvSource,
        ".tsv": CsvSource,
        ".txt": CsvSource,
        ".jsonl": JsonLinesSource,
        ".ndjson": JsonLinesSource,
        ".parquet": ColumnarSource,
        ".pq": ColumnarSource,
        ".xlsx": SpreadsheetSource,
        ".ods": SpreadsheetSource,
    }
