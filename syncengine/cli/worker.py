"""`syncengine worker`: carry out shards of submitted plans."""

from __future__ import annotations

import click

from syncengine.cli.command import Command, Invocation, format_option


@click.command(
    cls=Command,
    examples=(
        "syncengine worker --account acme --parallel 2 &",
        "syncengine worker --drain      # ends once nothing is open",
    ),
    epilog="SIGTERM and SIGINT: answers in flight are awaited and recorded, what is left of a shard goes to another "
    "worker, exit 130. Exit 0: --drain, and nothing is open. Exit 3: another ledger, version, policy or host than the "
    "open runs need. Exit 4 or 5: another worker took over a lane.",
)
@click.option("--account", "accounts", multiple=True, metavar="NAME",
              help="Serve only this account; repeatable. Otherwise all of the configuration.")  # fmt: skip
@click.option("--parallel", type=click.IntRange(min=1, max=64), default=4, metavar="N", show_default=True,
              help="Work on so many shards at once.")  # fmt: skip
@click.option("--lease", type=click.FloatRange(min=2, max=30), default=30, metavar="SECONDS", show_default=True,
              help="A worker that was silent for so long has lost its shards to the others.")  # fmt: skip
@click.option("--drain", is_flag=True, help="End once no run that this worker serves is open.")
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    accounts: tuple[str, ...],
    parallel: int,
    lease: float,
    drain: bool,
    format_: str,
) -> int:
    """Take shards of submitted plans from the queue and send them, until told to end.

    Any number of workers on any number of machines keep one pace and one concurrency limit for an account. Each reads
    the API keys from its own environment and needs the ledger's key file.
    """
    from syncengine.cli.apply_run import Noting, run_records
    from syncengine.cli.run_log import Listeners
    from syncengine.distributed.worker import WorkerRequest, work

    with run_records(invocation) as records:
        worked = work(
            invocation.project(),
            WorkerRequest(
                accounts=accounts,
                parallel=parallel,
                lease_seconds=lease,
                drain=drain,
                listener=lambda: Listeners([Noting(invocation.output), *records()]),
            ),
        )
    if format_ == "json":
        invocation.output.json(
            {
                "worker": worked.worker,
                "shards": worked.shards,
                "requests": worked.requests,
                "exit": int(worked.exit),
            }
        )
    else:
        invocation.output.result(f"worked on {worked.shards:,} shards, {worked.requests:,} requests")
    return worked.exit
