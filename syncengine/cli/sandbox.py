"""`syncengine sandbox`: a LeadByte-compatible service on this machine, until it is interrupted."""

from __future__ import annotations

from pathlib import Path

import click

from syncengine.cli.command import Command, Invocation


@click.command(
    cls=Command,
    examples=("syncengine sandbox --port 8089 --state .syncengine/service &",),
    epilog="When ready, the command prints one line of JSON with `url`, `api_key` and `state`, the folder of its "
    "logs. effects.jsonl there lists every change to a lead. Stop the sandbox with Ctrl-C.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="Port; 0 selects a free one.")
@click.option("--leads", type=click.Path(path_type=Path), metavar="FILE", help="Leads to load: id, state, payout, ...")
@click.option("--faults", type=click.Path(path_type=Path), metavar="FILE", help="File of fault rules.")
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Folder for state and logs.")
@click.option("--latency", type=click.FloatRange(0, 600_000), default=0, metavar="MS", help="Delay of every answer.")
@click.option("--any-lead", is_flag=True, help="Treat every lead id as an approved lead.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="KEY[:PERMISSIONS]",
    help="API key to accept, such as demo-key:update,financials; `:revoked` makes it refused. Repeatable.",
)
@click.option("--quarantine-delay", type=click.FloatRange(0, 86_400), default=1, metavar="SECONDS", show_default=True,
              help="Time that a release or rejection stays queued.")  # fmt: skip
@click.option("--drop-underscore-headers", is_flag=True, help="Drop the header X_KEY, as some proxies do.")
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
    """Run a stateful LeadByte-compatible service on the loopback interface.

    It has leads in every state, two API keys, and manual and automatic deliveries, and answers like the documented API.
    It opens no connection to other machines.
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
