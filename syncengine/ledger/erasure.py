"""Erasure of one lead: values, digests, amounts and messages are removed; ids, field names, outcomes and times stay."""

from __future__ import annotations

import msgspec

from syncengine.core.ports import Forgotten, Lease
from syncengine.core.values import LeadId, PlanDigest
from syncengine.ledger.chain import append_to, seal
from syncengine.ledger.engine import Engine
from syncengine.ledger.rows import plain_values

_encode = msgspec.json.Encoder().encode


def forget(engine: Engine, lease: Lease, lead: LeadId, *, by: str, at: str) -> Forgotten:
    """Inside a transaction, under the lease. A lead without attempts is blocked as well. Idempotent."""
    account = lease.account
    count = _erase_attempts(engine, account, lead)
    _erase_texts(engine, account, lead)
    _erase_answers(engine, account, lead)
    if engine.run("insert_erasure", account=account, lead=lead, by_whom=by, at=at):
        append_to(engine, account, lease.lane, [("erasure", lead, [account, lead, by, at])])
    plans = engine.rows("plans_of_lead", account=account, lead=lead)
    return Forgotten(attempts=count, plans=tuple((PlanDigest(plan), path) for plan, path in plans))


def _erase_attempts(engine: Engine, account: str, lead: LeadId) -> int:
    rows = engine.rows("erasable_attempts", account=account, lead=lead)
    # The names stay, so that it is still known what an operation affects. No stored form equals "".
    erased = [
        (_encode(dict.fromkeys(plain_values(vals), "")).decode() if vals else "", seal(salt, vals), number)
        for number, vals, salt in rows
    ]
    engine.many("erase_attempt", erased)
    return len(erased)


def _erase_texts(engine: Engine, account: str, lead: LeadId) -> None:
    for find, erase in (("erasable_outcomes", "erase_outcome"), ("erasable_resolutions", "erase_resolution")):
        rows = engine.rows(find, account=account, lead=lead)
        engine.many(erase, [(seal(salt, text), number) for number, text, salt in rows])


def _erase_answers(engine: Engine, account: str, lead: LeadId) -> None:
    """Erase a request's messages if it was about this lead alone or names it. Messages that many leads share are kept,
    and are no longer shown for this lead."""
    rows = engine.rows("erasable_answers", account=account, lead=lead)
    engine.many(
        "erase_answer",
        [
            (seal(salt, words), request)
            for request, words, salt, sealed, leads in rows
            if sealed is None and (leads == 1 or lead in words)
        ],
    )
