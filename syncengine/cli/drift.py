"""`syncengine drift`: the last values on record against what leads hold now."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.checking import CountedReading, DriftLine
    from syncengine.core.redaction import Masker
    from syncengine.core.settings import Account
    from syncengine.documents.disk_spool import DiskSpool
    from syncengine.leadbyte import LeadReader
    from syncengine.project import Project

_STATES = ("same", "different", "unknown")


@click.command(
    cls=Command,
    examples=(
        "syncengine drift",
        "syncengine drift --observed export.csv --observed-at 2026-11-20T18:00:00Z",
    ),
    epilog="Exit codes: 0 no differences; 4 differences; 1 wrong input, or nothing could be read.",
)
@click.option("--account", "name", metavar="NAME", help="The account; optional if there is only one.")
@click.option("--observed", type=click.Path(path_type=Path), metavar="FILE",
              help="Export of leads to compare with, as CSV or JSON Lines.")  # fmt: skip
@click.option("--observed-at", metavar="TIME", help="Time of the export, if the file does not state it.")
@click.option("--lead", metavar="ID", help="Only this lead.")
@click.option("--changeset", metavar="ID", help="Only values that this changeset wrote last.")
@click.option("--all", "everything", is_flag=True, help="List equal values as well.")
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    name: str | None,
    observed: Path | None,
    observed_at: str | None,
    lead: str | None,
    changeset: str | None,
    everything: bool,
    show_values: bool,
    format_: str,
) -> int:
    """Compare the last applied value of every field and amount with an export of leads, or with reads.

    Reads need `reads: {leads: true}` for the account. Each line names the field, its lead, and the changeset and run
    that wrote it last. The command sends only reads and does not write to the ledger.
    """
    from syncengine.checking import CountedReading, DriftLine, drift
    from syncengine.cli.notify import notify
    from syncengine.cli.reading import masker, open_ledger_view
    from syncengine.core.values import LeadId
    from syncengine.documents.disk_spool import DiskSpool
    from syncengine.planning.observed import ObservedValues
    from syncengine.reviewing import open_export

    project = invocation.project()
    account = _account(project, name)
    with ExitStack() as stack:
        ledger = open_ledger_view(project, stack)
        export = open_export(account, stack, observed, observed_at)
        reader = None if export is not None else _reader(invocation, project, account, stack)
        counted = None if reader is None else CountedReading(reader)
        observed_values = stack.enter_context(ObservedValues(export=export, reader=counted))
        records = ledger.history(
            account=account.identity, lead=None if lead is None else LeadId(lead), changeset=changeset
        )
        kept = stack.enter_context(DiskSpool(DriftLine))
        counts: Counter[str] = Counter()
        for line in drift(ledger, account.identity, records, observed_values):
            kept.put(line)
            counts[line.state] += 1
        masks = masker(account, show_values=show_values)
        if format_ == "json":
            _json(invocation, account, kept, counts, masks)
        else:
            _text(invocation, account, kept, counts, masks, everything=everything)
        code = _exit(invocation, counts, counted, kept)
    notify(
        invocation,
        project,
        account.name,
        {"drift": counts["different"]},
        ", ".join(f"{counts[state]} {state}" for state in _STATES),
    )
    return code


def _account(project: Project, name: str | None) -> Account:
    accounts = project.settings.accounts
    if name is not None:
        return project.account(name)
    if len(accounts) != 1:
        raise InputError(
            "the configuration has several accounts", code="SE901", hint=f"--account {' or '.join(sorted(accounts))}"
        )
    return next(iter(accounts.values()))


def _reader(invocation: Invocation, project: Project, account: Account, stack: ExitStack) -> LeadReader:
    from syncengine.cli.reading import open_reader
    from syncengine.core.errors import ConfigError

    try:
        return open_reader(invocation, project, account, stack)
    except ConfigError as error:
        if error.code != "SE520":
            raise
        raise ConfigError(
            f"account {account.name} does not allow reading leads, and no observed export was given",
            code="SE520",
            hint=f"--observed FILE compares with an export; or {error.hint}",
        ) from error


def _object(line: DriftLine, masks: Masker) -> dict[str, Any]:
    return {
        "lead": line.lead,
        "kind": line.kind.value,
        "field": line.field,
        "state": line.state,
        "changeset": line.changeset,
        "run": line.run,
        "at": line.at,
        "reason": line.reason,
        "applied": None if line.applied is None else masks.show(line.field, line.applied),
        "now": None if line.now is None else masks.show(line.field, line.now),
    }


def _json(
    invocation: Invocation, account: Account, kept: DiskSpool[DriftLine], counts: Counter[str], masks: Masker
) -> None:
    head = {"account": account.name, "counts": {state: counts[state] for state in _STATES}}
    invocation.output.piece(json.dumps(head)[:-1] + ', "fields": [', "json")
    for number, line in enumerate(kept.read()):
        invocation.output.piece((", " if number else "") + json.dumps(_object(line, masks)), "json")
    invocation.output.piece("]}\n", "json")


def _text(
    invocation: Invocation,
    account: Account,
    kept: DiskSpool[DriftLine],
    counts: Counter[str],
    masks: Masker,
    *,
    everything: bool,
) -> None:
    output = invocation.output
    total = sum(counts.values())
    output.result(f"Account {account.name}: {total:,} fields and amounts on record")
    for state in _STATES:
        output.result(f"  {state:<10} {counts[state]:>10,}")
    for line in kept.read():
        if line.state != "same" or everything:
            output.result(_line_text(line, masks))


def _line_text(line: DriftLine, masks: Masker) -> str:
    from syncengine.core.redaction import visible

    said = visible(line.reason)
    if line.state == "different":
        applied = "(kept as a digest)" if line.applied is None else masks.show(line.field, line.applied)
        said = f"applied {applied}, now {masks.show(line.field, line.now or '')}"
    return (
        f"{line.state:<9}  lead {line.lead}  {visible(line.field)}  {said}{'  ' if said else ''}"
        f"[last written by {line.changeset}, run {line.run}, {line.at[:19]}]"
    )


def _exit(
    invocation: Invocation, counts: Counter[str], counted: CountedReading | None, kept: DiskSpool[DriftLine]
) -> int:
    if counts["different"]:
        return Exit.INCOMPLETE
    if counted is not None and counted.reads and counted.unread == counted.reads:
        first = next((line.reason for line in kept.read() if line.reason), "")
        invocation.output.error("SE521", f"no lead could be read: {first}", "'syncengine doctor' tells what is wrong")
        return Exit.INPUT
    return Exit.DONE
