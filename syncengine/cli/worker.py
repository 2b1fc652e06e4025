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
    epilog="On SIGTERM or SIGINT the worker waits for answers in flight, records them, leaves the rest of its shards "
    "to other workers and exits 130. Exit codes: 0 with --drain, no run is open; 3 ledger, version, policy or host "
    "differ from what the open runs need; 4 the API key of an account was refused, and its shards are left to other "
    "workers; 4 or 5 another worker took over a lane.",
)
@click.option("--account", "accounts", multiple=True, metavar="NAME",
              help="Serve only this account; repeatable. By default all accounts.")  # fmt: skip
@click.option("--parallel", type=click.IntRange(min=1, max=64), default=4, metavar="N", show_default=True,
              help="Number of shards to process at once.")  # fmt: skip
@click.option("--lease", type=click.FloatRange(min=2, max=30), default=30, metavar="SECONDS", show_default=True,
              help="Time without a heartbeat after which other workers take over the shards.")  # fmt: skip
@click.option("--drain", is_flag=True, help="Exit once no run that this worker serves is open.")
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
    """Process shards of submitted plans from the queue until stopped.

    All workers of an account, on any number of machines, share one pace and one concurrency limit. Each worker reads
    the API keys from its own environment and needs the key file of the ledger.
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
                "refused": [{"account": name, "reason": reason} for name, reason in worked.refused.items()],
                "stopped": [{"run": run, "reason": reason} for run, reason in worked.stopped.items()],
                "exit": int(worked.exit),
            }
        )
    else:
        from syncengine.core.redaction import visible

        invocation.output.result(f"worked on {worked.shards:,} shards, {worked.requests:,} requests")
        for run, reason in worked.stopped.items():
            invocation.output.result(f"run {run} is stopped: {visible(reason)}")
        for name, reason in worked.refused.items():
            invocation.output.result(f"account {visible(name)}: no more of its shards were taken: {visible(reason)}")
    return worked.exit
