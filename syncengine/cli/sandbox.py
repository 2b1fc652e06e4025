"""`syncengine sandbox`: a LeadByte-compatible service on this machine, until it is interrupted."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli.command import Command, Invocation


@click.command(
    cls=Command,
    examples=("syncengine sandbox --port 8089 --state .syncengine/service &",),
    epilog="Prints one line of JSON with `url` and `api_key` when it is ready. `state` names the folder with its "
    "logs: effects.jsonl holds everything it did to a lead. Ctrl-C ends it.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--leads", type=click.Path(path_type=Path), metavar="FILE", help="CSV of leads: id, state, payout, ...")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="Trouble to make, as a file of rules.")
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Folder to keep state and logs in.")
@click.option("--latency", type=click.FloatRange(0, 600_000), default=0, metavar="MS", help="Added to every answer.")
@click.option("--any-lead", is_flag=True, help="Every lead id exists, approved.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY[:PERMISSIONS]",
    help="A key to accept, as in demo-key:update,financials; `:revoked` is refused. May be given more than once.",
)
@click.option("--quarantine-delay", type=click.FloatRange(0, 86_400), default=1, metavar="SECONDS", show_default=True,
              help="How long a release or rejection waits in the queue.")  # fmt: skip
@click.option("--drop-underscore-headers", is_flag=True, help="Lose the header X_KEY on the way, as some proxies do.")
@click.pass_obj
def command(
    invocation: Invocation,
    *,
    port: int,
    leads: Path | None,
    faults: Path | None,
    state: Path | None,
    latency: float,
    any_lead: bool,
    keys: tuple[str, ...],
    quarantine_delay: float,
    drop_underscore_headers: bool,
) -> None:
    """Run a stateful LeadByte-compatible service on loopback.

    It knows leads in every state, two API keys, manual and automatic deliveries, and answers as the documented API
    does. Nothing leaves this machine.
    """
    from syncengine.core.errors import InputError
    from syncengine.sandbox import DEFAULT_KEYS, Sandbox, SandboxError, SandboxOptions, parse_key

    try:
        options = SandboxOptions(
            port=port,
            leads=leads,
            faults=faults,
            state=state,
            latency_ms=latency,
            any_lead=any_lead,
            keys=[parse_key(text) for text in keys] or DEFAULT_KEYS,
            quarantine_delay=quarantine_delay,
            drop_underscore_headers=drop_underscore_headers,
        )
        running = Sandbox(options).start()
    except (SandboxError, ValueError) as error:
        raise InputError(f"the sandbox cannot start: {error}", code="SE903") from error

    def ready() -> None:
        invocation.output.json(
            {"url": running.url, "api_key": running.api_key, "state": str(running.state_dir.resolve())}
        )
        invocation.log.info("ready")

    running.serve_until_interrupted(ready)
