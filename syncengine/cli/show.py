"""`syncengine show`: any view of a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option, part_options


@click.command(
    cls=Command,
    examples=(
        "syncengine show release.plan",
        "syncengine show release.plan --lead 2932682",
        "syncengine show release.plan --format html > release.html",
    ),
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@part_options("Show")
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@identity_option
@format_option("text", "markdown", "html", "json", "sarif", "github")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    plan: Path,
    leads: tuple[str, ...],
    changes: tuple[str, ...],
    limit: int | None,
    show_values: bool,
    format_: str,
) -> None:
    """Show a saved plan. An altered or truncated file is refused (exit code 3).

    With --lead, --change or --limit, the view lists part of the changes and operations, and the verdict says so.
    Findings, irreversible operations and money always cover the whole plan, as the digest does.

    Without an identity for a sealed plan, only its counts and digest are shown.
    """
    from syncengine.cli.views import show_plan
    from syncengine.core.errors import ConfigError
    from syncengine.core.plan import Selection

    project = None
    try:
        project = invocation.project()
    except ConfigError:
        if invocation.config is not None:
            raise
        # A plan can be looked at anywhere; without a configuration every field is masked.
    show_plan(
        invocation,
        plan,
        project,
        format_=format_,
        show_values=show_values,
        identities=invocation.identities(),
        selection=Selection(leads=leads, changes=changes, limit=limit),
    )
