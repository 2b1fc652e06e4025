"""Contents of shards: lines of the plan, encrypted for holders of the ledger's key.

The database stores them until their run ends. Access to the database, or to a copy of it, reveals no values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.errors import LedgerTrouble
from syncengine.core.plan import PlannedOperation

if TYPE_CHECKING:
    from pyrage import x25519

_encode = msgspec.json.Encoder().encode
_LINE = msgspec.json.Decoder(PlannedOperation)
_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PERSON = b"syncengine-queue"


def line_of(planned: PlannedOperation) -> bytes:
    """One line, without the fields that sending does not need: the values before, and the place of declaration."""
    return _encode(msgspec.structs.replace(planned, before={}, done=(), reason="", names=())) + b"\n"


def lines_in(pieces: Iterable[bytes]) -> Iterator[PlannedOperation]:
    """The operations of a shard, in order."""
    for piece in pieces:
        yield from _LINE.decode_lines(piece)


class Sealer:
    """Encrypts and decrypts content with a key that is derived from the ledger's own."""

    def __init__(self, ledger_key: bytes) -> None:
        secret = hashlib.blake2b(key=ledger_key, digest_size=32, person=_PERSON).digest()
        self._identity = _identity(secret)
        self._recipient = self._identity.to_public()

    def seal(self, content: bytes) -> bytes:
        """Encrypt and authenticate."""
        import pyrage

        return bytes(pyrage.encrypt(content, [self._recipient]))

    def open(self, sealed: bytes) -> bytes:
        """Decrypt content. Raises LedgerTrouble where another key sealed it, or it was changed."""
        import pyrage

        try:
            return bytes(pyrage.decrypt(sealed, [self._identity]))
        except pyrage.DecryptError as error:
            raise LedgerTrouble(
                "a shard cannot be opened with this ledger's key",
                hint="give every worker the ledger.key that the plan was submitted with",
            ) from error


def _identity(secret: bytes) -> x25519.Identity:
    from pyrage import x25519

    return x25519.Identity.from_str(_bech32("age-secret-key-", secret).upper())


def _bech32(prefix: str, data: bytes) -> str:
    """Bech32 encoding (BIP 173), the format of age keys."""
    number = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    count = -(-len(data) * 8 // 5)
    words = [number >> (5 * (count - 1 - position)) & 31 for position in range(count)]
    expanded = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    remainder = _polymod([*expanded, *words, 0, 0, 0, 0, 0, 0]) ^ 1
    checksum = [remainder >> 5 * (5 - position) & 31 for position in range(6)]
    return prefix + "1" + "".join(_ALPHABET[word] for word in (*words, *checksum))


def _polymod(words: Iterable[int]) -> int:
    check = 1
    for word in words:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ word
        for bit, value in enumerate(_GENERATOR):
            check ^= value if top >> bit & 1 else 0
    return check
