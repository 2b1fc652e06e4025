"""Converts a table with a mapping of its columns: one change over all rows, or one change for each row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from syncengine.core.errors import InputError, Problem
from syncengine.core.spreadsheets import fault_of_id
from syncengine.core.text import is_blank
from syncengine.core.values import is_service_id
from syncengine.documents.contacts import contact_in
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.importing.parts import TABLE, Action, ImportedChange, ImportProblems
from syncengine.importing.proposals import LOOKED_AT, ColumnValues, proposals
from syncengine.tables.cells import advice_for, kind_of
from syncengine.tables.sources import Row, Source, SourceError

_PLAIN = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ADDED_BY_LOOKUP = ("lead_id", "match", "received")
_QUOTABLE = re.compile(r"(?!__)[^'\"\\{}\n\r]+")


class Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The column of each value. `fields` maps names of fields to columns; `action` applies to every row.

    `quarantined`: the column `lead` holds quarantine ids.
    """

    lead: str
    fields: dict[str, str] = {}
    payout: str | None = None
    revenue: str | None = None
    buyer: str | None = None
    trigger: str | None = None
    action: Action | None = None
    quarantined: bool = False
    when: str = ""
    skip_empty: bool = False

    @property
    def money(self) -> bool:
        """Whether an amount is set."""
        return self.payout is not None or self.revenue is not None

    def named(self) -> list[str]:
        """All columns, without duplicates."""
        rest = (self.payout, self.revenue, self.buyer, self.trigger)
        return list(dict.fromkeys([self.lead, *self.fields.values(), *(name for name in rest if name is not None)]))


def check_columns(columns: Columns, header: list[str], label: str) -> None:
    """Raises InputError (SE362) for missing columns, and for a mapping without effect."""
    findings = ImportProblems(label, TABLE)
    for name in columns.named():
        if name not in header:
            findings.add(f"there is no column {name!r}", did_you_mean(name, header), line=1)
        elif header.count(name) > 1:
            findings.add(f"the column {name!r} is there twice", line=1)
    _check_combination(columns, findings)
    if not (columns.fields or columns.money or columns.trigger is not None or columns.action is not None):
        findings.add(
            "nothing would be done",
            "say what: --field NAME=COLUMN, --payout, --revenue, --trigger, --reprocess, --release, --reject; or "
            "--all-columns",
        )
    findings.stop()


def _check_combination(columns: Columns, findings: ImportProblems) -> None:
    action, trigger = columns.action, columns.trigger is not None
    if columns.buyer is not None and not columns.money:
        findings.add("a buyer is sent with an amount only", "add --payout or --revenue")
    if columns.quarantined and (columns.money or trigger or action == "reprocess"):
        findings.add("a lead in quarantine takes fields, a release or a rejection only", "leave the others out")
    if not columns.quarantined and action in ("release", "reject"):
        findings.add("only a lead in quarantine can be released or rejected", "--quarantined COLUMN: the quarantine id")
    if action is not None and trigger:
        findings.add(f"a {action} and a trigger in one change", "import them as two changesets")


def all_columns(columns: Columns, header: Sequence[str]) -> tuple[Columns, list[str]]:
    """The mapping, extended by every other column as a field of its name. Leaves out the columns that `lookup`
    added."""
    added_by_lookup = set(header).issuperset(_ADDED_BY_LOOKUP)
    left_out = [name for name in _ADDED_BY_LOOKUP if added_by_lookup and name not in columns.named()]
    skipped = {*columns.named(), *left_out}
    more = {name: name for name in header if name not in skipped and name not in columns.fields}
    return msgspec.structs.replace(columns, fields={**columns.fields, **more}), left_out


def row_change(columns: Columns, source: str, label: str, seen: Mapping[str, ColumnValues]) -> ImportedChange:
    """One change for all rows of a source, each value a template; `seen` holds the columns' statistics.

    Raises InputError (SE362) for unusable names.
    """
    findings = ImportProblems(label, TABLE)

    def template(column: str, filters: str = "") -> str:
        if _PLAIN.fullmatch(column):
            return f"{{{{ row.{column}{filters} }}}}"
        if not _QUOTABLE.fullmatch(column):
            findings.add(
                f"the column {column!r} cannot be named in a template", "rename it, or write rows with --inline"
            )
        return f"{{{{ row['{column}']{filters} }}}}"

    change = ImportedChange(
        leads=(template(columns.lead),),
        quarantined=columns.quarantined,
        source=source,
        update={name: template(column) for name, column in columns.fields.items()},
        action=columns.action,
        trigger=() if columns.trigger is None else (template(columns.trigger),),
        payout=None if columns.payout is None else template(columns.payout),
        revenue=None if columns.revenue is None else template(columns.revenue),
        buyer=None if columns.buyer is None else template(columns.buyer),
        when=columns.when,
        skip_empty=columns.skip_empty,
        proposals=proposals(columns, seen, template),
    )
    findings.stop()
    return change


def names_of(source: Source) -> list[str]:
    """The names of a table's columns. Where only the rows know them, all names that occur. Raises InputError."""
    findings = ImportProblems(source.label, TABLE)
    try:
        columns = source.columns()
        if columns is None:
            columns = tuple(dict.fromkeys(name for _, _, row in source.rows(findings.take) for name in row))
    except SourceError as error:
        raise unreadable(error.problem) from error
    findings.stop()
    return list(columns)


def read_through(source: Source, columns: Columns) -> dict[str, ColumnValues]:
    """Read and check every row. Returns the statistics of the used columns. Raises InputError."""
    findings = ImportProblems(source.label, TABLE)
    seen = {name: ColumnValues() for name in columns.named()}
    looks = [(name, values.add) for name, values in seen.items()]
    try:
        for number, _, row in source.rows(findings.take):
            if number <= LOOKED_AT:
                for name, look in looks:
                    look(row.get(name))
    except SourceError as error:
        raise unreadable(error.problem) from error
    findings.stop()
    return seen


def unreadable(problem: Problem) -> InputError:
    """The error for a file that cannot be read."""
    return InputError(
        f"nothing was imported: {problem.message}", code=problem.code, hint=problem.hint, problems=(problem,)
    )


def inline_changes(source: Source, columns: Columns) -> Iterator[ImportedChange]:
    """One change for each row, with literal values. Raises InputError (SE362) with every problem at the end."""
    findings = ImportProblems(source.label, TABLE)
    used = columns.named()
    try:
        for number, line, row in source.rows(findings.take):
            fault = _fault(row, used, columns)
            if fault is not None:
                where = f"row {number} ({source.place(line)}): " if line else f"row {number}: "
                findings.add(where + fault[0], fault[1], line=line, row=number)
                continue
            change = _literal(row, columns, f"row {number}")
            if change is not None:
                yield change
    except SourceError as error:
        raise unreadable(error.problem) from error
    findings.stop()


def _fault(row: Row, used: list[str], columns: Columns) -> tuple[str, str] | None:
    """Why a row cannot become a change, and what to do; None where it can."""
    for name in used:
        value: object = row.get(name)
        if value is None:
            if not (columns.skip_empty and name != columns.lead):
                return f"there is no {name!r}", "--skip-empty leaves out what is missing"
        elif not isinstance(value, str):
            return f"{name!r} is {kind_of(value)}, not a text", advice_for(value)
    return _fault_of_lead(row[columns.lead], "quarantine" if columns.quarantined else "lead")


def _fault_of_lead(lead: str, what: str) -> tuple[str, str] | None:
    if is_service_id(lead):
        return None
    contact = contact_in(lead)
    if contact is not None:
        return f"{lead[:40]!r} is {contact[0]}, not a {what} id", contact[1]
    message = f"{lead[:40]!r} is not a {what} id"
    fault = fault_of_id(lead)
    return (message, "") if fault is None else (f"{message}: {fault.cause}", fault.remedy)


def _literal(row: dict[str, str], columns: Columns, where: str) -> ImportedChange | None:
    """The change of one row; None where `skip_empty` leaves nothing of it."""
    kept: dict[str | None, str] = {
        name: text for name, text in row.items() if not (columns.skip_empty and is_blank(text))
    }
    payout, revenue, trigger = (kept.get(name) for name in (columns.payout, columns.revenue, columns.trigger))
    buyer = None if payout is revenue is None else kept.get(columns.buyer)
    change = ImportedChange(
        leads=(row[columns.lead],),
        quarantined=columns.quarantined,
        where=where,
        update={name: kept[column] for name, column in columns.fields.items() if column in kept},
        action=columns.action,
        trigger=() if trigger is None else (trigger,),
        payout=payout,
        revenue=revenue,
        buyer=buyer,
    )
    empty = (payout, revenue, trigger, columns.action, change.update) == (None, None, None, None, {})
    return None if empty else change
