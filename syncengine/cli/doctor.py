"""`syncengine doctor`: what is wrong with this set-up, line by line, and what to do about it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.core.errors import ConfigError, Exit

if TYPE_CHECKING:
    from syncengine.checking.check import Check, State
    from syncengine.core.settings import Account
    from syncengine.leadbyte.probes import Probe
    from syncengine.project import Project


@click.command(
    cls=Command,
    examples=(
        "syncengine doctor changesets/",
        "syncengine doctor --offline",
    ),
    epilog="Exit codes: 0 no errors, possibly warnings; 1 errors.",
)
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(path_type=Path))
@click.option("--account", "name", metavar="NAME", help="Check only this account.")
@click.option("--offline", is_flag=True, help="Open no connection and read no key.")
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, paths: tuple[Path, ...], name: str | None, offline: bool, format_: str) -> int:
    """Check configuration, keys, ledger, service and machine, and suggest a fix for every problem.

    With PATHs, the field names of those changesets are compared with the fields of the campaigns, if the account
    allows reads. Nothing is changed: the check of a key reads a lead that does not exist. No key is shown.
    """
    checks = list(_checks(invocation, paths, name, offline=offline))
    wrong = any(check.state == "problem" for check in checks)
    if format_ == "json":
        invocation.output.json({"ok": not wrong, "checks": checks})
    else:
        for check in checks:
            _show(invocation, check)
        invocation.output.result(_summary(checks))
    return Exit.INPUT if wrong else Exit.DONE


def _checks(invocation: Invocation, paths: tuple[Path, ...], name: str | None, *, offline: bool) -> Iterator[Check]:
    from syncengine.checking.check import Check
    from syncengine.checking.machine import machine_checks

    try:
        project = invocation.project(paths)
    except ConfigError as error:
        yield from _unusable(error)
        yield from machine_checks(None, invocation.environ)
        return
    settings = project.settings
    # As with --offline: the user did not choose this configuration.
    offline = offline or project.through is not None
    unasked = (
        "because of --offline"
        if project.through is None
        else f"because {settings.file} was found through {project.through} only"
    )
    accounts = [project.account(name)] if name is not None else list(settings.accounts.values())
    yield Check(name="configuration", state="ok", message=f"{settings.file}, {len(settings.accounts)} account(s)")
    for warning in settings.warnings:
        yield Check(
            name="configuration",
            state="warning",
            message=f"{warning.file}:{warning.line}: {warning.message}",
            advice=warning.hint,
        )
    yield from machine_checks(settings, invocation.environ)
    if offline and not settings.ledger.url.startswith("sqlite:"):
        yield Check(name="ledger", state="unknown", message=f"not looked at, {unasked}", advice=_named(project))
    else:
        yield from _ledger(project, accounts)
    for account in accounts:
        if offline:
            yield Check(
                name="service",
                account=account.name,
                state="unknown",
                message=f"key, connection and permissions were not looked at, {unasked}",
                advice=_named(project),
            )
        else:
            yield from _account(project, account, paths)


def _ledger(project: Project, accounts: list[Account]) -> Iterator[Check]:
    from syncengine.checking.check import Check
    from syncengine.checking.ledger_checks import ledger_checks

    try:
        pin = project.pin()
    except ConfigError as error:
        yield Check(name="ledger", state="problem", message=error.message, advice=error.hint)
    else:
        yield from ledger_checks(pin, accounts, root=Path(project.settings.root), clock=project.clock)


def _unusable(error: ConfigError) -> Iterator[Check]:
    from syncengine.checking.check import Check

    if not error.problems:
        yield Check(name="configuration", state="problem", message=error.message, advice=error.hint)
    for problem in error.problems:
        state: State = "problem" if problem.severity == "error" else "warning"
        message = f"{problem.file}:{problem.line}: {problem.message}"
        yield Check(name="configuration", state=state, message=message, advice=problem.hint)


def _named(project: Project) -> str:
    return "" if project.through is None else f"name it to look: --config {shlex.quote(project.settings.file)}"


def _account(project: Project, account: Account, paths: tuple[Path, ...]) -> Iterator[Check]:
    from syncengine.checking.check import Check
    from syncengine.checking.service import key_of, service_checks

    key, check = key_of(account, project.environ)
    yield check
    ca_file = project.environ.get("SYNCENGINE_CA_FILE")
    fine = True
    for check in service_checks(account, key, project.clock, ca_file=ca_file):
        fine = fine and not (check.state == "problem" and check.name in ("connection", "reading"))
        yield check
    if not paths:
        return
    if key is None or not account.reads.leads or not fine:
        yield Check(
            name="fields",
            account=account.name,
            state="unknown",
            message="field names cannot be compared with the campaigns': leads cannot be read",
            advice="allow it with `reads: {leads: true}` and the permission Leads > Search",
        )
        return
    from syncengine.leadbyte.probes import Probe

    with Probe(account, key, project.clock, ca_file=ca_file) as probe:
        yield from _fields(project, account, paths, probe)


def _fields(project: Project, account: Account, paths: tuple[Path, ...], probe: Probe) -> Iterator[Check]:
    from syncengine.changeset.load import load
    from syncengine.checking.check import Check
    from syncengine.checking.field_names import field_checks

    loaded = load(paths, project.settings, variables={}, command="doctor")
    errors = [problem for problem in loaded.problems if problem.severity == "error"]
    if errors:
        yield Check(
            name="fields",
            account=account.name,
            state="problem",
            message=f"the changesets have {len(errors)} error(s), the first in {errors[0].file}:{errors[0].line}",
            advice="`syncengine validate` shows them",
        )
        return
    own = [changeset for changeset in loaded.changesets if changeset.account == account.name]
    yield from field_checks(own, account, probe)


def _show(invocation: Invocation, check: Check) -> None:
    from syncengine.core.redaction import visible

    output = invocation.output
    where = f"{check.name} ({check.account})" if check.account else check.name
    output.result(f"{check.state:<8} {visible(where)}: {visible(check.message)}")
    if check.advice and check.state != "ok":
        output.result(f"         -> {visible(check.advice)}")


def _summary(checks: list[Check]) -> str:
    problems = sum(check.state == "problem" for check in checks)
    warnings = sum(check.state == "warning" for check in checks)
    if problems:
        return f"\n{problems} problem(s), {warnings} warning(s)"
    return f"\nNothing is wrong; {warnings} warning(s)"
