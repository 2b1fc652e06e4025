"""A dated export of leads, read once from beginning to end.

An export is CSV (a header line), or JSON Lines where its name ends in .jsonl, .ndjson or .json. Columns: `lead`;
`observed_at` unless one time is given for the whole file; optionally `account`, `payout`, `revenue` and `buyer`; every
other column is a field. An empty CSV cell is an empty field, but no amount and no buyer; a JSON null is nothing at all.
See docs/observed-values.md.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from syncengine.core.errors import InputError, Problem
from syncengine.core.observations import AMOUNTS, MONEY, Observation
from syncengine.core.settings import Account
from syncengine.core.spreadsheets import fault_of_id
from syncengine.core.values import LeadId, format_money, is_lead_id, number_of, parse_money
from syncengine.documents.files import open_ordinary
from syncengine.planning.leadstore import LeadStore

MOST_LEADS = 5_000_000
"""Leads in one export. Values wait in an unnamed temporary file; memory holds 32 to 64 bytes for each lead."""

_LISTED = 100
"""Problems that are told one by one; the rest is counted."""
_LONGEST_LINE = 1 << 20
_OWN = frozenset({"lead", "observed_at", "account"})
_JSON_ENDINGS = frozenset({".jsonl", ".ndjson", ".json"})
_HINT = "columns: lead, observed_at, and any of payout, revenue, buyer, account and names of fields"

_Row = tuple[int, int, dict[str, str]]
"""Row number from 1, line, and what the row says."""


class Export:
    """An observed file, read once from beginning to end. `digest` is the SHA-256 of its bytes."""

    def __init__(self, path: Path, store: LeadStore, digest: str, latest: str) -> None:
        self.label = path.name
        self.digest = digest
        self.latest = latest
        """The youngest time in it."""
        self._store = store

    def __len__(self) -> int:
        return self._store.count

    def get(self, lead: LeadId) -> Observation | None:
        """What it says about a lead."""
        seen = self._store.get(lead)
        return seen if isinstance(seen, Observation) else None

    def close(self) -> None:
        """Drop it."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_export(path: Path, account: Account, *, observed_at: str | None = None) -> Export:
    """Read a whole export. Raises InputError with file, line and row of everything that is wrong.

    `observed_at` (ISO 8601 with a time zone) is the time of rows that name none.
    """
    default = None
    if observed_at is not None:
        default = parse_time(observed_at)
        if default is None:
            raise InputError(
                f"--observed-at {observed_at!r} is not a time with its zone",
                code="SE351",
                hint="write it like 2026-11-20T18:00:00Z or 2026-11-20T19:00:00+01:00",
            )
    store = LeadStore()
    try:
        return _Reading(path, account, default, store).run()
    except BaseException:
        store.close()
        raise


def parse_time(text: str) -> str | None:
    """`text` in UTC, ISO 8601 with microseconds and Z; None where it is no time or has no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


class _Unfit(Exception):
    """A row that cannot be used."""


class _Reading:
    def __init__(self, path: Path, account: Account, default: str | None, store: LeadStore) -> None:
        self._path = path
        self._names = frozenset({account.name, account.identity})
        self._account = account.name
        self._default = default
        self._store = store
        self._problems: list[Problem] = []
        self._more = 0
        self._latest = ""
        self._times: dict[str, str] = {}

    def run(self) -> Export:
        try:
            with open_ordinary(self._path) as raw:
                hashed = _Hashed(raw)
                with io.TextIOWrapper(io.BufferedReader(hashed, 1 << 16), encoding="utf-8-sig", newline="") as text:
                    rows = _json_rows(text, self._bad) if self._is_json() else _csv_rows(text, self._bad)
                    for number, line, row in rows:
                        self._row(number, line, row)
        except _Fatal as error:
            self._bad(error.line, None, str(error))
        except UnicodeDecodeError:
            self._bad(0, None, "the file is not UTF-8 text; save it as UTF-8")
        except OSError as error:
            raise InputError(
                f"the observed file {self._path} cannot be read: {error.strerror or error}",
                code="SE350",
                hint="name a CSV or JSON Lines file that can be read",
            ) from error
        if self._problems:
            self._refuse()
        if not self._store.count:
            raise InputError(f"the observed file {self._path} has no rows", code="SE350", hint=_HINT)
        return Export(self._path, self._store, hashed.sum.hexdigest(), self._latest)

    def _is_json(self) -> bool:
        return self._path.suffix.lower() in _JSON_ENDINGS

    def _refuse(self) -> NoReturn:
        count = len(self._problems) + self._more
        first = self._problems[0]
        place = f"{first.file}:{first.line}" if first.line else first.file
        row = f" row {first.row}" if first.row is not None else ""
        more = f" (and {count - 1} more problems)" if count > 1 else ""
        raise InputError(
            f"the observed file cannot be used: {place}{row}: {first.message}{more}",
            code="SE350",
            hint=_HINT,
            problems=self._problems,
        )

    def _bad(self, line: int, row: int | None, message: str) -> None:
        if len(self._problems) >= _LISTED:
            self._more += 1
            return
        self._problems.append(
            Problem(code="SE350", message=message, file=str(self._path), line=line, column=1 if line else 0, row=row)
        )

    def _row(self, number: int, line: int, row: dict[str, str]) -> None:
        try:
            lead, seen = self._parsed(row)
            if self._store.count >= MOST_LEADS:
                raise _Fatal(f"more than {MOST_LEADS:,} leads; export those of the changesets only", line)
            if not self._store.add(lead, seen):
                raise _Unfit(f"lead {lead} stands in an earlier row already; keep the younger of the two")
        except _Unfit as unfit:
            self._bad(line, number, str(unfit))

    def _parsed(self, row: dict[str, str]) -> tuple[LeadId, Observation]:
        lead = row.get("lead", "").strip()
        if not is_lead_id(lead):
            fault = fault_of_id(number_of(lead))
            why = "digits without a leading zero, at most 19 (quarantined:123 for a lead in quarantine)"
            if fault is not None:
                why = f"{fault.cause}; {fault.remedy}"
            raise _Unfit(f"{lead[:40]!r} is not a lead id: {why}")
        account = row.get("account", "").strip()
        if account and account not in self._names:
            raise _Unfit(f"the row is of account {account[:64]!r}, and the plan is for {self._account}")
        at = self._time(row.get("observed_at", "").strip())
        return LeadId(lead), Observation(at=at, by=at, values=_values(row))

    def _time(self, text: str) -> str:
        if not text:
            if self._default is None:
                raise _Unfit("there is no observed_at; add the column, or say --observed-at TIME for the whole file")
            at = self._default
        else:
            known = self._times.get(text)
            at = known or parse_time(text) or ""
            if not at:
                raise _Unfit(f"observed_at {text[:40]!r} is not a time with its zone, like 2026-11-20T18:00:00Z")
            if len(self._times) < 1000:
                self._times[text] = at
        self._latest = max(self._latest, at)
        return at


def _values(row: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, text in row.items():
        if name in _OWN:
            continue
        if name in MONEY:
            text = text.strip()  # noqa: PLW2901
            if not text:
                continue
        if name in AMOUNTS:
            cents = parse_money(text)
            if cents is None:
                raise _Unfit(f"the {name} {text[:40]!r} is not a plain amount such as 80.00")
            text = format_money(cents)  # noqa: PLW2901
        values[name] = text
    return values


class _Fatal(Exception):
    """The file cannot be read on."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Hashed(io.RawIOBase):
    """Passes bytes on and sums them up; a line without end is refused before it fills the memory."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._run = 0
        self.sum = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        chunk = self._raw.read(len(buffer))
        self.sum.update(chunk)
        if b"\0" in chunk:
            raise _Fatal("the file holds a NUL byte: it is no text")
        end = chunk.rfind(b"\n")
        self._run = len(chunk) - end - 1 if end >= 0 else self._run + len(chunk)
        if self._run > _LONGEST_LINE:
            raise _Fatal(f"a line is longer than {_LONGEST_LINE:,} bytes")
        buffer[: len(chunk)] = chunk
        return len(chunk)


_Report = Callable[[int, int | None, str], None]


def _csv_rows(text: io.TextIOWrapper, report: _Report) -> Iterator[_Row]:
    reader = csv.reader(text, strict=True)
    number = 0
    try:
        header = next((cells for cells in reader if cells), None)
        if header is None:
            raise _Fatal("the file is empty")
        header = [name.strip() for name in header]
        twice = next((name for name, count in Counter(header).items() if count > 1), None)
        if twice is not None:
            raise _Fatal(f"the header has the column {twice!r} twice", reader.line_num)
        if "lead" not in header:
            raise _Fatal("the header has no column 'lead'", reader.line_num)
        for cells in reader:
            if not cells:
                continue
            number += 1
            if len(cells) != len(header):
                report(reader.line_num, number, f"the row has {len(cells)} cells, the header {len(header)}")
                continue
            yield number, reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise _Fatal(f"row {number + 1} is no well-formed CSV: {error}", reader.line_num) from error


def _json_rows(text: io.TextIOWrapper, report: _Report) -> Iterator[_Row]:
    decode = json.JSONDecoder(
        parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_once
    ).decode
    number = 0
    for line, content in enumerate(text, 1):
        if not content.strip():
            continue
        number += 1
        try:
            row = decode(content)
        except (ValueError, RecursionError) as error:
            words = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            report(line, number, f"the line is no JSON object: {words}")
            continue
        if not isinstance(row, dict):
            report(line, number, "the line is no JSON object")
            continue
        odd = next((name for name, value in row.items() if isinstance(value, dict | list)), None)
        if odd is not None:
            report(line, number, f"{odd!r} is a list or an object, where a text is needed")
            continue
        yield number, line, {name: _text(value) for name, value in row.items() if value is not None}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = sorted(name for name, _ in pairs)
        raise ValueError(f"the key {next(a for a, b in pairwise(names) if a == b)!r} stands twice")
    return row


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON value")
