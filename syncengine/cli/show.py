"""`syncengine show`: any view of a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option


@click.command(
    cls=Command,
    examples=(
        "syncengine show release.plan",
        "syncengine show release.plan --format html > release.html",
    ),
)
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option("--show-values", is_flag=True, help="Show personal values instead of masks.")
@identity_option
@format_option("text", "markdown", "html", "json", "sarif", "github")
@click.pass_obj
def command(invocation: Invocation, *, plan: Path, show_values: bool, format_: str) -> None:
    """Show a saved plan. The file is checked first; an altered or cut one is refused (exit 3).

    Of a sealed plan that no identity at hand opens, counts and digest are shown.
    """
    from syncengine.cli.views import show_plan
    from syncengine.core.errors import ConfigError

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
    )
