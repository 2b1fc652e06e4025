"""Where this installation came from, as a requirement that pip can install on another machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import syncengine

DISTRIBUTION = "leadbyte-syncengine"

# What needs no quoting in a workflow: neither YAML nor a shell nor the expressions of a CI system read any of it.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/@!*+,;=%\[\]()-]+")
_HASH = re.compile(r"(sha256|sha384|sha512)=[0-9a-fA-F]{64,128}")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_FOLDER = "it was installed from a local folder or file, which no other machine has"


class Installed(NamedTuple):
    """`requirement` is "" where no other machine could install it, `reason` why; `note` is what was left out of it."""

    requirement: str
    reason: str = ""
    note: str = ""


def this_installation(extra: str) -> Installed:
    """What pip needs to install this very syncengine, with an extra: a pinned version, or a URL."""
    # Loaded here: it takes longer to load than most of this program.
    from importlib.metadata import PackageNotFoundError, distribution

    import msgspec

    name = f"{DISTRIBUTION}[{extra}]"
    try:
        found = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        return Installed("", "it runs from a folder that was not installed")
    origin = found.read_text("direct_url.json")
    if origin is None:
        # A checkout may be run beside an installation: the metadata is of the latter.
        if Path(str(found.locate_file("syncengine/__init__.py"))).resolve() != Path(syncengine.__file__).resolve():
            return Installed("", "it runs from a folder that was not installed")
        return Installed(f"{name}=={found.version}")
    try:
        recorded = msgspec.json.decode(origin.encode())
        return _from_url(name, recorded) if isinstance(recorded, dict) else Installed("", _UNREADABLE)
    except (msgspec.DecodeError, KeyError, ValueError, TypeError, AttributeError):
        return Installed("", _UNREADABLE)


_UNREADABLE = "the record of its installation (direct_url.json) cannot be read"


def _from_url(name: str, recorded: Mapping[str, Any]) -> Installed:
    """From the record that PEP 610 describes."""
    url, note = _without_credentials(recorded["url"])
    if urlsplit(url).scheme not in ("https", "http", "ssh"):
        return Installed("", _FOLDER)
    fragments = [f"subdirectory={recorded['subdirectory']}"] if recorded.get("subdirectory") else []
    vcs, archive = recorded.get("vcs_info"), recorded.get("archive_info")
    if isinstance(vcs, dict):
        if vcs["vcs"] != "git" or not _COMMIT.fullmatch(vcs["commit_id"]):
            return Installed("", f"its record names no commit of git, but {str(vcs['vcs'])[:20]}")
        url = f"git+{url}@{vcs['commit_id']}"
    elif isinstance(archive, dict):
        fragments += _hashes(archive)
    else:
        return Installed("", _FOLDER)
    parts = [url, *fragments]
    if not all(_PLAIN.fullmatch(part) for part in parts):
        return Installed("", "the URL that it was installed from has characters that a workflow would read otherwise")
    return Installed(f"{name} @ {url}" + ("#" + "&".join(fragments) if fragments else ""), note=note)


def _without_credentials(url: str) -> tuple[str, str]:
    """The URL without what may be a secret, and what to know about that."""
    scheme, netloc, path, query, _ = urlsplit(url)
    user, at, host = netloc.rpartition("@")
    # With SSH the user is part of the address; a password is not.
    kept = f"{user.partition(':')[0]}@" if at and scheme == "ssh" else ""
    left_out = bool(query) or (bool(at) and (scheme != "ssh" or ":" in user))
    note = "the URL had credentials or a query, which are left out: give the runner its own access" if left_out else ""
    return urlunsplit((scheme, kept + host, path, "", "")), note


def _hashes(archive: Mapping[str, Any]) -> list[str]:
    """The strongest hash of an archive, as pip takes it in a URL; [] where none was recorded."""
    hashes = archive.get("hashes")
    texts = [f"{name}={value}" for name, value in hashes.items()] if isinstance(hashes, dict) else []
    texts += [archive["hash"]] if isinstance(archive.get("hash"), str) else []
    return sorted(text for text in texts if _HASH.fullmatch(text))[-1:]
