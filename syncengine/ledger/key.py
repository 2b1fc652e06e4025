"""The ledger's own key, and the forms in which values are kept. The key is never the API key.

Stored forms: "#" and a keyed digest, or "=" and the text. Amounts and buyers are always text.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from syncengine.core.errors import LedgerTrouble
from syncengine.core.operations import Kind
from syncengine.documents.files import open_ordinary

KEY_BYTES = 32
_MOST_BYTES = 1024
CHECK_NAME = "key-check"

KeyState = Literal["right", "wrong", "missing"]


def read_key(path: Path) -> bytes | None:
    """The key in this file, or None where the file does not exist. Raises LedgerTrouble where it holds no key."""
    try:
        with open_ordinary(path) as file:
            text = file.read(_MOST_BYTES).decode("ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LedgerTrouble(f"ledger key {path} cannot be read: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise LedgerTrouble(
            f"ledger key {path} does not hold a key of {KEY_BYTES * 2} hexadecimal characters",
            hint="restore it from the backup; if it is lost, move the file away and run `syncengine ledger migrate "
            "--rekey --by NAME --note TEXT`",
        )
    return key


def ensure_key(path: Path, token: Callable[[int], str]) -> bytes:
    """The key in this file, created if missing (mode 0600). An existing key is never replaced."""
    key = read_key(path)
    if key is not None:
        return key
    text = token(KEY_BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_whole(path, text + "\n")
    except FileExistsError:
        # Another process that started at the same moment created it. The file is complete, and its key is now the
        # ledger's.
        made = read_key(path)
        if made is None:
            raise LedgerTrouble(f"ledger key {path} cannot be written: its place is taken") from None
        return made
    except OSError as error:
        raise LedgerTrouble(f"ledger key {path} cannot be written: {error.strerror}") from error
    return bytes.fromhex(text)


def _write_whole(path: Path, text: str) -> None:
    """Write a new file completely or not at all: after a full disk, half a key would be taken for a lost one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.new")
    try:
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


class ValueForms:
    """Stored forms of values in this ledger. Without a key no value matches a digest, and new forms match only each
    other."""

    def __init__(self, *, plain: bool, key: bytes | None) -> None:
        self.plain = plain
        self.key = key
        self._encode = msgspec.json.Encoder().encode
        # Copying a prepared hash takes half the time of preparing one per value. The digest equals
        # core.identity.fingerprint.
        secret = key if key is not None else os.urandom(KEY_BYTES)
        self._keyed = hashlib.blake2b(key=secret, digest_size=16, person=b"syncengine-value")

    def digest(self, lead: str, name: str, value: str) -> str:
        """Keyed digest of one value of one lead."""
        state = self._keyed.copy()
        state.update(self._encode((lead, name, value)))
        return state.hexdigest()

    def stored(self, kind: Kind, lead: str, values: Mapping[str, str]) -> dict[str, str]:
        """The stored forms of values, by name."""
        if self.plain or kind is Kind.FINANCIALS:
            return {name: "=" + value for name, value in values.items()}
        keyed, encode = self._keyed, self._encode
        found: dict[str, str] = {}
        for name, value in values.items():
            state = keyed.copy()
            state.update(encode((lead, name, value)))
            found[name] = "#" + state.hexdigest()
        return found

    def store(self, kind: Kind, lead: str, name: str, value: str) -> str:
        """The stored form of a value."""
        if self.plain or kind is Kind.FINANCIALS:
            return "=" + value
        return "#" + self.digest(lead, name, value)

    def matches(self, stored: str, lead: str, name: str, value: str) -> bool:
        """Whether a stored form represents `value`."""
        if stored.startswith("="):
            return stored[1:] == value
        return self.key is not None and stored == "#" + self.digest(lead, name, value)

    def check_value(self, ledger_id: str) -> str:
        """The value by which the ledger recognises its key."""
        return self.digest(ledger_id, CHECK_NAME, "1")

    def state(self, ledger_id: str, expected: str) -> KeyState:
        """Whether this is the key that made the ledger's digests."""
        if self.key is None:
            return "missing"
        return "right" if self.check_value(ledger_id) == expected else "wrong"
