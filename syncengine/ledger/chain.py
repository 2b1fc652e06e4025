"""Tamper evidence: every record is hashed together with the one before it in its account's lane.

A text that may be erased enters the chain as a seal, a salted hash of the text. Erasing removes text and salt and keeps
the seal, so the chain stays valid and a guess cannot be tested against it. The formats here are part of the ledger:
they never change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from syncengine.ledger.engine import Engine, first

ORIGIN = "0" * 64
"""The hash before the first record of a lane."""

_encode = msgspec.json.Encoder().encode

# Copied for each seal: copying a hash object is faster than creating one.
_SEAL = hashlib.blake2b(digest_size=16)

Entry = tuple[str, str, Any]
"""Kind, reference and content of a record to be appended."""


def seal(salt: str, text: str) -> str:
    """Salted hash that replaces a text which may be erased; "" for no text."""
    if not text:
        return ""
    state = _SEAL.copy()
    state.update((salt + text).encode())
    return state.hexdigest()


def link(previous: str, kind: str, content: Any) -> str:
    """Hash of a record: `content` is text, whole numbers, null and lists of them."""
    state = hashlib.sha256(previous.encode())
    state.update(_encode([kind, content]))
    return state.hexdigest()


def request_content(request: int, run: str, epoch: int, at: str, attempts: Sequence[Sequence[Any]]) -> list[Any]:
    """Content of a request: per attempt number, operation, changeset, lead, kind, delivery, generation, seal."""
    return [request, run, epoch, at, attempts]


def answer_content(row: Sequence[Any], words: str, exceptions: Sequence[Sequence[Any]]) -> list[Any]:
    """Content of an answer: request, verdict, status, at and outcome of `row`; `words` is a seal. Each exception is
    number, outcome, seal."""
    return [*row[:5], words, exceptions]


class Lane(msgspec.Struct, frozen=True):
    """A lane whose row is locked by this transaction, and the end of its chain."""

    account: str
    lane: str
    step: int
    head: str


def lock_lane(engine: Engine, account: str, lane: str) -> Lane:
    """Lock a lane's row until the transaction ends; creates the row for a new lane."""
    row = first(engine.rows("lock_lane", account=account, lane=lane))
    if row is None:
        engine.run("add_lane", account=account, lane=lane, head=ORIGIN)
        row = engine.rows("lock_lane", account=account, lane=lane)[0]
    return Lane(account, lane, *row[1:])


def append(engine: Engine, lane: Lane, entries: Sequence[Entry]) -> int:
    """Append records to a lane, and return the lane's new last step. Call it once, as the last step of a transaction:
    positions are assigned, from one row for all accounts, in the message that commits."""
    account, name, step, head = lane.account, lane.lane, lane.step, lane.head
    rows = []
    for kind, ref, content in entries:
        step += 1
        head = link(head, kind, content)
        rows.append((account, name, step, kind, ref, head))
    engine.put("move_head", account=account, lane=name, step=step, head=head)
    engine.many("append_chain", rows)
    return step


def append_to(engine: Engine, account: str, lane: str, entries: Sequence[Entry]) -> None:
    """Lock a lane, creating it if it is new, and append records to it."""
    append(engine, lock_lane(engine, account, lane), entries)
