"""`syncengine init`: a repository to begin with, and the ledger that everything later relies on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation

if TYPE_CHECKING:
    from syncengine.cli.init_repository import Founded

EXAMPLE = "changesets/example.yaml"


@click.command(
    cls=Command,
    examples=(
        "syncengine init leads",
        "syncengine init --ci github      # in a git repository: a workflow as well",
    ),
    epilog="Existing files are not changed; run the command again to add missing ones. Exit code 3: the "
    "configuration pins a ledger that does not exist, or a ledger exists that the configuration does not pin.",
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--ci", "systems", multiple=True, type=click.Choice(("github", "gitlab")), metavar="github | gitlab",
              help="Also write a CI workflow: checks on proposals, apply on the main branch. DIR must be the top "
              "folder of a git repository. Repeatable.")  # fmt: skip
@click.pass_obj
def command(invocation: Invocation, *, directory: Path, systems: tuple[str, ...]) -> None:
    """Write a configuration with a pinned ledger, an example changeset and a sandbox configuration.

    If the folder has a syncengine.yaml, the command creates and pins its ledger and adds the missing files. With --ci,
    a new configuration takes the ledger URL from SYNCENGINE_LEDGER_URL if that variable is set.
    """
    from syncengine.cli.init_repository import found

    outcome = found(directory, invocation.environ, systems)
    lines = [f"wrote {directory / name}" for name in outcome.written] or ["nothing was missing"]
    here = "" if directory == Path() else f"cd {directory} && "
    lines += [
        f"ledger {outcome.ledger}, pinned in {directory / 'syncengine.yaml'}",
        "",
        f"next: {here}syncengine validate changesets/",
        f"to try it on a service of your own, {directory / 'sandbox' / 'syncengine.yaml'} says how",
    ]
    invocation.output.result("\n".join(lines))
    if systems:
        _advise(invocation, directory, outcome)


def _advise(invocation: Invocation, directory: Path, outcome: Founded) -> None:
    invocation.output.note("the first lines of the CI file say what is to be set up once; docs/ci.md explains the flow")
    if EXAMPLE in outcome.written:
        invocation.output.warning(
            f"{directory / EXAMPLE} is an example: delete it before you merge, since the CI applies what main has"
        )
    if not outcome.named:
        invocation.output.warning(
            "the CI file does not say what pip is to install, since this syncengine did not come from an index or a "
            "URL: fill in SYNCENGINE there, a version or a git URL with a commit"
        )
    if not outcome.shared:
        invocation.output.warning(
            f"the ledger of {directory / 'syncengine.yaml'} is a file on this machine, which no CI runner sees, so "
            "apply will be refused there. Before anything is applied: write `url: env:SYNCENGINE_LEDGER_URL` and "
            "`id: null` under `ledger`, set that variable to postgresql://USER:PASSWORD@HOST/DATABASE, run init again"
        )
