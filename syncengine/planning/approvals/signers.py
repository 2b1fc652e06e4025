"""Parses the file of allowed signers, in the format that ssh-keygen describes under ALLOWED SIGNERS.

ssh-keygen checks each line alone, in a file of its own, so that another line cannot change the meaning of a line that
was read as one person's. Lines that are unreadable, or that name no particular person, are kept apart with a reason.
"""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from syncengine.core.text import hidden_in, lines_of, revealed

_PRINCIPALS = re.compile(r'(?:"([^"]*)"|([^ \t"]+))[ \t]+(.*)', re.DOTALL)
_KEY = re.compile(r"((?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+={0,2})(?=[ \t]|$)")
# Options are read as OpenSSH does: in quotes, a backslash before a quote keeps it from closing. No input matches in two
# ways.
_OPTIONS = re.compile(r'((?:"(?:[^"\\]|\\"|\\(?!"))*"|[^\s"])+)[ \t]+(.*)', re.DOTALL)
_PATTERN = re.compile(r"[*?!]")


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `fault` says why it cannot approve; empty where it can."""

    number: int
    principals: tuple[str, ...]
    options: str
    key_type: str
    key: bytes
    fault: str = ""

    @property
    def is_authority(self) -> bool:
        """Whether the key certifies other keys."""
        return any(option.strip().lower() == "cert-authority" for option in self.options.split(","))

    @property
    def line(self) -> str:
        """The line for ssh-keygen: only the parts that were parsed."""
        options = f" {self.options}" if self.options else ""
        key = base64.b64encode(self.key).decode()
        return f'"{",".join(self.principals)}"{options} {self.key_type} {key}\n'


def signers_in(text: str) -> list[Signer]:
    """Every line that holds a key, and those that should. A byte order mark at the start is not part of the first
    name."""
    found = []
    for number, raw in enumerate(lines_of(text), 1):
        line = raw.strip(" \t")
        if line and not line.startswith("#"):
            found.append(_signer(number, line))
    return found


def _signer(number: int, line: str) -> Signer:
    unread = Signer(
        number=number, principals=(), options="", key_type="", key=b"", fault=f"the line cannot be read{_hidden(line)}"
    )
    split = _PRINCIPALS.fullmatch(line)
    if split is None:
        return unread
    listed = split[1] if split[1] is not None else split[2]
    principals = tuple(filter(None, listed.split(",")))
    options, rest = "", split[3]
    key = _KEY.match(rest)
    if key is None and (more := _OPTIONS.fullmatch(rest)) is not None:
        options, rest = more[1], more[2]
        key = _KEY.match(rest)
    if key is None or not principals:
        return unread
    try:
        blob = base64.b64decode(key[2], validate=True)
    except (ValueError, binascii.Error):
        return unread
    fault = _fault(listed, principals)
    return Signer(number=number, principals=principals, options=options, key_type=key[1], key=blob, fault=fault)


def _fault(listed: str, principals: tuple[str, ...]) -> str:
    """Why these names cannot approve; empty where they are names of people."""
    for name in principals:
        point = hidden_in(name)
        if point:
            what = "a space" if point == "U+0020" else f"the invisible character {point}"
            return f"the principal {revealed(name)[:80]!r} holds {what}"
    if any(_PATTERN.search(name) for name in principals):
        return f"it is for {listed[:80]!r}, which names no one in particular"
    return ""


def _hidden(line: str) -> str:
    point = hidden_in(line.replace(" ", "").replace("\t", ""))
    return f": it holds the invisible character {point}" if point else ""
