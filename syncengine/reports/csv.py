"""History as CSV whose cells no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from syncengine.core.redaction import visible
from syncengine.core.results import HistoryRow

# Spreadsheets ignore blanks, and some quotes, before a formula, and read wide and small signs like their plain forms.
# Those of many countries begin a cell at a semicolon, with or without quotes around it.
_FORMULA = re.compile(r'(?:^|(?<=;))(?=[ "]*[=+@|%\-＝＋＠｜％－﹦﹢﹫﹪﹣])')

HISTORY_COLUMNS = ("operation", "changeset", "lead", "kind", "outcome", "attempts", "run", "at", "message", "note")


def history_csv(rows: Iterable[HistoryRow]) -> Iterator[str]:
    """History as CSV with a header, line by line; cells that a spreadsheet would run as formulas are defused."""
    yield _csv_line(HISTORY_COLUMNS)
    for row in rows:
        yield _csv_line([defused_cell(getattr(row, column)) for column in HISTORY_COLUMNS])


def _csv_line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def defused_cell(value: object) -> str:
    """A value on one line, as a cell that no spreadsheet runs as a formula."""
    text = visible(str(value))
    # Most cells are ids and times, which begin with a letter or digit.
    return text if text[:1].isalnum() and ";" not in text else _FORMULA.sub("'", text)
