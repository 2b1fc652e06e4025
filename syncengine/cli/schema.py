"""`syncengine schema`: the JSON Schemas, for editors and other tools."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from syncengine.cli.command import Command, Invocation


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """For shells: the names without their version, which mean the newest."""
    return [CompletionItem(name) for name in _short_names() if name.startswith(incomplete)]


@click.command(
    cls=Command,
    examples=(
        "syncengine schema",
        "syncengine schema changeset > changeset.schema.json",
    ),
    epilog="At the top of a changeset: `# yaml-language-server: $schema=changeset.schema.json`.",
)
@click.argument("name", required=False, shell_complete=_complete)
@click.pass_obj
def command(invocation: Invocation, *, name: str | None) -> None:
    """Print a JSON Schema. Without NAME, list all schemas.

    A name without a version, such as `changeset`, selects the newest version.
    """
    from syncengine.core.errors import InputError
    from syncengine.documents.schema_files import schema_names, schema_text

    if name is None:
        invocation.output.result("\n".join(schema_names()))
        return
    try:
        text = schema_text(name).decode()
    except InputError as error:
        there_are = f"there are: {', '.join(_short_names())}"
        hint = f"{error.hint}; {there_are}" if error.hint else there_are
        raise InputError(error.message, code=error.code, hint=hint) from error
    invocation.output.verbatim(text, "json")


def _short_names() -> list[str]:
    from syncengine.documents.schema_files import schema_names

    return sorted({name.rpartition(".")[0] for name in schema_names()})
