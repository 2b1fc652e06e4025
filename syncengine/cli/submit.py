"""`syncengine submit`: enqueue an approved plan for workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncengine.cli.command import Command, Invocation, format_option, identity_option
from syncengine.core.errors import Exit, InputError

if TYPE_CHECKING:
    from syncengine.core.results import RunResult
    from syncengine.distributed.submitting import Submitted
    from syncengine.project import Project


@click.command(
    cls=Command,
    examples=("syncengine submit release.plan",),
    epilog="Exit codes: 0 enqueued, or with --wait done; 1 wrong input; 3 refused, nothing was enqueued; with --wait, "
    "the codes of apply.",
)
@click.argument("plan", type=click.Path(path_type=Path))
@click.option("--approval", "approvals", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Further approvals, in addition to PLAN.approval; repeatable.")  # fmt: skip
@click.option("--claimed-approval", "claimed", metavar="TEXT",
              help="What CI says about who approved: recorded with the run, never counted.")  # fmt: skip
@click.option("--lock-timeout", type=click.FloatRange(min=0), default=0, metavar="SECONDS", show_default=True,
              help="Time to wait for another run on the same account to end.")  # fmt: skip
@click.option("--shard-size", type=click.IntRange(min=1, max=100_000), default=1000, metavar="N", show_default=True,
              help="Approximate number of operations in a shard.")  # fmt: skip
@click.option("--wait", is_flag=True, help="Wait for the run to end and print its result as apply does.")
@identity_option
@format_option("text", "json")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    plan: Path,
    approvals: tuple[Path, ...],
    claimed: str | None,
    lock_timeout: float,
    shard_size: int,
    wait: bool,
    format_: str,
) -> int:
    """Check a saved PLAN as apply does, and enqueue it for workers (`syncengine worker`).

    Requires a ledger on PostgreSQL. The command itself sends nothing; `status` shows the progress of the run.
    """
    from syncengine.cli.apply_run import Noting
    from syncengine.core.results import RunResult
    from syncengine.distributed.submitting import SubmitRequest, submit

    if plan.is_dir():
        raise InputError(
            f"{plan} is a folder, and submit takes a single plan",
            code="SE901",
            hint=f"submit the plans of the folder one by one, or send them from here: syncengine apply {plan}",
        )
    project = invocation.project()
    submitted = submit(
        project,
        SubmitRequest(
            plan_path=plan,
            approvals=approvals,
            claimed_approval=claimed,
            lock_timeout=lock_timeout,
            shard_size=shard_size,
        ),
        identities=invocation.identities(),
        listener=Noting(invocation.output),
    )
    if isinstance(submitted, RunResult):
        return _report(invocation, project, submitted, format_)
    if not wait:
        _tell(invocation, submitted, format_)
        return Exit.DONE
    return _report(invocation, project, _awaited(invocation, project, submitted), format_)


def _tell(invocation: Invocation, submitted: Submitted, format_: str) -> None:
    if format_ == "json":
        import msgspec

        invocation.output.json({**msgspec.structs.asdict(submitted), "exit": int(Exit.DONE)})
        return
    output = invocation.output
    output.result(f"Run {submitted.run}  plan {submitted.plan[:12]}")
    output.result(
        f"  {submitted.operations:,} operations in {submitted.shards:,} shards wait for workers "
        f"({submitted.lanes} at once at most)"
    )
    output.result("Next: syncengine worker, on any machine; syncengine status shows how it goes")


def _awaited(invocation: Invocation, project: Project, submitted: Submitted) -> RunResult:
    from syncengine.cli.progress import Progress
    from syncengine.distributed.queries import wait_for

    try:
        with Progress(invocation.output, "applying", submitted.operations, pace=True) as progress:
            return wait_for(project, submitted.run, progress.advance)
    except KeyboardInterrupt:
        invocation.output.warning(f"run {submitted.run} goes on; syncengine status --run {submitted.run} tells how")
        raise


def _report(invocation: Invocation, project: Project, result: RunResult, format_: str) -> int:
    from syncengine.cli.apply_run import report
    from syncengine.cli.notify import notify_of_run

    report(invocation, project, result, format_=format_)
    notify_of_run(invocation, project, result)
    return result.exit
