"""The table to look up: looked through before anything is asked, then read again in the same state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from syncengine.core.errors import InputError, Problem
from syncengine.core.problem_limit import ByCause, ProblemLimit
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.tables.cells import shown_cell
from syncengine.tables.csv_dialect import CsvDialect
from syncengine.tables.source_kinds import dialect_of
from syncengine.tables.source_kinds import open_table as open_source
from syncengine.tables.sources import NumberedRow, Source, SourceError, SourceOptions

_LISTED = 20


class LookupTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table that can be read from end to end. `digest` is the SHA-256 of its file."""

    source: Source
    columns: tuple[str, ...]
    count: int
    digest: str
    dialect: CsvDialect
    notes: tuple[Problem, ...]

    def rows(self) -> Iterator[NumberedRow]:
        """The rows again. Raises InputError (SE319) where the file is not what it was."""
        try:
            for row in self.source.rows(self._report):
                if row[0] > self.count:
                    raise self._changed()
                yield row
        except SourceError as error:
            raise unusable(error.problem) from error

    def _report(self, problem: Problem) -> None:
        if problem.severity == "error":
            raise self._changed()

    def _changed(self) -> InputError:
        message = f"{self.source.label}: the file changed while it was being read"
        return InputError(message, code="SE319", hint="start again")

    def text(self, row: dict[str, str], name: str) -> str:
        """A cell as the file shows it; "" where a row of objects lacks it."""
        return shown_cell(row.get(name, ""))

    def place(self, number: int, line: int) -> str:
        """A row in words."""
        where = self.source.place(line)
        return f"row {number} ({where})" if line and where else f"row {number}"


def open_table(options: SourceOptions, column: str, added: Sequence[str]) -> LookupTable:
    """Read a table to its end. Raises InputError with everything that is wrong; `added` must not be among its columns.

    Columns are looked at before the rows, where the file names them.
    """
    problems: list[Problem] = []
    notes: list[Problem] = []
    capped = ProblemLimit(problems.append)
    causes = ByCause(capped.add)

    def report(problem: Problem) -> None:
        causes.add(problem) if problem.severity == "error" else notes.append(problem)

    try:
        source = open_source(options)
        columns = source.columns()
        if columns is not None:
            _check(columns, column, added, options)
        names: dict[str, None] = dict.fromkeys(columns or ())
        count = 0
        for count, _, row in source.rows(report):  # noqa: B007  # the number of the last row is their count
            if columns is None:
                names.update(dict.fromkeys(row))
        dialect = dialect_of(source)
    except SourceError as error:
        raise unusable(error.problem) from error
    causes.finish()
    capped.finish()
    _refuse(problems)
    if columns is None:
        _check(tuple(names), column, added, options)
    if count == 0:
        raise unusable(options.problem("SE525", "the table has no rows", line=1, hint="is it the right file?"))
    return LookupTable(
        source=source,
        columns=tuple(names),
        count=count,
        digest=source.digest or "",
        dialect=dialect,
        notes=tuple(notes),
    )


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        first = problems[0]
        message = f"nothing was looked up: {first.message}{more}"
        raise InputError(message, code=first.code, hint=first.hint, problems=problems)


def unusable(problem: Problem) -> InputError:
    """The end of a lookup whose table cannot be used."""
    return InputError(problem.message, code=problem.code, hint=problem.hint, problems=(problem,))


def _check(columns: Sequence[str], column: str, added: Sequence[str], options: SourceOptions) -> None:
    taken = [name for name in added if name in columns]
    if taken:
        named = " and ".join(repr(name) for name in taken)
        message = f"the table has a column {named} already, which lookup would add"
        hint = "rename or delete it; or look up the table as it was before"
        raise unusable(options.problem("SE524", message, line=1, hint=hint))
    if column not in columns:
        listed = ", ".join(repr(name) for name in columns[:_LISTED])
        hint = did_you_mean(column, columns) or f"there are: {listed}"
        raise unusable(options.problem("SE525", f"there is no column {column!r}", line=1, hint=hint))
