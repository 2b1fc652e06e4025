"""`syncengine lookup`: a table of e-mail addresses or phone numbers, written again with the ids of its leads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.cli.output import Output
from syncengine.cli.table_options import source_options, table_options
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.core.redaction import Secret
    from syncengine.core.settings import Account
    from syncengine.leadbyte.search import By
    from syncengine.lookup import LookupSummary, LookupTable, LookupWanted, ProgressBinding, ProgressFile, RowMatch
    from syncengine.project import Project
    from syncengine.tables.sources import SourceOptions


@click.command(
    cls=Command,
    examples=(
        "syncengine lookup data/people.csv --campaign 1 --email email --out data/people-ids.csv",
        "syncengine lookup data/people.csv --campaign 1 --phone mobile --newest --out data/people-by-phone.csv",
    ),
    epilog="Exit codes: 0 every row has an id; 4 some rows have none, or a search failed; 1 wrong input; 3 refused.",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--campaign", metavar="ID", required=True, help="Campaign whose leads are searched.")
@click.option("--email", metavar="COLUMN", help="Column with the e-mail addresses.")
@click.option("--phone", metavar="COLUMN", help="Instead of --email, column with the phone numbers.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", required=True,
              help="CSV file to write, which must not exist.")  # fmt: skip
@click.option("--newest", is_flag=True, help="If several leads match, take the one received last.")
@click.option("--account", metavar="NAME", help="The account; optional if there is only one.")
@table_options
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    file: Path,
    campaign: str,
    email: str | None,
    phone: str | None,
    out: Path,
    newest: bool,
    account: str | None,
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None,
    format_: str,
) -> int:
    """Search a campaign for the e-mail addresses or phone numbers in a column of FILE, and write the table to a file
    with the columns lead_id, match and received.

    The command sends only searches, at the pace of the account. After an interruption, run it again to continue.
    Review and commit the new file: apply performs no lookups.
    """
    from syncengine.lookup import ADDED, LookupWanted, open_table

    column, by = _column(email, phone)
    _check_arguments(campaign, out)
    project = invocation.project()
    project.require_named("looking leads up")
    chosen = _account(project, account)
    options = source_options(file, delimiter, encoding, sheet)
    table = open_table(options, column, ADDED)
    _check_host(project, chosen)
    for note in table.notes:
        invocation.output.note(note.message)
    wanted = LookupWanted(column=column, by=by, newest=newest)
    job = _Job(
        invocation=invocation, project=project, account=chosen, table=table, wanted=wanted, campaign=campaign
    )  # fmt: skip
    summary, requests = job.run(options, out)
    return _show(invocation, summary, requests, out, format_)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One lookup, from the key to the file."""

    invocation: Invocation
    project: Project
    account: Account
    table: LookupTable
    wanted: LookupWanted
    campaign: str

    def run(self, options: SourceOptions, out: Path) -> tuple[LookupSummary, int]:
        """Ask for every row, then write the table. Gives the figures, and the number of requests."""
        from syncengine.leadbyte import resolve_key
        from syncengine.lookup import ProgressFile

        output, environ = self.invocation.output, self.project.environ
        key = resolve_key(self.account.api_key, environ, account=self.account.name, warn=output.warning)
        progress = ProgressFile(out.with_name(f"{out.name}.progress"), self._binding(options))
        useless = False
        try:
            if progress.kept:
                output.note(f"an earlier lookup was interrupted; {progress.kept:,} rows are answered already")
            requests = self._ask(progress, key)
            summary = self._write(progress, out)
            useless = True
            return summary, requests
        except InputError as error:
            # A file that changed: its rows may be of either state. An unknown campaign: nothing was answered.
            useless = error.code in ("SE319", "SE526")
            raise
        finally:
            progress.close(delete=useless)

    def _ask(self, progress: ProgressFile, key: Secret) -> int:
        import random
        import threading

        from syncengine.cli.progress import Progress
        from syncengine.leadbyte.search import LeadSearcher
        from syncengine.lookup import Asker, Lookup

        project, account = self.project, self.account
        ca_file = project.environ.get("SYNCENGINE_CA_FILE")
        with (
            LeadSearcher(account, key, project.clock, ca_file=ca_file) as searcher,
            Progress(self.invocation.output, "looking up", self.table.count, pace=True) as shown,
        ):
            asker = Asker(
                searcher, account, project.clock, campaign=self.campaign, by=self.wanted.by,
                known=progress.kept > 0, wait=threading.Event().wait, chance=random.random,
            )  # fmt: skip
            Lookup(self.table, self.wanted, asker, progress, account.limits.searches_per_request).run(shown.advance)
            return asker.requests

    def _write(self, progress: ProgressFile, out: Path) -> LookupSummary:
        from syncengine.cli.progress import Progress
        from syncengine.documents.result_files import result_file
        from syncengine.lookup import LookupSummary, result_lines

        summary = LookupSummary()
        # The progress file is locked, so what is at this name was left behind by a process that was killed.
        partial = out.with_name(f".{out.name}.partial")
        partial.unlink(missing_ok=True)
        with (
            Progress(self.invocation.output, "writing", self.table.count) as shown,
            result_file(out, private=True, partial=partial) as file,
        ):
            lines = result_lines(self.table, self.wanted, progress, summary, shown.advance)
            self.table.dialect.write(file, lines)
        return summary

    def _binding(self, options: SourceOptions) -> ProgressBinding:
        from syncengine.lookup import ProgressBinding

        table, wanted = self.table, self.wanted
        return ProgressBinding(
            digest=table.digest, rows=table.count, by=wanted.by, column=wanted.column, campaign=self.campaign,
            account=self.account.identity, host=self.account.host, newest=wanted.newest,
            delimiter=options.delimiter, encoding=options.encoding, sheet=options.sheet,
        )  # fmt: skip


def _column(email: str | None, phone: str | None) -> tuple[str, By]:
    if email is not None and phone is None:
        return email, "email"
    if phone is not None and email is None:
        return phone, "phone"
    given = "--email and --phone together" if email is not None else "neither --email nor --phone"
    raise InputError(given, code="SE901", hint="name the one column to search by: --email COLUMN or --phone COLUMN")


def _check_arguments(campaign: str, out: Path) -> None:
    from syncengine.core.values import is_service_id

    if not is_service_id(campaign):
        hint = "--campaign ID: the number that LeadByte shows beside the campaign's name"
        raise InputError(f"{campaign[:40]!r} is not the id of a campaign", code="SE526", hint=hint)
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} exists already", code="SE901", hint="name a file that does not, or remove it first")
    if not out.parent.is_dir():
        raise InputError(f"cannot write {out}: there is no folder {out.parent}", code="SE902", hint="make it first")


def _account(project: Project, name: str | None) -> Account:
    accounts = project.settings.accounts
    if name is not None:
        return project.account(name)
    if len(accounts) != 1:
        raise InputError(
            "the configuration has several accounts", code="SE901", hint=f"--account {' or '.join(sorted(accounts))}"
        )
    return next(iter(accounts.values()))


def _check_host(project: Project, account: Account) -> None:
    """The key and the addresses go to a host that the ledger knows for this account, or to none."""
    from syncengine.core.host_and_ledger import check_host

    with project.view() as ledger:
        if ledger is not None:
            check_host(account, ledger.hosts())


def _show(invocation: Invocation, summary: LookupSummary, requests: int, out: Path, format_: str) -> int:
    output, counts = invocation.output, summary.counts
    rows = counts.total()
    code = Exit.DONE if counts["one"] == rows else Exit.INCOMPLETE
    by_match = {match: counts[match] for match in _MATCHES}
    if format_ == "json":
        output.json({"rows": rows, **by_match, "requests": requests, "exit": int(code)})
    else:
        output.result(f"{out}: {_counted(rows, 'row')}, {_counted(requests, 'request')}")
        for match, count in by_match.items():
            output.result(f"  {match:<10} {count:>10,}")
    _note_oddities(output, summary)
    if code:
        output.note(f"the rows without an id are those whose column match is not 'one' in {out}")
    return code


def _note_oddities(output: Output, summary: LookupSummary) -> None:
    for name, count in summary.notations.items():
        found = f"{_counted(count, 'row')} {'was' if count == 1 else 'were'}"
        output.note(f"{found} found not as written but {name}, for example {summary.examples[name]}")
    shared, examples = summary.shared()
    if shared:
        output.warning(f"{shared:,} rows have the id of another row: {'; '.join(examples)}")
    if summary.counts["none"] == summary.counts.total():
        output.warning("no lead was found at all: is it the right campaign, and the right column?")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_MATCHES: tuple[RowMatch, ...] = ("one", "none", "many", "unreadable")
