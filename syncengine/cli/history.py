"""`syncengine history`: what happened, operation by operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option

if TYPE_CHECKING:
    from syncengine.core.ports import OperationRecord
    from syncengine.core.results import HistoryRow
    from syncengine.project import Project


@click.command(
    cls=Command,
    examples=(
        "syncengine history --lead 2932682",
        "syncengine history --run RUN --format csv > run.csv",
    ),
)
@click.option("--lead", metavar="ID", help="Only this lead; quarantined:123 selects the lead with quarantine id 123.")
@click.option("--changeset", metavar="ID", help="Only this changeset.")
@click.option("--run", metavar="RUN", help="Only operations with an attempt in this run.")
@format_option("text", "json", "csv")
@click.pass_obj
def command(invocation: Invocation, *, lead: str | None, changeset: str | None, run: str | None, format_: str) -> None:
    """Show operations by lead, changeset or run: one line for every operation that was sent."""
    from syncengine.cli.record_views import history_rows
    from syncengine.core.values import LeadId, RunId, is_lead_id

    if lead is not None and not is_lead_id(lead):
        invocation.output.warning(f"{lead!r} is no lead's id: write 2932682, or quarantined:123 for one in quarantine")
    project = invocation.project()
    with project.view() as ledger:
        if ledger is None:
            invocation.output.warning(f"there is no ledger at {project.settings.ledger.place} yet")
            records: Iterator[OperationRecord] = iter(())
        else:
            records = ledger.history(
                lead=None if lead is None else LeadId(lead),
                changeset=changeset,
                run=None if run is None else RunId(run),
            )
        rows = history_rows(records, {} if ledger is None else ledger.claims())
        _print(invocation, project, rows, format_)


def _print(invocation: Invocation, project: Project, rows: Iterator[HistoryRow], format_: str) -> None:
    from syncengine.cli.views import gathered, view_options

    match format_:
        case "json":
            from syncengine.reports.machine import history_jsonl

            for piece in gathered(history_jsonl(rows)):
                invocation.output.piece(piece, "json")
        case "csv":
            from syncengine.reports.csv import history_csv

            for piece in gathered(history_csv(rows)):
                invocation.output.piece(piece)
        case _:
            from syncengine.reports.text_results import history_text

            options = view_options(invocation, project.settings, "", show_values=False)
            for piece in gathered(f"{line}\n" for line in history_text(rows, options)):
                invocation.output.result(piece)
