"""`syncengine import`: a request that was sent by hand so far, or a table, as a changeset."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.cli.table_options import source_options, table_options
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.core.errors import Problem
    from syncengine.core.settings import Account
    from syncengine.importing import Action, Columns, Imported
    from syncengine.project import Project
    from syncengine.tables.sources import SourceOptions

_MOST_BYTES = 64 * 1024 * 1024
_SOURCE = "rows"


@click.command(
    "import",
    cls=Command,
    examples=(
        "syncengine import request.json --changeset repair-2026-11 --out changesets/repair.yaml",
        "syncengine import data/calls.csv --lead lead_id --payout payout --field c1=result --out changesets/calls.yaml",
    ),
    epilog="Review the changeset, then plan it like any other.",
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--changeset", metavar="ID", help="Id of the changeset; by default the name of --out or FILE.")
@click.option("--account", metavar="NAME", help="The account; optional if there is only one.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="File to write, which must not exist; by default stdout.")  # fmt: skip
@click.option("--lead", metavar="COLUMN", help="Table: column with the lead id.")
@click.option("--quarantined", metavar="COLUMN", help="Table: instead of --lead, column with the quarantine id.")
@click.option("--field", "fields", multiple=True, metavar="NAME=COLUMN", help="Table: a field to update; repeatable.")
@click.option("--all-columns", is_flag=True, help="Table: update a field from every other column, by its name.")
@click.option("--when", metavar="EXPRESSION", help="Table: only rows that match, as in row.result == 'sold'.")
@click.option("--payout", metavar="COLUMN", help="Table: column with the payout.")
@click.option("--revenue", metavar="COLUMN", help="Table: column with the revenue.")
@click.option("--buyer", metavar="COLUMN", help="Table: column with the buyer.")
@click.option("--trigger", metavar="COLUMN", help="Table: column with the delivery to trigger.")
@click.option("--reprocess", is_flag=True, help="Table: reprocess the lead of every row.")
@click.option("--release", is_flag=True, help="Table: release the quarantined lead of every row.")
@click.option("--reject", is_flag=True, help="Table: reject the quarantined lead of every row.")
@click.option("--skip-empty", is_flag=True, help="Table: skip empty cells.")
@click.option("--inline", is_flag=True, help="Table: write the rows into the changeset, not as a source.")
@table_options
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    file: Path,
    changeset: str | None,
    account: str | None,
    out: Path | None,
    lead: str | None,
    quarantined: str | None,
    fields: tuple[str, ...],
    all_columns: bool,
    when: str | None,
    payout: str | None,
    revenue: str | None,
    buyer: str | None,
    trigger: str | None,
    reprocess: bool,
    release: bool,
    reject: bool,
    skip_empty: bool,
    inline: bool,
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None,
    format_: str,
) -> int:
    """Convert FILE into a changeset: a JSON request body, a curl command line, or a table with a column mapping.

    Nothing is sent, and a command in FILE is never run. API keys are removed. The plan of the changeset holds the same
    request as FILE.
    """
    from syncengine.importing import Columns

    if out is not None and (out.exists() or out.is_symlink()):
        raise InputError(f"{out} exists already", code="SE901", hint="name a file that does not, or remove it first")
    project = invocation.project()
    name = _changeset_id(changeset, out or file)
    action = _action(reprocess=reprocess, release=release, reject=reject)
    address = _address(lead, quarantined)
    mapping = None
    of_tables = (
        fields, all_columns, when, payout, revenue, buyer, trigger, action, skip_empty, inline, delimiter, encoding,
        sheet,
    )  # fmt: skip
    if inline and when is not None:
        hint = "without --inline the changeset keeps the table as its source, and tests each row"
        raise InputError("--when and --inline together", code="SE901", hint=hint)
    if address is not None:
        mapping = Columns(
            lead=address, quarantined=quarantined is not None, fields=_fields(fields), payout=payout, revenue=revenue,
            buyer=buyer, trigger=trigger, action=action, when=when or "", skip_empty=skip_empty,
        )  # fmt: skip
    elif any(of_tables):
        raise InputError("columns are mapped, but --lead is missing", code="SE901", hint="--lead COLUMN: the lead's id")
    job = _Import(project, file, out, name, account)
    if mapping is not None:
        text = job.table(mapping, source_options(file, delimiter, encoding, sheet), every=all_columns, inline=inline)
    else:
        text = job.request(invocation.cwd)
    _deliver(invocation, job, text, format_)
    return Exit.DONE


class _Import:
    """One file on its way into a changeset."""

    def __init__(self, project: Project, file: Path, out: Path | None, name: str, account: str | None) -> None:
        self._project = project
        self._file = file
        self.out = out
        self.name = name
        self._account = account
        self.imported: Imported | None = None

    def request(self, cwd: Path) -> str:
        """The changeset for a body or a curl command."""
        from syncengine.importing import fitted, looks_like_curl, parse_request
        from syncengine.tables.source_kinds import known_suffixes

        suffix = self._file.suffix.lower()
        if suffix in known_suffixes() and suffix != ".txt":
            raise InputError(
                f"{self._file} is a table, and its columns are not mapped",
                code="SE362",
                hint="say what they hold: --lead COLUMN with --field NAME=COLUMN, --payout COLUMN, ...",
            )
        text = _decoded(self._file)
        if looks_like_curl(text):
            imported, account = self._curl(text, cwd)
        else:
            imported, account = parse_request(text, str(self._file)), self._chosen(None)
        self.imported = fitted(imported, account, str(self._file))
        return self._text(self.imported, account, {})

    def _curl(self, text: str, cwd: Path) -> tuple[Imported, Account]:
        import msgspec

        from syncengine.importing import BodyFile, parse_curl, parse_request

        found = parse_curl(text, str(self._file))
        body = self._body(found.body.path, cwd) if isinstance(found.body, BodyFile) else found.body
        imported = parse_request(body, str(self._file), call=found.call)
        account = self._chosen(found.host)
        notes = (*found.notes, *imported.notes)
        if not _is_host(account, found.host):
            notes += (f"the command was for {found.host}; account {account.name} is {account.host}",)
        return (
            msgspec.structs.replace(imported, notes=notes, secrets=(*found.secrets, *imported.secrets)),
            account,
        )

    def _body(self, name: str, cwd: Path) -> str:
        from syncengine.documents.files import inside

        path = inside(Path(self._project.settings.root), cwd / name)
        if path is None:
            raise InputError(
                f"the body of the curl command, {name!r}, is no file inside the repository",
                code="SE361",
                hint=f"copy it below {self._project.settings.root}, or paste it into the command",
            )
        return _decoded(path)

    def table(self, columns: Columns, options: SourceOptions, *, every: bool, inline: bool) -> str:
        """The changeset for a table."""
        from syncengine.importing import (
            Imported,
            all_columns,
            check_columns,
            fitted,
            inline_changes,
            names_of,
            read_through,
            row_change,
            unreadable_table,
        )
        from syncengine.tables.source_kinds import open_table
        from syncengine.tables.sources import SourceError

        try:
            source = open_table(options)
        except SourceError as error:
            raise unreadable_table(error.problem) from error
        header = names_of(source)
        left_out: list[str] = []
        if every:
            columns, left_out = all_columns(columns, header)
        check_columns(columns, header, options.label)
        notes = tuple(f"the column {name!r} was added by lookup, and is no field" for name in left_out)
        account = self._chosen(None)
        if inline:
            if self._file.stat().st_size > _MOST_BYTES:
                raise InputError(f"{options.label} has more than {_MOST_BYTES:,} bytes", code="SE113", hint="split it")
            rows = tuple(inline_changes(source, columns))
            if not rows:
                raise InputError(f"{options.label} has no row with anything to do", code="SE362")
            self.imported = fitted(
                Imported(what=f"table, {len(rows)} rows", changes=rows, notes=notes), account, options.label
            )
            return self._text(self.imported, account, {})
        keys = self._keys(options)
        seen = read_through(source, columns)
        change = row_change(columns, _SOURCE, options.label, seen)
        self.imported = Imported(what="table, one change over its rows", changes=(change,), notes=notes)
        return self._text(self.imported, account, keys)

    def _keys(self, options: SourceOptions) -> dict[str, str]:
        """What the changeset says of the file: its path, and what is not taken for granted."""
        usual = "\t" if self._file.suffix.lower() == ".tsv" else ","
        said = {
            "delimiter": options.delimiter if options.delimiter != usual else None,
            "encoding": options.encoding if options.encoding != "utf-8" else None,
            "sheet": options.sheet,
        }
        return {"file": self._source(), **{key: value for key, value in said.items() if value is not None}}

    def _source(self) -> str:
        """The table as the changeset names it: relative to itself, inside the repository."""
        from syncengine.documents.files import inside
        from syncengine.tables.source_kinds import known_suffixes

        root = Path(self._project.settings.root)
        path = inside(root, self._file.absolute())
        known = known_suffixes()
        if path is None or path.suffix.lower() not in known:
            reason = f"has a name that is no table's ({', '.join(known)})"
            if path is None:
                reason = "lies outside the repository"
            raise InputError(
                f"{self._file} {reason}, so a changeset cannot name it as a source",
                code="SE362",
                hint="copy it into the repository, as data/NAME.csv; or write its rows out with --inline",
            )
        folder = self.out.absolute().parent.resolve() if self.out is not None else Path.cwd().resolve()
        return Path(os.path.relpath(path, folder)).as_posix()

    def _chosen(self, host: str | None) -> Account:
        """The account that was named, the one of this host, or the only one."""
        accounts = self._project.settings.accounts
        if self._account is not None:
            return self._project.account(self._account)
        of_host = [account for account in accounts.values() if host is not None and _is_host(account, host)]
        if len(of_host) == 1:
            return of_host[0]
        if len(accounts) == 1:
            return next(iter(accounts.values()))
        raise InputError(
            "the configuration has several accounts", code="SE901", hint=f"--account {' or '.join(sorted(accounts))}"
        )

    def _text(self, imported: Imported, account: Account, source: dict[str, str]) -> str:
        from syncengine.cli.editor_schema import changeset_schema
        from syncengine.importing import changeset_text

        root = Path(self._project.settings.root)
        schema = "" if self.out is None else changeset_schema(root, self.out)
        sources = [(_SOURCE, source)] if source else []
        pieces = changeset_text(
            imported, changeset=self.name, account=account.name, label=self._file.name, schema=schema, sources=sources
        )
        return "".join(pieces)

    def problems(self) -> list[Problem]:
        """What `validate` says of the file that was written."""
        from syncengine.changeset.load import load, validate

        assert self.out is not None
        return validate(load([self.out], self._project.settings, variables={}))


def _deliver(invocation: Invocation, job: _Import, text: str, format_: str) -> None:
    from syncengine.documents.result_files import write_file

    output, imported = invocation.output, job.imported
    assert imported is not None
    problems: list[Problem] = []
    if job.out is not None:
        write_file(job.out, text.encode(errors="backslashreplace"), private=True)
        problems = job.problems()
    errors = [problem for problem in problems if problem.severity == "error"]
    if format_ == "json":
        output.json(_object(job, imported, text, problems))
    elif job.out is None:
        output.verbatim(text, "json")  # YAML, whose quoted texts know the same escapes
    else:
        output.result(f"{job.out}: changeset {job.name}, {_counted(len(imported.changes), 'change')}.")
    for note in imported.notes:
        output.note(note)
    if imported.secrets:
        output.warning("an API key was left out; the file it came from still holds it: keep that file out of git")
    if errors:
        from syncengine.documents.diagnostics import render_text

        output.text_line(render_text(errors[:20], output.stderr_colour))
        output.warning(f"the changeset is not valid yet: {_counted(len(errors), 'error')}")
    elif job.out is not None:
        output.note(f"it holds lead values; review it, then: syncengine plan {job.out} --out release.plan")


def _object(job: _Import, imported: Imported, text: str, problems: list[Problem]) -> dict[str, Any]:
    from syncengine.reports.machine import problem_object

    return {
        "changeset": job.name,
        "file": None if job.out is None else str(job.out),
        "changes": len(imported.changes),
        "key_left_out": bool(imported.secrets),
        "notes": list(imported.notes),
        "diagnostics": [problem_object(problem) for problem in problems],
        **({"text": text} if job.out is None else {}),
    }


def _changeset_id(given: str | None, path: Path) -> str:
    from syncengine.core.values import is_changeset_id

    name = given if given is not None else re.sub(r"[^a-z0-9._-]+", "-", path.stem.lower()).strip("-._")[:57]
    if given is None and not is_changeset_id(name):
        name = f"import-{name}".rstrip("-")
    if not is_changeset_id(name):
        raise InputError(
            f"{name!r} cannot name a changeset",
            code="SE234",
            hint="--changeset ID: 3 to 64 of a-z, 0-9, dot, underscore and hyphen; the first is a letter or digit",
        )
    return name


def _action(**chosen: bool) -> Action | None:
    names: tuple[Action, ...] = ("reprocess", "release", "reject")
    asked = [name for name in names if chosen[name]]
    if len(asked) > 1:
        raise InputError(f"--{asked[0]} and --{asked[1]} together", code="SE901", hint="choose one of them")
    return asked[0] if asked else None


def _address(lead: str | None, quarantined: str | None) -> str | None:
    if lead is not None and quarantined is not None:
        raise InputError("--lead and --quarantined together", code="SE901", hint="choose the column with the ids")
    return lead if quarantined is None else quarantined


def _fields(texts: tuple[str, ...]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for text in texts:
        name, equals, column = text.partition("=")
        if not equals or not name or not column:
            raise InputError(f"--field {text!r} is not NAME=COLUMN", code="SE901", hint="--field postcode=new_postcode")
        if name in fields:
            raise InputError(f"--field {name} is given twice", code="SE901", hint="keep one of them")
        fields[name] = column
    return fields


def _decoded(path: Path) -> str:
    from syncengine.documents.files import read_bounded

    if not path.exists():
        raise InputError(f"{path}: there is no such file", code="SE114", hint="check the path")
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8-sig")
        if "\0" in text:
            raise InputError(f"{path} is UTF-16, or no text", code="SE102", hint="save it as UTF-8")
        return text
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text", code="SE102", hint="save it as UTF-8") from error


def _is_host(account: Account, host: str) -> bool:
    from urllib.parse import urlsplit

    return host.lower() in {urlsplit(account.base_url).hostname, *account.hosts}


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
