"""The rows of a table, asked for one request after the other; what is known already is not asked again.

The service is not asked again for a row that was answered before an interruption, nor for a value that another row has:
the answers for the values of the last rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from syncengine.leadbyte.search import By, FoundLead, LeadsFound, SearchResult, moment_of, same_value
from syncengine.lookup.asking import Asker, UselessAnswer
from syncengine.lookup.notations import Notation, as_written, notations
from syncengine.lookup.progress_file import ProgressFile, RowAnswer
from syncengine.lookup.table import LookupTable

_REMEMBERED = 10_000
"""Values whose answers are kept for other rows: a few megabytes, whatever the size of the table."""


class LookupWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked up: the column and what it holds. `newest`: of several leads, the one received last."""

    column: str
    by: By
    newest: bool


class _Open(msgspec.Struct):
    """A row that is still to be asked for. `later` are its other notations, worked out once they are needed."""

    row: int
    value: str
    step: int
    text: str


class Lookup:
    """Fills a progress file with an answer for every row that has something to search for."""

    def __init__(
        self, table: LookupTable, wanted: LookupWanted, asker: Asker, progress: ProgressFile, per_request: int
    ) -> None:
        self._table = table
        self._wanted = wanted
        self._asker = asker
        self._progress = progress
        self._per_request = per_request
        self._known: dict[str, RowAnswer] = {}
        """The answers for the values that were searched last, in that order."""
        self._held: list[RowAnswer] = []
        """Rows whose search came to nothing: believed once another one is answered."""

    def run(self, advance: Callable[[int], object]) -> None:
        """Ask for all rows; `advance` hears how many were dealt with. Raises LookupStopped or InputError."""
        rows = self._rows(advance)
        waiting: list[_Open] = []
        more = True
        while more or waiting:
            while more and len(waiting) < self._per_request:
                following = next(rows, None)
                if following is None:
                    more = False
                else:
                    waiting.extend(self._still_open([following], advance))
            if waiting:
                waiting = self._ask(waiting, advance)
        self._asker.finish()
        self._progress.add(self._held)

    def _rows(self, advance: Callable[[int], object]) -> Iterator[_Open]:
        """Rows that are not answered, with what is to be searched next."""
        wanted = self._wanted
        for number, _, row in self._table.rows():
            text = as_written(wanted.by, row.get(wanted.column, ""))
            entry = self._progress.entry(number) if text else None
            following = _Open(number, text, 0, text) if text else None
            if following is not None and entry is not None:
                following = self._continued(following, entry)
            if following is None:
                advance(1)
            else:
                yield following

    def _continued(self, row: _Open, entry: RowAnswer) -> _Open | None:
        """A row of which an earlier process knew something, with what is to be searched next. Other rows use it too."""
        for step, notation in enumerate(notations(self._wanted.by, row.text)[: entry.step + 1]):
            self._remember(notation.text, entry if step == entry.step else RowAnswer(row.row, step, "none"))
        row.step = entry.step
        return self._next(row) if entry.match == "none" else None

    def _still_open(self, rows: Iterable[_Open], advance: Callable[[int], object]) -> list[_Open]:
        """The rows that the known answers do not settle, each with the first of its values that has none."""
        left: list[_Open] = []
        for row in rows:
            following: _Open | None = row
            while following is not None and (known := self._known.get(following.value)) is not None:
                self._progress.add([msgspec.structs.replace(known, row=following.row, step=following.step)])
                following = self._next(following) if known.match == "none" else None
            if following is None:
                advance(1)
            else:
                left.append(following)
        return left

    def _remember(self, value: str, answer: RowAnswer) -> None:
        """Keep an answer for other rows. One that is not believed says nothing about them."""
        if answer.match == "unreadable":
            return
        self._known.pop(value, None)
        self._known[value] = answer
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    def _next(self, done: _Open) -> _Open | None:
        """The row with its next notation; None where there is no other."""
        every: list[Notation] = notations(self._wanted.by, done.text)
        step = done.step + 1
        return _Open(done.row, every[step].text, step, done.text) if step < len(every) else None

    def _ask(self, waiting: list[_Open], advance: Callable[[int], object]) -> list[_Open]:
        """One request. Gives the rows that are still open: other notations, and what could not share the request."""
        chosen: dict[str, str] = {}
        here: list[_Open] = []
        left: list[_Open] = []
        for row in waiting:
            # Two spellings of one value would be one to the answer's echo: they go in requests of their own.
            same = chosen.setdefault(same_value(self._wanted.by, row.value), row.value)
            (here if same == row.value else left).append(row)
        values = list(chosen.values())
        results = dict(zip(values, self._asker.ask(values), strict=True))
        certain: list[RowAnswer] = []
        for row in here:
            result = results[row.value]
            entry = self._entry(row, result)
            self._remember(row.value, entry)
            (self._held if isinstance(result, UselessAnswer) else certain).append(entry)
            following = self._next(row) if entry.match == "none" else None
            if following is None:
                advance(1)
            else:
                left.append(following)
        if certain:
            self._progress.add([*self._held, *certain])
            self._held.clear()
        return self._still_open(left, advance)

    def _entry(self, row: _Open, result: SearchResult) -> RowAnswer:
        if not isinstance(result, LeadsFound):
            return RowAnswer(row.row, row.step, "unreadable")
        leads = result.leads
        if not leads:
            return RowAnswer(row.row, row.step, "none")
        lead = leads[0] if len(leads) == 1 else self._newest(leads)
        if lead is None:
            return RowAnswer(row.row, row.step, "many")
        return RowAnswer(row.row, row.step, "one", lead.id, lead.received)

    def _newest(self, leads: tuple[FoundLead, ...]) -> FoundLead | None:
        """The one received last, where `newest` asks for it and it is known."""
        if not self._wanted.newest:
            return None
        moments = [moment_of(lead.received) for lead in leads]
        known = [moment for moment in moments if moment is not None]
        if len(known) < len(leads):
            return None
        last = max(known)
        return leads[moments.index(last)] if known.count(last) == 1 else None
