"""The ledger and databases sections: the pinned ledger and the location of its key."""

from __future__ import annotations

import re
from collections.abc import Mapping as AbstractMapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from syncengine.core.errors import ConfigError
from syncengine.core.settings import Database, LedgerPin
from syncengine.documents.account_settings import ConfigurationContext, key_file, variable_of
from syncengine.documents.files import inside
from syncengine.documents.nodes import Mapping, Scalar
from syncengine.documents.section import ConfigurationProblems, entries, scalar, section, text

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql", "postgres")
_FORMS = "write sqlite:///PATH, postgresql://HOST/DATABASE or env:NAME"
_DEFAULT_KEY = "file:.syncengine/ledger.key"
_POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)
_PASSWORD = re.compile(r"(?<![a-z])password=", re.IGNORECASE)


def ledger_of(root: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> LedgerPin:
    """The ledger that the configuration names."""
    node = section(root, "ledger")
    url, variable = _url(node, around, findings)
    identity, _, position = text(node, "id").partition("@")
    pinned = scalar(node, "id") is not None
    values: Literal["digest", "plain"] = "plain" if text(node, "values") == "plain" else "digest"
    return LedgerPin(
        url=url,
        url_env=variable,
        id=identity if pinned else None,
        position=int(position) if _POSITION.fullmatch(position) else None,
        values=values,
        key_path=_key_path(node, url, around, findings),
    )


def ledger_url(pin: LedgerPin, env: AbstractMapping[str, str]) -> str:
    """The ledger's URL with its password, if it has one. Raises ConfigError where the variable is empty or missing."""
    if not pin.url_env:
        return pin.url
    url = env.get(pin.url_env, "")
    if urlsplit(url).scheme in _POSTGRES or (url.startswith(_SQLITE) and Path(url.removeprefix(_SQLITE)).is_absolute()):
        return url
    state = "holds no URL that can be used" if url else "is not set"
    hint = f"set it to postgresql://USER:PASSWORD@HOST/DATABASE, or {_SQLITE}/ABSOLUTE/PATH"
    raise ConfigError(f"the ledger's URL: the environment variable {pin.url_env} {state}", code="SE555", hint=hint)


def databases_of(root: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> dict[str, Database]:
    """The databases that SQL sources may name."""
    found: dict[str, Database] = {}
    for key, node in entries(root, "databases"):
        if node.text.startswith("env:"):
            found[key.text] = Database(dsn_env=variable_of(node, around, findings) or "", line=key.line)
        elif node.text.startswith(_SQLITE):
            path = inside(around.root, Path(node.text.removeprefix(_SQLITE)))
            if path is None:
                findings.add("SE555", f"the database {key.text!r} is not a file in the repository", node, _FORMS)
            found[key.text] = Database(path=str(path or ""), line=key.line)
        elif urlsplit_scheme(node.text) in _POSTGRES:
            _warn_of_password(node, findings)
            found[key.text] = Database(dsn=node.text, line=key.line)
        else:
            findings.add("SE555", f"the database {key.text!r} has no URL that is known", node, _FORMS)
    return found


def urlsplit_scheme(url: str) -> str:
    """The scheme of a URL, "" where it has none."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _url(node: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> tuple[str, str]:
    """URL and variable, one of which is empty."""
    reference = scalar(node, "url")
    written = LedgerPin().url if reference is None else reference.text
    if written.startswith(_SQLITE) and len(written) > len(_SQLITE):
        return f"{_SQLITE}{around.root / written.removeprefix(_SQLITE)}", ""
    if reference is None:
        return "", ""
    if written.startswith("env:"):
        return "", variable_of(reference, around, findings) or ""
    if urlsplit_scheme(written) in _POSTGRES:
        _warn_of_password(reference, findings)
        return written, ""
    findings.add("SE555", "the ledger's url is of no kind that is known", reference, _FORMS)
    return "", ""


def _warn_of_password(node: Scalar, findings: ConfigurationProblems) -> None:
    if urlsplit(node.text).password or _PASSWORD.search(node.text):
        hint = "write env:SYNCENGINE_LEDGER_URL and set that variable to the whole URL"
        findings.add("SE555", "the configuration contains a password", node, hint, severity="warning")


def _key_path(node: Mapping, url: str, around: ConfigurationContext, findings: ConfigurationProblems) -> str:
    reference = scalar(node, "key")
    written = (_DEFAULT_KEY if reference is None else reference.text).removeprefix("file:")
    beside = [Path(url.removeprefix(_SQLITE)).parent] if url.startswith(_SQLITE) else []
    path = key_file(written, around, *beside)
    if path is None and reference is not None:
        hint = "put it into the repository or beside the ledger, or list its folder in SYNCENGINE_ALLOW_FILES"
        findings.add("SE553", "the file of the ledger's key lies outside the repository", reference, hint)
    return str(path or around.root / written)
