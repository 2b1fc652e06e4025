"""The rows of a table, asked for one request after the other; what is known already is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from syncengine.leadbyte.search import By, FoundLead, LeadsFound, SearchResult, moment_of, same_value
from syncengine.lookup.asking import Asker, UselessAnswer
from syncengine.lookup.notations import Notation, as_written, notations
from syncengine.lookup.progress_file import ProgressFile, RowAnswer
from syncengine.lookup.table import LookupTable


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
                    waiting.append(following)
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
            if not text or (entry is not None and entry.match != "none"):
                advance(1)
            elif entry is None:
                yield _Open(number, text, 0, text)
            else:
                following = self._next(_Open(number, text, entry.step, text))
                if following is None:
                    advance(1)
                else:
                    yield following

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
            (self._held if isinstance(result, UselessAnswer) else certain).append(entry)
            following = self._next(row) if entry.match == "none" else None
            if following is None:
                advance(1)
            else:
                left.append(following)
        if certain:
            self._progress.add([*self._held, *certain])
            self._held.clear()
        return left

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
