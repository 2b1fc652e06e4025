"""The accounts section: URLs that a key may be sent to, the sources of keys, and configured names."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping as AbstractMapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from syncengine.core.settings import Account, EnvKey, FieldRules, FileKey, KeyReference, Limits, Reads, Wire
from syncengine.core.spreadsheets import fault_of_buyer, fault_of_id
from syncengine.core.text import is_blank
from syncengine.core.values import is_service_id
from syncengine.documents.did_you_mean import did_you_mean
from syncengine.documents.files import inside
from syncengine.documents.nodes import Mapping, Node, Scalar
from syncengine.documents.section import (
    ConfigurationProblems,
    entries,
    flag,
    scalar,
    scalars,
    section,
    text,
    texts,
    typed,
)

LOOPBACK = "loopback"
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}", re.ASCII)
_ENV_PREFIXES = ("LEADBYTE_", "SYNCENGINE_")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9](?:[a-z0-9-]{0,62}))*", re.ASCII)


class ConfigurationContext(NamedTuple):
    """Context of a configuration: its folder and the environment."""

    root: Path
    env: AbstractMapping[str, str]


class Address(NamedTuple):
    """A host as the ledger records it, and the URL that requests go to."""

    url: str
    host: str


_NO_ADDRESS = Address("", "")
_ADDRESS_EXAMPLE = "write https://acme.leadbyte.co.uk"
_ENDS_AFTER_HOST = "base_url must end after the host: no path, no query, no fragment"
_LOOPBACK_ONLY = "plain http is for loopback only, since the API key travels with every request"


def accounts_of(root: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> dict[str, Account]:
    """Every account by its name."""
    accounts: dict[str, Account] = {}
    nodes: dict[str, Mapping] = {}
    for key, node in section(root, "accounts").entries:
        if isinstance(node, Mapping):
            accounts[key.text] = _account(key, node, around, findings)
            nodes[key.text] = node
    _check_former_names(accounts, nodes, findings)
    return accounts


def _account(key: Scalar, node: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> Account:
    address = _address(node.get("base_url"), findings)
    former = text(node, "was") or None
    hosts = [_other_host(item, findings) for item in scalars(node, "hosts")]
    return Account(
        name=key.text,
        identity=former or key.text,
        base_url=address.url,
        host=address.host,
        hosts=tuple(host for host in hosts if host),
        was=former,
        api_key=_api_key(node, around, findings),
        limits=typed(section(node, "limits"), Limits),
        wire=typed(section(node, "wire"), Wire),
        reads=Reads(leads=flag(section(node, "reads"), "leads")),
        deliveries=_deliveries(node, findings),
        buyers=_buyers(node, findings),
        fields=FieldRules(
            public=texts(section(node, "fields"), "public"), allow_empty=flag(section(node, "fields"), "allow_empty")
        ),
        lead_schema=_lead_schema(node, around, findings),
        line=key.line,
    )


def _check_former_names(
    accounts: dict[str, Account], nodes: dict[str, Mapping], findings: ConfigurationProblems
) -> None:
    by_identity: dict[str, str] = {}
    for name, account in accounts.items():
        node = nodes[name].get("was") or nodes[name]
        if account.was is not None and account.was in accounts:
            hint = "'was' gives a name that is no longer used, and is never chained"
            findings.add("SE556", f"the former name {account.was!r} is itself an account here", node, hint)
        elif account.identity in by_identity:
            message = f"the accounts {by_identity[account.identity]!r} and {name!r} have one former name"
            findings.add("SE556", message, node, "one account can have gone by it")
        by_identity.setdefault(account.identity, name)


def _address(node: Node | None, findings: ConfigurationProblems) -> Address:
    if not isinstance(node, Scalar):
        return _NO_ADDRESS
    try:
        parts = urlsplit(node.text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        findings.add("SE550", "base_url is not a URL", node, _ADDRESS_EXAMPLE)
        return _NO_ADDRESS
    recorded = recorded_host(host, port if port != _default_port(parts.scheme) else None)
    fault = _address_fault(node.text, parts, recorded)
    if fault or recorded is None:
        findings.add("SE550", fault, node, _ADDRESS_EXAMPLE)
        return _NO_ADDRESS
    shown = f"[{host}]" if ":" in host else host
    return Address(f"{parts.scheme}://{_with_port(shown, port)}", recorded)


def _address_fault(text: str, parts: SplitResult, recorded: str | None) -> str:
    """What is wrong with a base_url; "" if nothing is."""
    faults = {
        "base_url must begin with https://": parts.scheme not in ("http", "https"),
        "base_url must not hold a user name or password": "@" in parts.netloc,
        _ENDS_AFTER_HOST: parts.path not in ("", "/") or "?" in text or "#" in text,
        "base_url does not name a host": recorded is None or not text.isascii() or text != text.strip(),
        _LOOPBACK_ONLY: parts.scheme == "http" and recorded != LOOPBACK,
    }
    return next((fault for fault, applies in faults.items() if applies), "")


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def recorded_host(host: str, port: int | None) -> str | None:
    """The host as the ledger records it: "loopback", or lower case with a non-default port; None where it is not a
    host."""
    host = host.lower()
    if host == "localhost":
        return LOOPBACK
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _with_port(host, port) if _is_host_name(host) else None
    if address.is_loopback:
        return LOOPBACK
    return _with_port(f"[{address}]" if address.version == 6 else str(address), port)


def _is_host_name(host: str) -> bool:
    # What ends in a number, or begins with 0x, resolvers take for an IPv4 address in an old notation (127.1, 0x7f.1).
    numeric = host.rpartition(".")[2].isdigit() or host.startswith("0x")
    return not numeric and _HOST.fullmatch(host) is not None


def _with_port(host: str, port: int | None) -> str:
    return host if port is None else f"{host}:{port}"


def _other_host(node: Scalar, findings: ConfigurationProblems) -> str:
    try:
        parts = urlsplit(f"//{node.text}")
        host = recorded_host(parts.hostname or "", parts.port)
    except ValueError:
        host = None
    if host is None or not node.text.isascii() or any(sign in node.text for sign in "/@?#"):
        findings.add("SE550", "this is not the name of a host", node, "write acme.leadbyte.com, without https://")
        return ""
    return host


def _api_key(node: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> KeyReference | None:
    reference = scalar(node, "api_key")
    if reference is None:
        return None
    kind, _, rest = reference.text.partition(":")
    if kind == "env" and rest:
        return EnvKey(rest) if _is_allowed_variable(rest, reference, around, findings) else None
    if kind == "file" and rest:
        path = key_file(rest, around)
        if path is not None:
            return FileKey(str(path))
        hint = "put it into the repository (and .gitignore), or list its folder in SYNCENGINE_ALLOW_FILES"
        findings.add("SE553", "the file of the API key lies outside the repository", reference, hint)
        return None
    hint = "write env:LEADBYTE_API_KEY and set that variable, or file:PATH; if this is a real key, replace it now"
    findings.add("SE551", "api_key must say where the key is found, never be the key", reference, hint)
    return None


def _is_allowed_variable(
    name: str, node: Scalar, around: ConfigurationContext, findings: ConfigurationProblems
) -> bool:
    if _ENV_NAME.fullmatch(name) is None:
        findings.add("SE551", "this is not the name of an environment variable", node, "write env:LEADBYTE_API_KEY")
        return False
    allowed = re.split(r"[\s,:]+", around.env.get("SYNCENGINE_ALLOW_ENV", ""))
    if name.startswith(_ENV_PREFIXES) or name in allowed:
        return True
    hint = f"name it LEADBYTE_... or SYNCENGINE_..., or list it: SYNCENGINE_ALLOW_ENV={name}"
    findings.add("SE552", f"the environment variable {name} may not be used here", node, hint)
    return False


def variable_of(node: Scalar, around: ConfigurationContext, findings: ConfigurationProblems) -> str | None:
    """The variable that "env:NAME" names, if it may be used; otherwise None, and the problem is reported."""
    name = node.text.removeprefix("env:")
    return name if _is_allowed_variable(name, node, around, findings) else None


def key_file(text: str, around: ConfigurationContext, *more: Path) -> Path | None:
    """The absolute path of a key file in the repository, in `more` or in an allowed folder; otherwise None, and the
    problem is reported.

    Links are resolved, as far as the file exists; relative paths begin at the configuration's folder.
    """
    allowed = [Path(part) for part in around.env.get("SYNCENGINE_ALLOW_FILES", "").split(":") if part.startswith("/")]
    try:
        path = (around.root / text).resolve()
        folders = [folder.resolve() for folder in (around.root, *more, *allowed)]
    except (OSError, RuntimeError, ValueError):
        return None
    return path if any(path.is_relative_to(folder) for folder in folders) else None


def _deliveries(node: Mapping, findings: ConfigurationProblems) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in entries(node, "deliveries"):
        _check_name(key, "delivery", findings)
        if not is_service_id(value.text):
            fault = fault_of_id(value.text)
            cause = "" if fault is None else f": {fault.cause}"
            hint = 'write the id as LeadByte shows it, such as "1053"'
            message = f"the id of the delivery {key.text!r} must be digits without a leading zero{cause}"
            findings.add("SE554", message, value, hint)
        found[key.text] = value.text
    return found


def _buyers(node: Mapping, findings: ConfigurationProblems) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in entries(node, "buyers"):
        if fault_of_buyer(key.text) is not None:
            findings.add("SE554", f"the buyer name {key.text!r} looks like an id", key, "give it a name with a letter")
        fault = fault_of_buyer(value.text)
        if is_blank(value.text):
            findings.add("SE554", f"the buyer {key.text!r} has no id", value, 'write its BID, such as "33"')
        elif fault is not None:
            message = f"{value.text[:40]!r} is not the id of a buyer: {fault.cause}"
            findings.add("SE554", message, value, 'write its BID, such as "33"')
        found[key.text] = value.text
    return found


def _check_name(key: Scalar, what: str, findings: ConfigurationProblems) -> None:
    # A cell that a spreadsheet damaged must not match a name by chance.
    if key.text.isdigit() or fault_of_buyer(key.text) is not None:
        findings.add("SE554", f"the {what} name {key.text!r} looks like an id", key, "give it a name with a letter")


def _lead_schema(node: Mapping, around: ConfigurationContext, findings: ConfigurationProblems) -> str | None:
    reference = scalar(node, "lead_schema")
    if reference is None:
        return None
    path = inside(around.root, Path(reference.text))
    if path is None:
        candidates = sorted(str(each.relative_to(around.root)) for each in around.root.glob("schemas/*.json"))
        hint = did_you_mean(reference.text, candidates) if candidates else "paths are relative to this file"
        findings.add("SE553", "lead_schema is not a file in the repository", reference, hint)
        return None
    return str(path)
