"""`syncengine cancel`: ask a live run to send nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.cli.person import this_user

if TYPE_CHECKING:
    from syncengine.core.ports import RunRecord
    from syncengine.ledger import Ledger
    from syncengine.project import Project


@click.command(
    cls=Command,
    examples=(
        "syncengine status    # names the runs that are alive",
        "syncengine cancel RUN",
    ),
)
@click.argument("run", metavar="RUN")
@click.option("--by", metavar="NAME", help="Name to record; by default the user of this machine.")
@format_option("text", "json")
@click.pass_obj
def command(invocation: Invocation, *, run: str, by: str | None, format_: str) -> None:
    """Stop a run before its next request.

    The command works from any machine that shares the ledger. The run checks before every request. It waits for the
    answers in flight, records them, sends nothing more and exits 4. Apply the same plan again to continue.
    """
    from syncengine.core.values import RunId

    project = invocation.project()
    with project.ledger() as ledger:
        known = _known(ledger, run)
        ledger.cancel(RunId(run), by=(by or "").strip() or this_user())
        shared = known is not None and known.shared
        ended = shared and known is not None and _ended_shared(project, ledger, known)
    invocation.log.info("cancelled", run=run)
    if format_ == "json":
        invocation.output.json({"run": run, "cancelled": True, **({"ended": ended} if shared else {})})
    elif ended:
        invocation.output.result(f"run {run} has ended: no worker was working on it")
    else:
        invocation.output.result(f"run {run} was asked to stop: it sends nothing more once it has looked")


def _known(ledger: Ledger, run: str) -> RunRecord | None:
    """The run as the ledger knows it. InputError where it stopped without an end, so that nothing would hear of it."""
    from syncengine.core.errors import InputError

    known = next((known for known in ledger.runs() if known.run == run), None)
    if known is not None and known.ended is None and not known.live:
        raise InputError(
            f"run {run} is not alive any more, so there is nothing to cancel",
            code="SE904",
            hint="'syncengine status' shows what it left; applying its plan again goes on with it",
        )
    return known


def _ended_shared(project: Project, ledger: Ledger, known: RunRecord) -> bool:
    """Whether a run of workers ended by the cancellation itself, since none was working on it."""
    from syncengine.core.values import RunId
    from syncengine.distributed.queries import cancel

    return cancel(project, ledger, RunId(known.run), known.account)
