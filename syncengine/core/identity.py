"""Identity: which operation is the same operation. The promise "nothing irreversible happens twice" rests on it.

An identity holds the names of what is set, never the values: correcting a postcode beside an applied trigger leaves
the trigger's identity alone. It knows no file names, order, comments, batch sizes or hosts. See docs/identity.md.
"""

from __future__ import annotations

import hashlib

import msgspec

from syncengine.core.operations import Operation, delivery_of, generation_of, kind_of, values_of
from syncengine.core.values import ChangesetId, OperationId

SCHEME = "1"
"""First character of every operation id; a new way of computing ids takes a new character."""

_ENCODER = msgspec.json.Encoder()


def operation_id(account: str, changeset: ChangesetId, operation: Operation) -> OperationId:
    """40 hexadecimal characters, the first of which is the scheme. `account` is the identity's account name."""
    names = sorted(values_of(operation))
    parts = [
        "syncengine-operation",
        SCHEME,
        account,
        changeset,
        kind_of(operation).value,
        operation.lead,
        delivery_of(operation),
        str(generation_of(operation)),
        *names,
    ]
    return OperationId(SCHEME + hashlib.sha256(_ENCODER.encode(parts)).hexdigest()[:39])


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a value's canonical JSON: text, lists and mappings with sorted keys; never a float."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def fingerprint(key: bytes, lead: str, name: str, value: str) -> str:
    """Keyed digest of one value of one lead; without the key nobody can test a guess against it."""
    message = _ENCODER.encode([lead, name, value])
    return hashlib.blake2b(message, key=key, digest_size=16, person=b"syncengine-value").hexdigest()
