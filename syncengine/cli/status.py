"""`syncengine status`: what stands open."""

from __future__ import annotations

import click

from syncengine.cli.verb import Invocation, Verb, format_option


@click.command(
    cls=Verb,
    examples=(
        "syncengine status",
        "syncengine status --format json",
    ),
)
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, format_: str) -> None:
    """Show what is in doubt, which plans are unfinished, and who is applying right now."""
    from syncengine.cli.records import status_report
    from syncengine.cli.views import view_options

    project = invocation.project()
    with project.view() as ledger:
        report = status_report(project, ledger)
    if format_ == "json":
        from syncengine.reports.machine import document, status_object

        invocation.output.verbatim(document(status_object(report)))
        return
    from syncengine.reports.text_results import status_text

    for line in status_text(report, view_options(invocation, project.settings, "", show_values=False)):
        invocation.output.result(line)
