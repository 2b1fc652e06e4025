"""`syncengine ledger`: check, export, migrate, forget, release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.cli.person import this_user
from syncengine.core.errors import Exit

if TYPE_CHECKING:
    from syncengine.core.settings import Account
    from syncengine.project import Project

_by = click.option("--by", required=True, metavar="NAME", help="Name to record.")
_account = click.option("--account", metavar="NAME", help="The account; required if there are several.")


@click.group()
def command() -> None:
    """Maintain the ledger: check it, export it, migrate it, erase a lead, release a lease."""


@command.command(
    cls=Command,
    examples=(
        "syncengine ledger check",
        "syncengine ledger check --head HEAD    # a head noted earlier, elsewhere",
    ),
    epilog="Exit codes: 0 no damage found; 1 damaged.",
)
@click.option("--head", metavar="HEAD", help="Head printed by an earlier check; the ledger must still contain it.")
@format_option("text", "json")
@click.pass_obj
def check(invocation: Invocation, *, head: str | None, format_: str) -> int:
    """Recompute hash chains and counts, and report every mismatch with its place.

    The printed head covers every record so far. Store it elsewhere and pass it to --head later: the
    check then detects removed records.
    """
    from syncengine.core.errors import LedgerDamaged
    from syncengine.core.ports import CheckFinding

    checked: dict[str, object] = {"ledger": None, "position": None, "head": None}
    try:
        with _project(invocation).view() as ledger:
            if ledger is None:
                return _no_ledger(invocation)
            findings, identity, present = ledger.at_once(
                lambda: (ledger.check(head=head), ledger.identity(), ledger.head())
            )
            checked = {"ledger": identity.id, "position": identity.position, "head": present}
    except LedgerDamaged as error:
        findings = [CheckFinding(where="the file", message=error.message)]
    if format_ == "json":
        invocation.output.json({**checked, "sound": not findings, "findings": findings})
        return Exit.INPUT if findings else Exit.DONE
    for finding in findings:
        invocation.output.result(f"{finding.where}: {finding.message}")
    word = "sound" if not findings else f"not sound: {len(findings)} findings"
    if checked["ledger"] is None:
        invocation.output.result(f"the ledger is {word}")
    else:
        said = f"ledger {checked['ledger']} at position {checked['position']} is {word}\nhead {checked['head']}"
        invocation.output.result(said)
    return Exit.INPUT if findings else Exit.DONE


@command.command(cls=Command, examples=("syncengine ledger export > ledger.jsonl",))
@click.pass_obj
def export(invocation: Invocation) -> int:
    """Write every record as JSON Lines, ordered by position."""
    with _project(invocation).view() as ledger:
        if ledger is None:
            return _no_ledger(invocation)
        for line in ledger.export():
            invocation.output.verbatim(line, "json")
    return Exit.DONE


@command.command(
    cls=Command,
    examples=(
        "syncengine ledger migrate",
        "syncengine ledger migrate --rekey --by ann --note 'the key file was lost'",
    ),
)
@click.option("--rekey", is_flag=True, help="Adopt the configured key; create it if it is missing.")
@click.option("--by", metavar="NAME", help="With --rekey: name to record.")
@click.option("--note", metavar="TEXT", help="With --rekey: reason to record.")
@click.pass_obj
def migrate(invocation: Invocation, *, rekey: bool, by: str | None, note: str | None) -> None:
    """Migrate an older ledger to the schema of this version. This cannot be undone; make a backup first.

    With --rekey, recorded values can no longer be compared: updates and financials count as never applied, except that
    values a later changeset wrote are kept. Irreversible operations are unaffected.
    """
    from pathlib import Path

    from syncengine.core.errors import InputError
    from syncengine.core.text import is_blank
    from syncengine.ledger import migrate_ledger

    if rekey and (is_blank(by or "") or is_blank(note or "")):
        raise InputError("--rekey needs --by and --note", code="SE901", hint="say who replaces the key, and why")
    project = _project(invocation)
    versions = migrate_ledger(project.pin(), root=Path(project.settings.root))
    said = f"brought to schema {versions[-1]}" if versions else "the schema is current"
    invocation.output.result(said)
    if rekey and by and note:
        with project.ledger() as ledger:
            ledger.rekey(by=by.strip(), note=note.strip())
        invocation.output.result("the configured key is the ledger's key from now on; back it up apart from the ledger")


@command.command(cls=Command, examples=("syncengine ledger forget 2932682 --by ann --note 'asked for on the phone'",))
@click.argument("lead", metavar="LEAD")
@click.option("--by", metavar="NAME", help="Name to record; by default the user of this machine.")
@click.option("--note", metavar="TEXT", help="Reason, recorded as written; do not include personal data.")
@_account
@click.option("--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS", show_default=True,
              help="Time to wait for a run on the account to end.")  # fmt: skip
@click.pass_obj
def forget(
    invocation: Invocation, *, lead: str, by: str | None, note: str | None, account: str | None, lock_timeout: float
) -> None:
    """Erase the data of one lead from the ledger: values, digests, amounts, messages.

    Ids and outcomes are kept, and nothing more is sent for the lead. Delete plan files and sources yourself; the
    command names the plans known to contain the lead.
    """
    from syncengine.core.errors import InputError
    from syncengine.core.spreadsheets import fault_of_id
    from syncengine.core.values import LeadId, is_lead_id, number_of

    if not is_lead_id(lead):
        fault = fault_of_id(number_of(lead))
        raise InputError(
            f"{lead!r} is not a lead id{'' if fault is None else f': {fault.cause}'}",
            code="SE901",
            hint="digits, without a leading zero; quarantined:123 for one in quarantine",
        )
    project = _project(invocation)
    owner = _chosen(project, account)
    with project.ledger() as ledger, ledger.lease(owner.identity, wait=lock_timeout) as lease:
        forgotten = ledger.forget(lease, LeadId(lead), by=(by or "").strip() or this_user(), note=(note or "").strip())
    invocation.output.result(f"lead {lead} is forgotten: {forgotten.attempts} attempts were erased")
    for plan, path in forgotten.plans:
        invocation.output.result(f"delete by hand: plan {plan[:12]} {path}")
    invocation.output.result("delete by hand as well: changesets, sources, exports and backups that hold the lead")


@command.command(cls=Command, examples=("syncengine ledger release --by ann --note 'runner 7 is gone'",))
@_by
@click.option("--note", required=True, metavar="TEXT", help="Evidence that the holder of the lease is dead.")
@_account
@click.pass_obj
def release(invocation: Invocation, *, by: str, note: str, account: str | None) -> None:
    """Release the lease of a dead process. Not needed on one machine, nor on PostgreSQL after 30 seconds."""
    project = _project(invocation)
    owner = _chosen(project, account)
    with project.ledger() as ledger:
        released = ledger.release(owner.identity, by=by, note=note)
    said = "the lease is free; its holder can send nothing more" if released else "the lease was not held"
    invocation.output.result(f"account {owner.name}: {said}")


@command.command(
    cls=Command,
    examples=("syncengine ledger accept-position --by ann --note 'restored the backup of Monday'",),
    epilog="Exit codes: 0 accepted, or no records are missing; 3 refused.",
)
@_by
@click.option("--note", required=True, metavar="TEXT", help="Cause, and what is known about the lost records.")
@click.pass_obj
def accept_position(invocation: Invocation, *, by: str, note: str) -> None:
    """Accept a ledger that lost records, for example after a restore. Earlier plans and approvals become invalid.

    The ledger does not know which operations the lost records sent. They are sent again unless you record them first
    with `resolve --baseline`. The command does not change the pin in syncengine.yaml: commit the line that it prints.
    Run it after every restore of a PostgreSQL ledger, because only the pin can show that the ledger was restored.
    """
    from contextlib import closing
    from pathlib import Path

    from syncengine.ledger import open_behind

    project = _project(invocation)
    project.require_named("writing its ledger")
    pin, say = project.pin(), invocation.output.result
    with (
        closing(open_behind(pin, root=Path(project.settings.root), clock=project.clock)) as ledger,
        ledger.blaming_damage(),
    ):
        ledger.require_sound()
        accepted = ledger.accept_position(by=_said(by, "--by"), note=_said(note, "--note"), pinned=pin.position)
        identity = ledger.identity()
    if accepted:
        say(
            f"ledger {identity.id} goes on at position {identity.position}; no earlier plan or approval counts any more"
        )
        say(
            "whatever the lost records sent will be sent again, unless it is recorded as done: plan it, then "
            "syncengine resolve --baseline PLAN --by NAME --note TEXT"
        )
    else:
        say(f"ledger {identity.id} is behind nothing; nothing was changed")
    say(f'the line to commit:  id: "{identity.id}@{identity.position}"')
    if pin.position is not None and pin.position > identity.position:
        say(f"until it is committed, every other command refuses the ledger: {pin.position} is pinned")


@command.command(cls=Command, examples=("syncengine ledger backup ledger-monday.db",))
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(invocation: Invocation, *, file: Path) -> int:
    """Write a consistent copy of an SQLite ledger to FILE, also during a run.

    The copy does not contain the key: back it up separately. For PostgreSQL use pg_dump.
    """
    with _project(invocation).view() as ledger:
        if ledger is None:
            return _no_ledger(invocation)
        ledger.backup(file)
        identity = ledger.identity()
    invocation.output.result(f"ledger {identity.id} was copied to {file}, at position {identity.position} or below")
    return Exit.DONE


def _said(text: str, option: str) -> str:
    from syncengine.core.errors import InputError
    from syncengine.core.text import is_blank

    if is_blank(text):
        raise InputError(f"{option} is empty", code="SE901", hint="say who accepts this, and why")
    return text.strip()


def _project(invocation: Invocation) -> Project:

    return invocation.project()


def _chosen(project: Project, name: str | None) -> Account:
    from syncengine.core.errors import InputError

    if name is not None:
        return project.account(name)
    accounts = list(project.settings.accounts.values())
    if len(accounts) > 1:
        raise InputError(
            "there are several accounts",
            code="SE901",
            hint=f"--account with one of {', '.join(project.settings.accounts)}",
        )
    return accounts[0]


def _no_ledger(invocation: Invocation) -> int:
    invocation.output.error("SE657", "there is no ledger yet", "'syncengine init' creates it")
    return Exit.INPUT
