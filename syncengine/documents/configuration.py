"""syncengine.yaml: found, read, checked, and given as typed settings; every problem at once, no secret quoted.

SE501 unknown key     SE550 base_url or host         SE554 name or id of a delivery or buyer   SE560 policy rule
SE502 missing key     SE551 literal API key          SE555 ledger or database                  SE561 policy expression
SE503 wrong type      SE552 variable not allowed     SE556 former name of an account
SE504 wrong value     SE553 file not allowed
SE505 planted file      SE508 found through a PATH only
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from collections.abc import Mapping as AbstractMapping
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from syncengine.core.errors import ConfigError, InputError, Problem
from syncengine.core.settings import Account, Policy, Settings
from syncengine.documents.account_settings import ConfigurationContext, accounts_of
from syncengine.documents.diagnostics import ordered
from syncengine.documents.files import CONFIGURATION_NAME, read_bounded
from syncengine.documents.ledger_settings import databases_of, ledger_of, ledger_url
from syncengine.documents.nodes import Mapping, SourceText
from syncengine.documents.notify_settings import notify_of
from syncengine.documents.policy_settings import policy_of
from syncengine.documents.reader import read_documents
from syncengine.documents.schema import DocumentSchema
from syncengine.documents.section import ConfigurationProblems, section

__all__ = ["FoundConfiguration", "find_configuration", "ledger_url", "load_configuration", "planted"]

_MAX_BYTES = 4 * 1024 * 1024
_FOLDERS = 5
_SCHEMA = "config.v1"
_CODES = {"SE201": "SE501", "SE202": "SE502", "SE203": "SE503", "SE204": "SE504"}


class _File(NamedTuple):
    """A configuration file, read: `root` is its one mapping."""

    root: Mapping
    findings: ConfigurationProblems
    shown: str


class FoundConfiguration(NamedTuple):
    """A configuration that was found. `through` is the path of changesets that led to it; None where it is in this
    folder or above, or was named."""

    path: Path
    through: Path | None = None


def find_configuration(
    start: Path, explicit: str | None, env: AbstractMapping[str, str], paths: Iterable[Path] = ()
) -> FoundConfiguration:
    """The configuration to use: --config, SYNCENGINE_CONFIG, the nearest syncengine.yaml from `start` upwards,
    otherwise the nearest from the folder of the first of `paths` upwards."""
    named = explicit or env.get("SYNCENGINE_CONFIG")
    if named:
        return _named(start, named, "--config" if explicit else "SYNCENGINE_CONFIG")
    here = start.resolve()
    path_here = _nearest(here)
    if path_here is not None:
        return FoundConfiguration(path_here)
    beside = ""
    for first in islice(paths, 1):
        folder = _folder_of(start / first)
        path_there = None if folder is None else _nearest(folder)
        if path_there is not None:
            return FoundConfiguration(path_there, first)
        beside = f", nor in or above {first}"
    raise ConfigError(f"there is no {CONFIGURATION_NAME} in {here} or any folder above it{beside}", hint=_way_out(here))


def _named(start: Path, named: str, source: str) -> FoundConfiguration:
    path = start / named
    if path.is_dir():
        path = path / CONFIGURATION_NAME
    if not path.is_file():
        raise ConfigError(f"there is no configuration {named} ({source})", hint="name a syncengine.yaml")
    return FoundConfiguration(path)


def _nearest(here: Path) -> Path | None:
    """syncengine.yaml in this folder or the nearest one above it. Raises ConfigError where another user may have
    planted it."""
    for folder in (here, *here.parents):
        path = folder / CONFIGURATION_NAME
        if path.is_file():
            if _planted(path, here):
                raise ConfigError(
                    f"{path} belongs to another user, who may have put it there for others to use",
                    code="SE505",
                    hint=f"it says where API keys are sent: look at it, then name it with --config {path}",
                )
            return path
    return None


def _folder_of(path: Path) -> Path | None:
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    return real if real.is_dir() else real.parent


def _planted(path: Path, here: Path) -> bool:
    """Whether another user may have put this file above `here`, as anyone can in /tmp."""
    try:
        file, folder, start = path.lstat(), path.parent.stat(), here.stat()
    except OSError:
        return False  # The code that opens the file reports the error.
    return planted(file.st_uid, (folder.st_uid, folder.st_mode), friends={os.geteuid(), start.st_uid})


def planted(owner: int, folder: tuple[int, int], *, friends: set[int]) -> bool:
    """Whether a file may be planted. Files of a trusted user or root are trusted, and so are all files in a folder that
    a trusted user owns and that is not world-writable. `folder`: its owner and mode.

    The owner of the working folder is trusted: in containers a whole checkout belongs to another user.
    """
    trusted = friends | {0}
    folder_owner, mode = folder
    return owner not in trusted and (folder_owner not in trusted or bool(mode & stat.S_IWOTH))


def _way_out(here: Path) -> str:
    """The hint where no configuration was found: often there is one in a folder below."""
    try:
        below = sorted(found.parent.name for found in here.glob(f"*/{CONFIGURATION_NAME}") if found.is_file())
    except OSError:
        below = []
    if not below:
        return "run `syncengine init` to write one, or name one with --config"
    if len(below) > 1:
        folders = ", ".join(f"{name}/" for name in below[:_FOLDERS])
        return (
            f"there are some in {folders}: work in the one that is meant, or pass --config FOLDER/{CONFIGURATION_NAME}"
        )
    return f"there is one in {below[0]}/: work in that folder, or pass --config {below[0]}/{CONFIGURATION_NAME}"


def load_configuration(path: Path, env: AbstractMapping[str, str], policy_file: Path | None = None) -> Settings:
    """The settings in `path`. `policy_file`, or else SYNCENGINE_POLICY, replaces the policy section.

    Raises ConfigError with every problem. Reads no key and no variable's value.
    """
    file = _read(path)
    folder = path.resolve().parent
    around = ConfigurationContext(folder, env)
    file.findings.extend(_schema_problems(file.root, "", file))
    accounts = accounts_of(file.root, around, file.findings)
    ledger = ledger_of(file.root, around, file.findings)
    databases = databases_of(file.root, around, file.findings)
    notify = notify_of(file.root, file.findings)
    policy = policy_of(section(file.root, "policy"), folder, file.shown, accounts, file.findings)
    _stop(file)
    outside = policy_file or (Path(env["SYNCENGINE_POLICY"]) if env.get("SYNCENGINE_POLICY") else None)
    if outside is not None:
        policy, warnings = _outside_policy(outside, accounts)
        file.findings.warnings.extend(warnings)
    ledger_key = file.root.key("ledger")
    return Settings(
        file=file.shown,
        root=str(folder),
        accounts=accounts,
        ledger=ledger,
        policy=policy,
        databases=databases,
        notify=notify,
        ledger_line=ledger_key.line if ledger_key is not None else 0,
        warnings=tuple(file.findings.warnings),
    )


def _outside_policy(path: Path, accounts: dict[str, Account]) -> tuple[Policy, list[Problem]]:
    """The rules of a policy file, and its warnings. The file holds the rules themselves, or a mapping with them under
    `policy`."""
    file = _read(path, "a policy is one document, a mapping of rules")
    wrapped = file.root.get("policy")
    node = wrapped if isinstance(wrapped, Mapping) else file.root
    for key, _ in file.root.entries if node is wrapped else ():
        if key.text not in ("policy", "version"):
            file.findings.add("SE501", f"unknown key {key.text!r} beside 'policy'", key, "put rules below 'policy'")
    file.findings.extend(_schema_problems(node, "policy", file))
    policy = policy_of(node, path.resolve().parent, file.shown, accounts, file.findings)
    _stop(file)
    return policy, file.findings.warnings


def _read(path: Path, form: str = "a configuration is one document, a mapping that begins with 'version: 1'") -> _File:
    shown = _shown(path)
    try:
        data = read_bounded(path, _MAX_BYTES)
    except InputError as error:
        raise ConfigError(error.message, hint=error.hint, code="SE500") from error
    findings = ConfigurationProblems(SourceText(data, shown))
    documents, problems = read_documents(data, shown)
    findings.extend(problems)
    root = documents[0].node if documents else None
    if isinstance(root, Mapping) and len(documents) == 1:
        file = _File(root, findings, shown)
    else:
        line = documents[1].line if len(documents) > 1 else 1
        file = _File(Mapping([], line, 1), findings, shown)
        if not findings.problems:
            findings.add("SE503", form, file.root)
    _stop(file)
    return file


def _schema_problems(node: Mapping, part: str, file: _File) -> list[Problem]:
    problems = DocumentSchema(_SCHEMA, part).problems(node, file.shown, file.findings.source)
    return [msgspec.structs.replace(problem, code=_CODES.get(problem.code, "SE504")) for problem in problems]


def _stop(file: _File) -> None:
    """Raise ConfigError where there are problems, with all of them: one for each position, the most specific."""
    if not file.findings.problems:
        return
    exact = {(each.line, each.column): each for each in sorted(file.findings.problems, key=lambda each: each.code)}
    problems = ordered(exact.values())
    first = problems[0]
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"{file.shown}:{first.line}:{first.column}: {first.message}{more}"
    raise ConfigError(message, code=first.code, hint=first.hint, problems=[*problems, *file.findings.warnings])


def _shown(path: Path) -> str:
    """The path for display: relative to the working directory where it is below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
