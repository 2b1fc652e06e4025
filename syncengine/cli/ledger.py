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

_by = click.option("--by", required=True, metavar="NAME", help="Who does this.")
_account = click.option("--account", metavar="NAME", help="Which account; needed where there are several.")


@click.group()
def command() -> None:
    """Look after the ledger: check it, export it, bring it up to date, forget a lead, free a dead lease."""


@command.command(
    cls=Command,
    examples=(
        "syncengine ledger check",
        "syncengine ledger check --head HEAD    # a head noted earlier, elsewhere",
    ),
    epilog="Exit codes: 0 sound; 1 not.",
)
@click.option("--head", metavar="HEAD", help="A head noted earlier, elsewhere: the ledger must still contain it.")
@format_option("text", "json")
@click.pass_obj
def check(invocation: Invocation, *, head: str | None, format_: str) -> int:
    """Recompute the hash chains and the counts, and say where they do not fit.

    The head that is printed stands for every record so far. Keep it somewhere else, and compare with --head later.
    """
    from syncengine.core.errors import LedgerDamaged
    from syncengine.core.ports import CheckFinding

    checked: dict[str, object] = {"ledger": None, "position": None, "head": None}
    try:
        with _project(invocation).view() as ledger:
            if ledger is None:
                return _no_ledger(invocation)
            findings = ledger.check(head=head)
            identity = ledger.identity()
            checked = {"ledger": identity.id, "position": identity.position, "head": ledger.head()}
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
    """Write every record as JSON Lines, in the order of their positions."""
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
@click.option("--rekey", is_flag=True, help="Adopt the configured key, made where it is missing.")
@click.option("--by", metavar="NAME", help="With --rekey: who does this.")
@click.option("--note", metavar="TEXT", help="With --rekey: why.")
@click.pass_obj
def migrate(invocation: Invocation, *, rekey: bool, by: str | None, note: str | None) -> None:
    """Bring an older ledger to this version's schema. Forward only; make a backup first.

    With --rekey, values on record cannot be compared any more: updates and financials count as never applied, except
    that what a later changeset wrote stays as it is. Irreversible operations are unaffected.
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
@click.option("--by", metavar="NAME", help="Who does this; the name of this machine's user otherwise.")
@click.option("--note", metavar="TEXT", help="Why; kept as it is, so say nothing in it about the person.")
@_account
@click.option("--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS", show_default=True,
              help="Wait so long where somebody is applying to the account.")  # fmt: skip
@click.pass_obj
def forget(
    invocation: Invocation, *, lead: str, by: str | None, note: str | None, account: str | None, lock_timeout: float
) -> None:
    """Erase what the ledger holds of one lead: values, digests, amounts, messages.

    Ids and outcomes stay, and nothing is sent for the lead any more. Plan files and sources must be deleted by hand;
    the plans that are known to hold it are named.
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
@click.option("--note", required=True, metavar="TEXT", help="How it is known that the holder is dead.")
@_account
@click.pass_obj
def release(invocation: Invocation, *, by: str, note: str, account: str | None) -> None:
    """Take a dead holder's lease away. On one machine, and after half a minute on PostgreSQL, this is never needed."""
    project = _project(invocation)
    owner = _chosen(project, account)
    with project.ledger() as ledger:
        released = ledger.release(owner.identity, by=by, note=note)
    said = "the lease is free; its holder can send nothing more" if released else "nobody held the lease"
    invocation.output.result(f"account {owner.name}: {said}")


@command.command(
    cls=Command,
    examples=("syncengine ledger accept-position --by ann --note 'restored the backup of Monday'",),
    epilog="Exit codes: 0 accepted, or nothing is behind; 3 refused.",
)
@_by
@click.option("--note", required=True, metavar="TEXT", help="What happened, and what is known of what was lost.")
@click.pass_obj
def accept_position(invocation: Invocation, *, by: str, note: str) -> None:
    """Go on with a ledger that lost records, as after a restore: no earlier plan or approval counts any more.

    What the lost records sent is unknown to the ledger, and will be sent again unless it is recorded first with
    `resolve --baseline`. The pin in syncengine.yaml is never overridden: commit the line that is printed. Run it after
    a restore of a PostgreSQL ledger too, where nothing beside the pin can tell that it was restored.
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
    """Write a consistent copy of an SQLite ledger to FILE, while a run goes on. The key is not in it: copy it apart.

    For PostgreSQL use pg_dump.
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
