"""One table of rows to correct, and one of rows of which something was done, in the dialect of their source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import IO

import msgspec

from syncengine.rejects.row_store import RowOperation, RowStore
from syncengine.rejects.verified_sources import VerifiedSource
from syncengine.reports.csv import defused_cell
from syncengine.tables.cells import shown_cell
from syncengine.tables.csv_dialect import CsvDialect
from syncengine.tables.sources import Row

ADDED = ("syncengine_outcome", "syncengine_message")
OPERATIONS = "syncengine_operations"
_OWN = frozenset({*ADDED, OPERATIONS})


class TableCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that were written: of which everything was rejected, or (some of it) not sent; and those done in part."""

    rejected: int = 0
    not_sent: int = 0
    partly: int = 0


def write_table(
    source: VerifiedSource, store: RowStore, rejected: IO[bytes] | None, partly: IO[bytes] | None
) -> TableCounts:
    """Write the source's rows, each once and in order. A file is None where no row belongs into it.

    Columns that an earlier table of this kind added are replaced. Raises Refusal where the source changed.
    """
    columns = [name for name in source.columns if name not in _OWN]
    dialect = source.dialect
    for file, added in ((rejected, ADDED), (partly, (*ADDED, OPERATIONS))):
        if file is not None:
            dialect.write(file, [[*columns, *added]])
    counts: Counter[str] = Counter()
    for number, _, row in source.rows():
        if store.is_settled(number):
            continue
        operations = store.operations(number)
        outcome = _outcome(operations)
        line = [*_cells(row, columns), outcome, _own_cell(_messages(operations), dialect)]
        if store.is_partly(number):
            counts["partly"] += 1
            _put(partly, dialect, [*line, _own_cell(_in_words(operations), dialect)])
        else:
            counts[outcome] += 1
            _put(rejected, dialect, line)
    return TableCounts(**counts)


def _put(file: IO[bytes] | None, dialect: CsvDialect, cells: Sequence[str]) -> None:
    assert file is not None, "the store counted a row that belongs into this file"
    file.write(dialect.line(cells).encode(dialect.encoding))


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    return [shown_cell(row.get(name, "")) for name in columns]


def _outcome(operations: Sequence[RowOperation]) -> str:
    """One word for a row. Of a row of which nothing was done, what the service refused is what there is to correct."""
    found = {each.outcome for each in operations}
    if "in_doubt" in found:
        return "in_doubt"
    if "applied" in found:
        return "partly"
    return "rejected" if "rejected" in found else "not_sent"


def _messages(operations: Sequence[RowOperation]) -> str:
    """The different messages, rejections first."""
    ordered = sorted(operations, key=lambda each: each.outcome != "rejected")
    return "; ".join(dict.fromkeys(each.message for each in ordered if each.message))


def _in_words(operations: Sequence[RowOperation]) -> str:
    return ", ".join(f"{each.kind} {each.operation} {each.outcome}" for each in operations)


def _own_cell(text: str, dialect: CsvDialect) -> str:
    """A cell of ours: no formula, and nothing that the encoding or a dialect without quotes cannot hold."""
    text = defused_cell(text).encode(dialect.encoding, "replace").decode(dialect.encoding)
    return text if dialect.quote is not None else text.replace(dialect.delimiter, " ")
