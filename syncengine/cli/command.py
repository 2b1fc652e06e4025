"""What every command shares: its options, and the value it is handed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from syncengine.cli.logs import LEVELS, Log
from syncengine.cli.output import Level, LogFormat, Output
from syncengine.core.redaction import Environment

if TYPE_CHECKING:
    from syncengine.planning import Identities
    from syncengine.project import Project

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call of one command. `config` and `policy` are None where neither option nor environment names a file."""

    command: str
    output: Output
    log: Log
    config: Path | None
    policy: Path | None
    environ: Mapping[str, str]
    cwd: Path
    identity_files: tuple[Path, ...] = ()

    def project(self, paths: Sequence[Path] = ()) -> Project:
        """The project of this folder, of --config, or else of the first path of changesets; ConfigError where there is
        none or it is wrong."""
        from syncengine.project import Project

        return Project.open(self.config, policy=self.policy, start=self.cwd, environ=self.environ, paths=paths)

    def identities(self) -> Identities:
        """The private keys that open sealed plans: of --identity and of the environment."""
        from syncengine.planning import Identities

        return Identities(self.identity_files, self.environ, warn=self.output.warning)


class Command(click.Command):
    """A command with the options that all commands take. Its callback gets the Invocation through `click.pass_obj`
    and returns an exit code, or None for done."""

    def __init__(
        self,
        name: str | None,
        *,
        params: list[click.Parameter] | None = None,
        examples: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(name, params=[*(params or []), *_common_options()], **kwargs)
        self.examples = tuple(examples)
        """Command lines as typed, perhaps with a `# remark`: for --help, the manual page and docs/commands.md."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, each on a line of its own, before the last words."""
        if self.examples:
            with formatter.section("Examples"):
                for line in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)

    def invoke(self, ctx: click.Context) -> Any:
        """Turn the common options into the Invocation, then run the command."""
        config, policy = ctx.params.pop("config"), ctx.params.pop("policy")
        log_format = cast(LogFormat, ctx.params.pop("log_format"))
        level = cast(Level, ctx.params.pop("log_level") or ("info" if log_format == "json" else "error"))
        output = ctx.find_object(Output) or Output.of_process()
        output.log_format = log_format
        command = ctx.command_path.partition(" ")[2]
        output.command, output.log_level = command, level
        ctx.obj = Invocation(
            command=command,
            output=output,
            log=Log(output, command=command, level=level),
            config=Path(config) if config else None,
            policy=Path(policy) if policy else None,
            environ=Environment(os.environ),
            cwd=Path.cwd(),
            identity_files=tuple(ctx.params.pop("identity_files", ())),
        )
        return super().invoke(ctx)


def format_option(*formats: str, default: str = "text") -> Callable[[F], F]:
    """`--format` with these choices."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default=default,
        show_default=True,
        help="Format of the result on stdout.",
    )


def part_options(action: str) -> Callable[[F], F]:
    """`--lead`, `--change` and `--limit`, for commands that can be restricted to a part of a plan."""

    def added(command: F) -> F:
        for option in (
            click.option("--limit", type=click.IntRange(min=1), metavar="N",
                         help=f"{action} only the first N leads that have something to send."),
            click.option("--change", "changes", multiple=True, metavar="ID",
                         help=f"{action} only this change; repeatable."),
            click.option("--lead", "leads", multiple=True, metavar="ID", help=f"{action} only this lead; repeatable."),
        ):  # fmt: skip
            command = option(command)
        return command

    return added


def identity_option(command: F) -> F:
    """`--identity`, for commands that read saved plans; Invocation.identities() returns the identities."""
    return click.option(
        "--identity",
        "identity_files",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Your private key, for a sealed plan. Alternatively set SYNCENGINE_IDENTITY to the key or its file.",
    )(command)


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--config"],
            type=click.Path(),
            metavar="FILE",
            envvar="SYNCENGINE_CONFIG",
            show_envvar=True,
            help="Configuration file; by default syncengine.yaml in this folder or a parent, or above PATH.",
        ),
        click.Option(
            ["--policy"],
            type=click.Path(),
            metavar="FILE",
            envvar="SYNCENGINE_POLICY",
            show_envvar=True,
            help="Policy file to use instead of the policy of the configuration.",
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(("text", "json")),
            default="text",
            show_default=True,
            help="Format of messages on stderr: text or JSON Lines.",
        ),
        click.Option(
            ["--log-level"],
            type=click.Choice(LEVELS),
            help="Lowest level to log; by default error, or info with --log-format json.",
        ),
    ]
