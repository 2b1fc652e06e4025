"""`syncengine plan`: work out what would be sent, show it and save it. Sends nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.verb import Invocation, Verb, format_option
from syncengine.core.errors import Exit

if TYPE_CHECKING:
    from syncengine.cli.progress import Progress
    from syncengine.core.plan import PlannedOperation

_STEP = 500
"""Operations between two looks at the clock."""


class _Counting:
    """Moves the progress display on as operations are planned; it has nothing to say to the reviewer."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._seen = 0

    def see(self, planned: PlannedOperation) -> None:
        """One operation."""
        self._seen += 1
        if self._seen % _STEP == 0:
            self._progress.advance(_STEP)

    def warnings(self) -> tuple[str, ...]:
        """Nothing."""
        return ()


@click.command(
    cls=Verb,
    epilog="Example: syncengine plan specs/ --out release.plan. Exit codes: 0 planned; 2 with --detailed-exitcode "
    "where something is to be sent; 1 wrong input; 3 blocked (the file is written, and apply refuses it).",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for review and apply.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Override a declared variable.")
@click.option("--changeset", "only", multiple=True, metavar="ID", help="Plan only this changeset; repeatable.")
@click.option("--observed", type=click.Path(path_type=Path), metavar="FILE",
              help="Values before: a dated export of leads, CSV or JSON Lines.")  # fmt: skip
@click.option("--observed-at", metavar="TIME", help="When they were observed, where the file does not say.")
@click.option("--offline", is_flag=True, help="Open no connection and read no key, whatever is configured.")
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there are operations to send.")
@format_option("text", "markdown", "html", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    paths: tuple[Path, ...],
    out: Path | None,
    variables: tuple[str, ...],
    only: tuple[str, ...],
    observed: Path | None,
    observed_at: str | None,
    offline: bool,
    show_values: bool,
    detailed_exitcode: bool,
    format_: str,
) -> int:
    """Work out what would be sent, show it and save it. Nothing is sent, no ledger is created or written.

    PATH names changeset files, or folders that are searched for *.yaml.
    """
    from syncengine.api import load, needed_approvals, plan
    from syncengine.cli.progress import Progress
    from syncengine.cli.variables import parse_variables
    from syncengine.cli.views import show_plan

    project = invocation.project()
    loaded = load(paths, project, variables=parse_variables(variables), only=only)
    with tempfile.TemporaryDirectory(prefix="syncengine-") as scratch:
        target = out if out is not None else Path(scratch) / "plan"
        with Progress(invocation.output, "planning", 0, pace=True) as progress:
            planned = plan(
                loaded,
                project,
                out=target,
                offline=offline,
                observed=observed,
                observed_at=observed_at,
                watchers=[_Counting(progress)],
            )
        show_plan(invocation, target, project.settings, format_=format_, show_values=show_values)
        rule = needed_approvals(target, project) if planned.summary.counts.to_send else None
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
