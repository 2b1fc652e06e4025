"""The four views of a plan, for every verb that shows one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.cli.verb import Invocation
from syncengine.core.settings import Settings
from syncengine.reports.model import ViewOptions

if TYPE_CHECKING:
    from syncengine.planning import PlanFile

FORMATS = ("text", "markdown", "html", "json")


def view_options(invocation: Invocation, settings: Settings | None, account: str, *, show_values: bool) -> ViewOptions:
    """Options for this terminal and this account's public fields."""
    known = None if settings is None else settings.accounts.get(account)
    return ViewOptions(
        width=invocation.output.width,
        colour=invocation.output.colour,
        show_values=show_values,
        public_fields=frozenset() if known is None else frozenset(known.fields.public),
    )


def show_plan(
    invocation: Invocation, path: Path, settings: Settings | None, *, format_: str, show_values: bool
) -> None:
    """Write one view of a saved plan to stdout."""
    from syncengine.planning import open_plan

    with open_plan(path) as plan:
        options = view_options(invocation, settings, plan.header.account, show_values=show_values)
        for piece in _view(plan, format_, options):
            if format_ == "text":
                invocation.output.result(piece)
            else:
                invocation.output.piece(piece)


def _view(plan: PlanFile, format_: str, options: ViewOptions) -> Iterator[str]:
    parts = (plan.header, plan.provenance, plan.operations(), plan.summary, options)
    match format_:
        case "markdown":
            from syncengine.reports.markdown import plan_markdown

            yield plan_markdown(*parts)
        case "html":
            from syncengine.reports.html import plan_html

            yield from plan_html(*parts)
        case "json":
            from syncengine.reports.machine import plan_json

            yield from plan_json(*parts)
        case _:
            from syncengine.reports.text import plan_text

            yield from plan_text(*parts)
