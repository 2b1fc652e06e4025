"""`syncengine status`: unresolved operations and unfinished plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.core.errors import InputError

if TYPE_CHECKING:
    from syncengine.project import Project


@click.command(
    cls=Command,
    examples=(
        "syncengine status",
        "syncengine status --format json",
        "syncengine status --evidence      # reads the doubtful leads, for the person who resolves them",
    ),
)
@click.option("--run", "run", metavar="RUN",
              help="Show only the result of this run and why it stopped, as apply reports it.")  # fmt: skip
@click.option("--evidence", is_flag=True,
              help="Read each doubtful lead once and show its values and history beside the doubt.")  # fmt: skip
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, run: str | None, evidence: bool, format_: str) -> None:
    """Show unresolved operations and unfinished plans, and the progress of active and submitted runs."""
    from syncengine.cli.record_views import status_report
    from syncengine.cli.views import view_options

    project = invocation.project()
    if run is not None:
        if evidence:
            raise InputError(
                "--evidence is for all that is in doubt, and --run shows the result of one run",
                code="SE901",
                hint="use one of them",
            )
        _one_run(invocation, project, run, format_)
        return
    with project.view() as ledger:
        report = status_report(project, ledger)
    if evidence:
        from syncengine.cli.evidence import with_evidence

        report = with_evidence(invocation, project, report, exact=format_ == "json")
    if format_ == "json":
        from syncengine.reports.machine import document, status_object

        invocation.output.verbatim(document(status_object(report)), "json")
        return
    from syncengine.reports.text_results import status_text

    for line in status_text(report, view_options(invocation, project.settings, "", show_values=False)):
        invocation.output.result(line)


def _one_run(invocation: Invocation, project: Project, run: str, format_: str) -> None:
    from syncengine.cli.apply_run import report
    from syncengine.core.values import RunId
    from syncengine.distributed.queries import result

    with project.view() as ledger:
        if ledger is None:
            raise InputError(f"there is no run {run}: there is no ledger yet", code="SE904", hint="see `ledger.url`")
        found = result(project, ledger, RunId(run))
    report(invocation, project, found, format_=format_)
