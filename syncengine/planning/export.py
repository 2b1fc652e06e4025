"""A dated export of leads, read once from beginning to end.

The file name's ending selects the format, as for sources; .json is JSON Lines, and other names are CSV. Columns:
`lead`; `observed_at` unless one time is given for the whole file; optionally `account`, `payout`, `revenue` and
`buyer`; every other column is a field. An empty CSV cell is an empty field, but no amount and no buyer; a JSON null is
no value at all. See docs/observed-values.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, Self, cast

from syncengine.core.errors import InputError, Problem
from syncengine.core.observations import AMOUNTS, MONEY, Observation
from syncengine.core.problem_limit import ByCause, ProblemLimit
from syncengine.core.settings import Account
from syncengine.core.spreadsheets import fault_of_buyer, fault_of_id
from syncengine.core.values import LeadId, format_money, is_lead_id, number_of, parse_money
from syncengine.planning.leadstore import LeadStore
from syncengine.tables.cells import advice_for, kind_of
from syncengine.tables.source_kinds import open_table
from syncengine.tables.sources import SourceError, SourceOptions

MOST_LEADS = 5_000_000
"""Maximum number of leads in one export. Values are kept in an unnamed temporary file; memory holds 32 to 64 bytes per
lead."""

_OWN = frozenset({"lead", "observed_at", "account"})
_HINT = "columns: lead, observed_at, and any of payout, revenue, buyer, account and names of fields"


class ObservedExport:
    """An observed file that was read completely. `digest` is the SHA-256 of its bytes."""

    def __init__(self, path: Path, store: LeadStore, digest: str, latest: str, fields: frozenset[str]) -> None:
        self.label = path.name
        self.digest = digest
        self.latest = latest
        """The latest observation time in the file."""
        self.fields = fields
        """The columns that hold fields."""
        self._store = store

    def __len__(self) -> int:
        return self._store.count

    def get(self, lead: LeadId) -> Observation | None:
        """The file's observation of a lead."""
        seen = self._store.get(lead)
        return seen if isinstance(seen, Observation) else None

    def close(self) -> None:
        """Delete the temporary data."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_export(path: Path, account: Account, *, observed_at: str | None = None) -> ObservedExport:
    """Read a whole export. Raises InputError with file, line and row of every error.

    `observed_at` (ISO 8601 with a time zone) is the time of rows that have none.
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
        return _ExportReader(path, account, default, store).run()
    except BaseException:
        store.close()
        raise


def parse_time(text: str) -> str | None:
    """`text` in UTC, ISO 8601 with microseconds and Z; None where it is not a time or has no zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            return None
        return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


class _Unfit(Exception):
    """A row that cannot be used."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class _ExportReader:
    def __init__(self, path: Path, account: Account, default: str | None, store: LeadStore) -> None:
        self._path = path
        # An export has no encoding option: a byte order mark decides, otherwise it is UTF-8.
        self._options = SourceOptions(label=str(path), path=str(path), encoding="", said_in="nowhere")
        self._names = frozenset({account.name, account.identity})
        self._account = account.name
        self._default = default
        self._store = store
        self._problems: list[Problem] = []
        self._findings = ProblemLimit(self._problems.append)
        self._by_cause = ByCause(self._findings.add)
        self._latest = ""
        self._times: dict[str, str] = {}
        self._fields: set[str] = set()

    def run(self) -> ObservedExport:
        try:
            source = open_table(self._options)
            self._check_columns(source.columns())
            for number, line, row in source.rows(self._take):
                self._row(number, line, row)
        except SourceError as error:
            self._take(error.problem)
        self._by_cause.finish()
        self._findings.finish()
        if self._problems:
            self._refuse()
        assert source.digest is not None  # it was read to the end
        if not self._store.count:
            raise InputError(f"the observed file {self._path} has no rows", code="SE350", hint=_HINT)
        fields = frozenset(self._fields) - _OWN - frozenset(MONEY)
        return ObservedExport(self._path, self._store, source.digest, self._latest, fields)

    def _refuse(self) -> NoReturn:
        count = len(self._problems)
        first = self._problems[0]
        place = f"{first.file}:{first.line}" if first.line else first.file
        row = f" row {first.row}" if first.row is not None else ""
        more = f" (and {count - 1} more problems)" if count > 1 else ""
        raise InputError(
            f"the observed file cannot be used: {place}{row}: {first.message}{more}",
            code="SE350",
            hint=first.hint or _HINT,
            problems=self._problems,
        )

    def _check_columns(self, columns: tuple[str, ...] | None) -> None:
        """Check column names, ignoring surrounding spaces; each may occur once."""
        if columns is None:
            return
        names = Counter(name.strip() for name in columns)
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None:
            raise self._options.failure("SE350", f"the header has the column {twice!r} twice", line=1)
        if "lead" not in names:
            raise self._options.failure("SE350", "the header has no column 'lead'", line=1, hint=_HINT)

    def _take(self, problem: Problem) -> None:
        """Take over the table reader's problems, except that empty rows at the end were ignored, which does not matter
        here."""
        if problem.severity == "error":
            self._by_cause.add(problem)

    def _bad(self, line: int, row: int, message: str, hint: str = "") -> None:
        column = 1 if line else 0
        self._by_cause.add(
            Problem(
                code="SE350", message=message, file=self._options.label, line=line, column=column, row=row, hint=hint
            )
        )

    def _row(self, number: int, line: int, row: dict[str, str]) -> None:
        self._fields.update(row)
        try:
            lead, seen = self._parsed(_texts(row))
            if self._store.count >= MOST_LEADS:
                message = f"more than {MOST_LEADS:,} leads"
                raise self._options.failure("SE350", message, line=line, hint="export those of the changesets only")
            if not self._store.add(lead, seen):
                raise _Unfit(f"lead {lead} is in an earlier row already; keep the younger of the two")
        except _Unfit as unfit:
            self._bad(line, number, str(unfit), unfit.hint)

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


def _texts(row: Mapping[str, object]) -> dict[str, str]:
    """The row by column names without surrounding spaces. Raises _Unfit where a value is not text."""
    for name, value in row.items():
        if not isinstance(value, str):
            raise _Unfit(f"{name!r} is {kind_of(value)}, where a text is needed", advice_for(value))
    return {name.strip(): cast("str", value) for name, value in row.items()}


def _values(row: Mapping[str, str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, text in row.items():
        if name in _OWN:
            continue
        if name in MONEY:
            text = text.strip()  # noqa: PLW2901
            if not text:
                continue
        if name == "buyer" and (fault := fault_of_buyer(text)) is not None:
            raise _Unfit(f"the buyer {text[:40]!r} is not a buyer's id: {fault.cause}", fault.remedy)
        if name in AMOUNTS:
            cents = parse_money(text)
            if cents is None:
                raise _Unfit(f"the {name} {text[:40]!r} is not a plain amount such as 80.00")
            text = format_money(cents)  # noqa: PLW2901
        values[name] = text
    return values
