"""The manual page, as roff."""

from __future__ import annotations

import inspect

from reference.commands import Described, common_options, described
from syncengine import __version__
from syncengine.cli.main import cli
from syncengine.core.errors import EXIT_WORDS

ENVIRONMENT = {
    "SYNCENGINE_CONFIG": "The syncengine.yaml to use, as --config.",
    "SYNCENGINE_POLICY": "The policy to use, as --policy.",
    "SYNCENGINE_IDENTITY": "An identity that opens sealed plans: the key, or the path of its file.",
    "SYNCENGINE_ALLOW_ENV": "Further variables that env:NAME may read, separated by commas.",
    "SYNCENGINE_ALLOW_FILES": "Folders outside the repository that file:PATH may read from, separated by colons.",
    "SYNCENGINE_CA_FILE": "CA certificates for connections to the service, instead of those of the system.",
    "SYNCENGINE_DEBUG": "Set to 1 to add a traceback without values to the report of an internal error.",
    "SYNCENGINE_NOTIFY_URL": "Address for messages; notify.urls may name any SYNCENGINE_NOTIFY_ variable.",
    "SYNCENGINE_LEDGER_URL": "URL of the ledger in a configuration that init writes.",
    "NO_COLOR": "Disables colours if set.",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "Endpoint for traces and metrics of apply (extra telemetry); disabled by default.",
}

FILES = {
    "syncengine.yaml": "Configuration: accounts, ledger and policy. Its folder is the root of the repository.",
    "changesets/*.yaml": "Declared changes.",
    "release.plan, release.plan.approval": "A saved plan, and its approvals.",
    ".syncengine/ledger.db, .syncengine/ledger.key": "The ledger, and the key of its digests.",
}


def page() -> str:
    """man/syncengine.1."""
    intro = inspect.cleandoc(cli.help or "").split("\n\n")
    lines = [
        '.\\" Made by scripts/generate-docs from the commands themselves.',
        f'.TH SYNCENGINE 1 "" "syncengine {__version__}" "User Commands"',
        ".SH NAME",
        f"syncengine \\- {_text(intro[0].rstrip('.')[0].lower() + intro[0].rstrip('.')[1:])}",
        ".SH SYNOPSIS",
        ".B syncengine",
        ".I COMMAND",
        "[OPTIONS] ...",
        ".SH DESCRIPTION",
        *[_text(" ".join(part.split())) for part in intro[1:]],
        ".SH COMMANDS",
    ]
    for each in described():
        lines += _command(each)
    lines += [".SH OPTIONS OF EVERY COMMAND", *_terms(dict(common_options()))]
    exits = {str(int(code)): words.replace("`", "") for code, words in EXIT_WORDS.items()}
    lines += [".SH EXIT STATUS", *_terms(exits), ".SH ENVIRONMENT", *_terms(ENVIRONMENT), ".SH FILES", *_terms(FILES)]
    return "\n".join(lines) + "\n"


def _command(each: Described) -> list[str]:
    lines = [f".SS {_text(each.words)}", f".B {_text(each.usage)}"]
    for paragraph in each.paragraphs:
        lines += [".PP", _text(paragraph.replace("`", ""))]
    lines += _terms(dict(each.options()))
    if each.examples:
        lines += [".PP", "Examples:", ".PP", ".nf", ".RS 4", *[_text(line) for line in each.examples], ".RE", ".fi"]
    if each.command.epilog:
        lines += [".PP", _text(" ".join(each.command.epilog.split()).replace("`", ""))]
    return lines


def _terms(terms: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for term, words in terms.items():
        lines += [".TP", f".B {_text(term)}", _text(" ".join(words.split()))]
    return lines


def _text(text: str) -> str:
    """Characters that roff would read as its own, as themselves."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe
