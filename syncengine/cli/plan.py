"""`syncengine plan`: work out what would be sent, show it and save it. Sends nothing."""

from __future__ import annotations

import shlex
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, part_options
from syncengine.core.errors import Exit

if TYPE_CHECKING:
    from syncengine.cli.progress import Progress
    from syncengine.core.plan import PlannedOperation
    from syncengine.planning import Seal
    from syncengine.project import Project

_STEP = 500
"""Operations between two looks at the clock."""


class _Counting:
    """Moves the progress display on as operations are planned."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seen = 0

    def see(self, planned: PlannedOperation) -> None:
        """One operation."""
        self._seen += 1
        if self._seen % _STEP == 0:
            self._progress.advance(_STEP)


@click.command(
    cls=Command,
    examples=(
        "syncengine plan changesets/                          # only look",
        "syncengine plan changesets/ --out release.plan",
        "syncengine plan changesets/ --limit 5 --out first.plan   # five leads first, to see how it goes",
        "syncengine plan --offline changesets/ --format markdown > plan.md",
        "syncengine plan changesets/ --observed export.csv --observed-at 2026-11-20T18:00:00Z",
    ),
    epilog="Exit codes: 0 planned; 2 with --detailed-exitcode if there are operations to send; 1 wrong input; 3 "
    "blocked (the file is written, and apply refuses it).",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="File to save the plan to.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a variable; repeatable.")
@click.option("--changeset", "only", multiple=True, metavar="ID", help="Plan only this changeset; repeatable.")
@part_options("Plan")
@click.option("--observed", type=click.Path(path_type=Path), metavar="FILE",
              help="Export of leads to take values before from, as CSV or JSON Lines.")  # fmt: skip
@click.option("--observed-at", metavar="TIME", help="Time of the export, if the file does not state it.")
@click.option("--offline", is_flag=True, help="Open no connection and read no API key.")
@click.option("--sql-from", "sql_from", multiple=True, type=click.Path(path_type=Path), metavar="DIR",
              help="Refuse SQL sources whose database and statement no changeset in DIR uses; repeatable.")  # fmt: skip
@click.option("--values", type=click.Choice(("plain", "sealed")), default="plain", show_default=True,
              help="Storage of lead data in the plan; sealed encrypts it to the recipients.")  # fmt: skip
@click.option("--recipient", "recipients", multiple=True, metavar="KEY",
              help="Recipient of the sealed plan: age1..., an SSH key, or a file of keys; repeatable.")  # fmt: skip
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there are operations to send.")
@format_option("text", "markdown", "html", "json", "sarif", "github")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    paths: tuple[Path, ...],
    out: Path | None,
    variables: tuple[str, ...],
    only: tuple[str, ...],
    leads: tuple[str, ...],
    changes: tuple[str, ...],
    limit: int | None,
    observed: Path | None,
    observed_at: str | None,
    offline: bool,
    sql_from: tuple[Path, ...],
    values: str,
    recipients: tuple[str, ...],
    show_values: bool,
    detailed_exitcode: bool,
    format_: str,
) -> int:
    """Compute the operations to send, show them and save them as a plan.

    Nothing is sent, and no ledger is created or changed.

    PATH is a changeset file, or a folder that is searched for *.yaml and *.yml.
    """
    from syncengine.api import load, needed_approvals, plan
    from syncengine.cli.progress import Progress
    from syncengine.cli.variables import parse_variables
    from syncengine.cli.views import LiveView, show_plan, view_options
    from syncengine.core.plan import Selection

    seal = _seal(values, recipients, out)
    project = _project(invocation, paths, offline=offline)
    given = parse_variables(variables)
    loaded = load(paths, project, variables=given, only=only, command="plan", sql_from=sql_from)
    selection = Selection(
        variables=given,
        changesets=tuple(sorted(set(only))),
        leads=tuple(sorted(set(leads))),
        changes=tuple(sorted(set(changes))),
        limit=limit,
    )
    live = None
    if format_ in LiveView.formats:
        account = loaded.changesets[0].account if loaded.changesets else ""
        live = LiveView(format_, view_options(invocation, project.settings, account, show_values=show_values))
    with ExitStack() as stack:
        target = out
        if target is None:
            target = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="syncengine-"))) / "plan"
        with Progress(invocation.output, "planning", 0, pace=True) as progress:
            planned = plan(
                loaded,
                project,
                out=target,
                offline=offline,
                observed=observed,
                observed_at=observed_at,
                watchers=[_Counting(progress), *([] if live is None else [live])],
                seal=seal,
                selection=selection,
            )
        summary = planned.summary
        invocation.log.info(
            "planned", plan=summary.digest, account=planned.header.account,
            changesets=[changeset.id for changeset in summary.changesets], count=summary.counts.total,
        )  # fmt: skip
        identities = None if seal is None else seal.identities
        if live is not None:
            live.show(invocation, planned, project, saved=target, out=out, identities=identities)
        else:
            show_plan(
                invocation,
                target,
                project,
                format_=format_,
                show_values=show_values,
                identities=identities,
                planned=planned,
            )
    rule = needed_approvals(planned, project) if planned.summary.counts.to_send else None
    if out is not None and planned.summary.blocked:
        invocation.output.note(f"saved to {out}, to be looked at: it is blocked, and apply refuses it")
    elif out is not None:
        if rule is not None:
            people = f"{rule.required} approval{'s' if rule.required > 1 else ''}"
            invocation.output.note(f"it needs {people} before it is applied: syncengine approve {out} --key KEY")
        invocation.output.note(f"saved to {out}; apply it with: syncengine apply {out}")
    if planned.summary.blocked:
        return Exit.REFUSED
    if detailed_exitcode and planned.summary.counts.to_send:
        return Exit.CHANGES
    return Exit.DONE


def _project(invocation: Invocation, paths: tuple[Path, ...], *, offline: bool) -> Project:
    project = invocation.project(paths)
    if project.through is not None and not offline:
        file = project.settings.file
        invocation.output.note(
            f"{file} was found through {project.through} only: planned as with --offline. To look at the service, "
            f"or at a ledger on a server, name it: --config {shlex.quote(file)}"
        )
    return project


def _seal(values: str, recipients: tuple[str, ...], out: Path | None) -> Seal | None:
    """Those who may read the plan; None where it is not sealed."""
    from syncengine.core.errors import InputError

    if values == "plain":
        if recipients:
            raise InputError(
                "--recipient is for sealed plans, and this one would be plain", code="SE901", hint="add --values sealed"
            )
        return None
    if out is None:
        raise InputError("a sealed plan is a file, and none is named", code="SE901", hint="add --out FILE")
    from syncengine.planning import Seal

    return Seal.to(recipients)
