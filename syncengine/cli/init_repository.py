"""Founding a repository: files where there are none, a ledger where the configuration pins none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from syncengine.cli import init_templates
from syncengine.cli.ci_files import CI_SYSTEMS, ci_files
from syncengine.cli.installation import this_installation
from syncengine.cli.pinning import pinned
from syncengine.clock import SystemClock
from syncengine.core.errors import InputError, WrongLedger
from syncengine.core.settings import LedgerPin, Settings
from syncengine.core.text import lines_of
from syncengine.documents.configuration import ledger_url, load_configuration
from syncengine.documents.result_files import write_file
from syncengine.documents.schema_files import schema_text
from syncengine.ledger import create_ledger, open_view
from syncengine.sandbox import DEFAULT_KEYS

_CONFIGURATION = "syncengine.yaml"
_SCHEMAS = ("changeset.v1", "config.v1")
SHARED_LEDGER = "SYNCENGINE_LEDGER_URL"
"""The variable in which the workflows expect the URL of a ledger that all of their runners share."""


class Founded(NamedTuple):
    """What was written, relative to the folder, and the id of the ledger that its configuration pins.

    `shared`: the ledger's URL comes from a variable or is a server's, so that other machines can use it.
    `named`: no CI file was written that leaves open what pip is to install.
    """

    written: tuple[str, ...]
    ledger: str
    shared: bool
    named: bool


def found(folder: Path, environ: Mapping[str, str], ci: Sequence[str] = ()) -> Founded:
    """Write what is missing in `folder`, and workflows for these CI systems; nothing that is there is replaced.

    With `ci`, a new configuration names the shared ledger where SYNCENGINE_LEDGER_URL says where it is.

    Raises WrongLedger where a pinned ledger is missing or another, and where a ledger is there that is not pinned.
    """
    written: list[str] = []
    schemas = {name: schema_text(name).decode() for name in _SCHEMAS}
    if not (folder / _CONFIGURATION).exists():
        written += _write(folder, init_templates.repository(SHARED_LEDGER if ci and environ.get(SHARED_LEDGER) else ""))
    ledger, accounts, shared = _pin(folder, environ)
    written += _write(folder, init_templates.schemas("", schemas))
    written += _complete(folder, ".gitignore", init_templates.IGNORED)
    written += _complete(folder, ".gitattributes", init_templates.ATTRIBUTES)
    trials = folder / init_templates.SANDBOX
    if not trials.exists() or (trials / _CONFIGURATION).exists():
        written += _write(folder, init_templates.sandbox(accounts, DEFAULT_KEYS[0].text))
        written += _write(folder, init_templates.schemas(f"{init_templates.SANDBOX}/", schemas))
        _pin(trials, environ)
    installed = this_installation(init_templates.CI_EXTRA) if ci else None
    named = True
    for system in dict.fromkeys(ci):
        assert installed is not None
        new = _write(folder, ci_files(CI_SYSTEMS[system], installed))
        named = named and (bool(installed.requirement) or CI_SYSTEMS[system].workflow not in new)
        written += new
    return Founded(tuple(written), ledger, shared, named)


def _write(folder: Path, files: Iterable[init_templates.Starter]) -> list[str]:
    written = []
    for file in files:
        path = folder / file.path
        if not path.parent.resolve().is_relative_to(folder.resolve()):
            raise _linked(path.parent)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if file.private else 0o666)
        except FileExistsError:
            continue
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(file.text)
        except OSError:
            # On a full disk: what is there already is left alone the next time, so half a file must not stay.
            path.unlink()
            raise
        written.append(file.path)
    return written


def _complete(folder: Path, name: str, lines: Iterable[str]) -> list[str]:
    """Add the lines that a file of git's lacks, at its end; the file's name where there were some."""
    path = folder / name
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise _linked(path)
    there = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    known = {line.strip() for line in lines_of(there)}
    missing = [line for line in lines if line not in known]
    if not missing:
        return []
    gap = "" if not there else "\n" if there.endswith("\n") else "\n\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK, 0o666)
    size = os.fstat(descriptor).st_size
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as stream:
            stream.write(gap + "\n".join(missing) + "\n")
    except OSError:
        os.ftruncate(descriptor, size)  # half a line would be a rule of its own
        raise
    finally:
        os.close(descriptor)
    return [name]


def _linked(path: Path) -> InputError:
    return InputError(
        f"{path} is a symbolic link or no ordinary file, and nothing is written through it",
        code="SE902",
        hint="put the file or folder itself there, then run init again",
    )


def _pin(folder: Path, environ: Mapping[str, str]) -> tuple[str, list[str], bool]:
    """The id of the ledger that the configuration pins, made and pinned now where it pinned none; the accounts; and
    whether other machines can use that ledger."""
    path = folder / _CONFIGURATION
    own = folder / init_templates.OWN
    if own.is_symlink():
        raise _linked(own)
    settings = load_configuration(path, environ)
    pin = msgspec.structs.replace(settings.ledger, url=ledger_url(settings.ledger, environ))
    shared = bool(pin.url_env) or not pin.url.startswith("sqlite:")
    view = open_view(pin, root=Path(settings.root), clock=SystemClock())
    if view is None:
        return _create(path, settings, pin), list(settings.accounts), shared
    ledger = view.identity().id
    view.close()
    if pin.id is None:
        raise WrongLedger(
            f"there is a ledger already ({ledger}), and {path} does not pin it; none is made beside it",
            code="SE656",
            hint=f"if it is the record of what this configuration sent, write `id: {ledger}` under `ledger`; "
            "otherwise let `ledger.url` name another place",
        )
    return ledger, list(settings.accounts), shared


def _create(path: Path, settings: Settings, pin: LedgerPin) -> str:
    """A new ledger, its id written into the configuration. Whether the id can be written is checked first."""
    if path.is_symlink():
        raise _linked(path)
    text = path.read_bytes().decode()
    if pin.id is None and pinned(text, "L0") is None:
        raise InputError(
            f"{path}: the ledger's id cannot be written into this file as it is laid out",
            code="SE906",
            hint="give it a section `ledger:` with a line `id: null`, then run init again",
        )
    ledger = create_ledger(pin, root=Path(settings.root), clock=SystemClock())
    name = ledger.identity().id
    ledger.close()
    edited = pinned(text, name)
    assert edited is not None
    write_file(path, edited.encode())
    return name
