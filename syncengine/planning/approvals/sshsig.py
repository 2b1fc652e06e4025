"""Parses armoured SSH signatures: their key and their purpose. ssh-keygen decides whether they are valid."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

import msgspec

# No part of the pattern can match where its neighbour does, so matching is linear for any input.
_BLOCK = re.compile(r"-----BEGIN SSH SIGNATURE-----(?=\s)([A-Za-z0-9+/=\s]*)-----END SSH SIGNATURE-----")
_MAGIC = b"SSHSIG"
_VERSION = 1
_SMALLEST_RSA = 2048
_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
_CERTIFICATE = "-cert-v01@openssh.com"


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature block. `key` is the public key, or certificate, in its wire form."""

    armoured: str
    namespace: str
    key: bytes

    @property
    def key_type(self) -> str:
        """Key type in OpenSSH's notation; for a certificate the certificate's type."""
        return _Wire(self.key).text()

    @property
    def fingerprint(self) -> str:
        """SHA256:... of the key, or of the certificate."""
        digest = base64.b64encode(hashlib.sha256(self.key).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"

    @property
    def is_certificate(self) -> bool:
        """Whether the key came with a certificate."""
        return self.key_type.endswith(_CERTIFICATE)

    def weakness(self) -> str:
        """Why such a key cannot approve; empty where it can."""
        kind = self.key_type.removesuffix(_CERTIFICATE)
        plain = f"{kind}@openssh.com" if kind.startswith("sk-") and "@" not in kind else kind
        if plain not in _KEY_TYPES:
            return (
                f"keys of type {kind[:40]!r} cannot approve: use ed25519, ECDSA or RSA of {_SMALLEST_RSA} bits or more"
            )
        bits = self._rsa_bits() if plain == "ssh-rsa" else _SMALLEST_RSA
        if bits < _SMALLEST_RSA:
            return f"an RSA key of {bits} bits cannot approve: it needs {_SMALLEST_RSA} or more"
        return ""

    def _rsa_bits(self) -> int:
        wire = _Wire(self.key)
        wire.text()
        if self.is_certificate:
            wire.bytes()  # the nonce
        wire.bytes()  # the exponent
        return int.from_bytes(wire.bytes(), "big").bit_length()


def signatures_in(text: str) -> tuple[list[Signature], list[str]]:
    """The signature blocks of a file, in order, and the file's defects."""
    found: list[Signature] = []
    problems: list[str] = []
    for number, match in enumerate(_BLOCK.finditer(text), 1):
        try:
            found.append(_parsed(match[0], match[1]))
        except (ValueError, binascii.Error):
            problems.append(f"block {number} is no SSH signature")
    if _BLOCK.sub("", text).strip():
        problems.append("it holds something else than armoured SSH signatures" if found else "it is no SSH signature")
    elif not found and not problems:
        problems.append("it is empty")
    return found, problems


def _parsed(armoured: str, body: str) -> Signature:
    wire = _Wire(base64.b64decode("".join(body.split()), validate=True))
    if wire.take(len(_MAGIC)) != _MAGIC or wire.number() != _VERSION:
        raise ValueError("not an SSH signature")
    key = wire.bytes()
    namespace = wire.text()
    _Wire(key).text()
    return Signature(armoured=armoured.replace("\r", "") + "\n", namespace=namespace, key=key)


class _Wire:
    """Reads SSH's wire format; raises ValueError where it ends early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        if len(self._data) - self._at < count:
            raise ValueError("cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def bytes(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        return self.bytes().decode("ascii")
