"""History as CSV whose cells no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from operator import attrgetter

from syncengine.core.redaction import visible
from syncengine.core.results import HistoryRow

# Spreadsheets ignore blanks, and some quotes, before a formula, and read wide and small signs like their plain forms.
# Those of many countries begin a cell at a semicolon, with or without quotes around it.
_FORMULA = re.compile(r'(?:^|(?<=;))(?=[ "]*[=+@|%\-＝＋＠｜％－﹦﹢﹫﹪﹣])')

HISTORY_COLUMNS = ("operation", "changeset", "lead", "kind", "outcome", "attempts", "run", "at", "message", "note")


class _Line:
    """A file for the csv module: what writes a row returns it."""

    def write(self, line: str) -> str:
        return line


def history_csv(rows: Iterable[HistoryRow]) -> Iterator[str]:
    """History as CSV with a header, line by line; cells that a spreadsheet would run as formulas are defused."""
    write: Callable[[Iterable[str]], str] = csv.writer(_Line(), lineterminator="\n").writerow
    yield write(HISTORY_COLUMNS)
    cells = attrgetter(*HISTORY_COLUMNS)
    for row in rows:
        yield write(map(defused_cell, cells(row)))


# Changeset, kind, run and messages are the same in many rows.
@lru_cache(maxsize=4096)
def defused_cell(value: object) -> str:
    """A value on one line, as a cell that no spreadsheet runs as a formula."""
    text = visible(str(value))
    # Most cells are ids and times, which begin with a letter or digit.
    return text if text[:1].isalnum() and ";" not in text else _FORMULA.sub("'", text)
