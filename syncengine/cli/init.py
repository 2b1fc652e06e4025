"""`syncengine init`: a repository to begin with, and the ledger that everything later relies on."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli.verb import Invocation, Verb


@click.command(
    cls=Verb,
    epilog="Files that are there already stay as they are; run it again to add what is missing. Exit 3: the "
    "configuration pins a ledger that is not there, or a ledger is there that it does not pin.",
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.pass_obj
def command(invocation: Invocation, *, directory: Path) -> None:
    """Write a configuration with a pinned ledger, an example changeset and a sandbox configuration.

    In a folder that has a syncengine.yaml, its ledger is created and pinned, and the rest is added beside it.
    """
    from syncengine.cli.founding import found

    outcome = found(directory, invocation.environ)
    lines = [f"wrote {directory / name}" for name in outcome.written] or ["nothing was missing"]
    here = "" if directory == Path() else f"cd {directory} && "
    lines += [
        f"ledger {outcome.ledger}, pinned in {directory / 'syncengine.yaml'}",
        "",
        f"next: {here}syncengine validate changesets/",
        f"to try it on a service of your own, {directory / 'sandbox' / 'syncengine.yaml'} says how",
    ]
    invocation.output.result("\n".join(lines))
