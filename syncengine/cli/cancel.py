"""`syncengine cancel`: ask a live run to send nothing more."""

from __future__ import annotations

import click

from syncengine.cli.command import Command, Invocation, format_option
from syncengine.cli.person import this_user


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
    from syncengine.core.errors import InputError
    from syncengine.core.values import RunId

    project = invocation.project()
    with project.ledger() as ledger:
        if any(known.run == run and known.ended is None and not known.live for known in ledger.runs()):
            raise InputError(
                f"run {run} is not alive any more, so there is nothing to cancel",
                code="SE904",
                hint="'syncengine status' shows what it left; applying its plan again goes on with it",
            )
        shared = next((known for known in ledger.runs() if known.run == run and known.shared), None)
        ledger.cancel(RunId(run), by=(by or "").strip() or this_user())
        over = False
        if shared is not None:
            from syncengine.distributed.queries import cancel

            over = cancel(project, ledger, RunId(run), shared.account)
    invocation.log.info("cancelled", run=run)
    if format_ == "json":
        invocation.output.json({"run": run, "cancelled": True, **({"ended": over} if shared is not None else {})})
        return
    if over:
        invocation.output.result(f"run {run} has ended: no worker was working on it")
        return
    invocation.output.result(f"run {run} was asked to stop: it sends nothing more once it has looked")
