"""Operation ids: decide which two operations are the same. The promise "nothing irreversible happens twice" depends on
it.

An identity covers the names of what is set, never the values, so correcting a postcode next to an applied trigger does
not change the trigger's identity. File names, order, comments, batch sizes and hosts are not part of it. See
docs/identity.md.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from syncengine.core.operations import Kind, Operation, Update, generation_of, kind_of, names_of, target_of
from syncengine.core.values import ChangesetId, OperationId

SCHEME = "1"
"""First character of every operation id. A new algorithm for ids takes a new character."""

_ENCODER = msgspec.json.Encoder()

if TYPE_CHECKING:
    from hashlib import _Hash


def operation_id(account: str, changeset: ChangesetId, operation: Operation) -> OperationId:
    """40 hexadecimal characters, the first of which is the scheme. `account` is the identity's account name."""
    if operation.__class__ is Update:
        kind, rest = Kind.UPDATE, _after_the_lead("", 1, tuple(operation.fields))
    else:
        kind = kind_of(operation)
        rest = _after_the_lead(target_of(operation), generation_of(operation), names_of(operation))
    digest = _before_the_lead(account, changeset, kind).copy()
    digest.update(_ENCODER.encode(operation.lead) + rest)
    return OperationId(SCHEME + digest.hexdigest()[:39])


# What is hashed is one JSON list of texts. Only the lead differs between the operations of a change, so the part before
# the lead is hashed once and the part after it is encoded once.


@lru_cache(maxsize=1024)
def _before_the_lead(account: str, changeset: str, kind: str) -> _Hash:
    parts = _ENCODER.encode(["syncengine-operation", SCHEME, account, changeset, kind])
    return hashlib.sha256(parts[:-1] + b",")


@lru_cache(maxsize=1024)
def _after_the_lead(delivery: str, generation: int, names: tuple[str, ...]) -> bytes:
    return b"," + _ENCODER.encode([delivery, str(generation), *sorted(names)])[1:]


def fingerprint(key: bytes, lead: str, name: str, value: str) -> str:
    """Keyed digest of one value of one lead. Without the key a guess cannot be tested against it."""
    message = _ENCODER.encode([lead, name, value])
    return hashlib.blake2b(message, key=key, digest_size=16, person=b"syncengine-value").hexdigest()
