"""Rows are streamed: a long table takes no more memory than a short one."""

import tracemalloc
from pathlib import Path

import pytest

from syncengine.tables.csv_source import CsvSource
from syncengine.tables.jsonl_source import JsonLinesSource
from syncengine.tables.sources import SourceOptions

_SLACK = 64 * 1024


def _peak(source: CsvSource | JsonLinesSource, rows: int) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in source.rows(lambda problem: None)) == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_hundred_thousand_rows_take_the_memory_of_a_thousand(tmp_path: Path, kind: str) -> None:
    peaks = []
    for count in (1_000, 100_000):
        path = tmp_path / f"rows{count}.{kind}"
        with path.open("w", encoding="utf-8") as file:
            if kind == "csv":
                file.write("lead_id,name\n")
                file.writelines(f"{number},Name {number}\n" for number in range(count))
            else:
                file.writelines(f'{{"lead_id": {number}, "name": "Name {number}"}}\n' for number in range(count))
        options = SourceOptions(label=path.name, path=str(path))
        peaks.append(_peak(CsvSource(options) if kind == "csv" else JsonLinesSource(options), count))
    assert peaks[1] < peaks[0] + _SLACK
