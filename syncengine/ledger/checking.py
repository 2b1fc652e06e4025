"""Integrity checks and export: recomputes the hash chains from the records and compares the derived counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from syncengine.core.ports import CheckFinding
from syncengine.core.values import LeadId
from syncengine.ledger.chain import ORIGIN, link
from syncengine.ledger.engine import Engine
from syncengine.ledger.record_contents import Link, erasable_texts, load
from syncengine.ledger.rows import SPAN
from syncengine.ledger.status_counts import Tally, by_operation, open_attempts, tally_of
from syncengine.ledger.view import Reader

PAGE = 50
"""Records that are read at once, at most."""
_OPERATIONS = 10_000
"""Operations to read at once, in as many records as hold them."""
_LEADS = 400


def head(engine: Engine) -> str:
    """POSITION-HASH over the ends of all lanes: two ledgers with the same head hold the same records."""

    def work() -> str:
        ends = {(row[0], row[1]): (row[7], row[8]) for row in engine.rows("get_lanes") if row[7]}
        return head_of(engine.rows("last_position")[0][0], ends)

    return engine.read(work)


def pages(engine: Engine) -> Iterator[tuple[list[Link], dict[int, Any]]]:
    """Chain rows by position, each page with the current contents of its records (by position)."""
    after, count = 0, PAGE
    while True:

        def work(after: int = after, count: int = count) -> tuple[list[Link], dict[int, Any]]:
            links = [Link(*row) for row in engine.rows("page_of_chain", after=after, count=count)]
            return links, load(engine, links)

        links, contents = engine.read(work)
        if not links:
            return
        yield links, contents
        after = links[-1].position
        # A request may hold one operation or a thousand: what a page takes in memory depends on those.
        size = sum(
            len(contents[each.position][4]) for each in links if each.kind == "request" and each.position in contents
        )
        count = max(2, min(PAGE, len(links) * _OPERATIONS // max(size, 1)))


def check(engine: Engine, known_head: str | None) -> Iterator[CheckFinding]:
    """Recompute every lane's chain and compare it with what is stored. Findings name the first record that differs."""
    walk = _Walk(known_head)
    for links, contents in pages(engine):
        for one in links:
            yield from walk.step(one, contents.get(one.position))
    yield from walk.finish(engine)


class _Walk:
    """Last step and hash of each lane while walking the chain."""

    def __init__(self, known_head: str | None) -> None:
        self._ends: dict[tuple[str, str], tuple[int, str]] = {}
        self._records: dict[str, int] = {}
        self._head = known_head
        self._position = (known_head or "").partition("-")[0]
        self._met = known_head is None

    def step(self, one: Link, content: Any) -> Iterator[CheckFinding]:
        lane = (one.account, one.lane)
        step, previous = self._ends.get(lane, (0, ORIGIN))
        if one.step != step + 1:
            gone = f"{one.step - step - 1} records before it are gone" if one.step > step else "it is out of order"
            yield CheckFinding(where=one.where, message=gone, position=one.position)
        if content is None:
            yield CheckFinding(where=one.where, message="the record itself is gone", position=one.position)
        elif link(previous, one.kind, content) != one.hash:
            yield CheckFinding(
                where=one.where,
                message="its content, or the record before it, was changed after it was written",
                position=one.position,
            )
        # Continue from the stored hash, so that the next change is located as well.
        self._ends[lane] = (one.step, one.hash)
        self._count(one.kind, content)
        if str(one.position) == self._position:
            self._met = head_of(one.position, self._ends) == self._head

    def _count(self, kind: str, content: Any) -> None:
        if content is None:
            return
        self._records[kind] = self._records.get(kind, 0) + 1
        if kind == "request":
            self._records["attempt"] = self._records.get("attempt", 0) + len(content[4])
        elif kind == "answer":
            self._records["outcome"] = self._records.get("outcome", 0) + len(content[6])

    def finish(self, engine: Engine) -> Iterator[CheckFinding]:
        rows, counts = engine.read(lambda: (engine.rows("get_lanes"), _counts(engine)))
        for account, lane, *_, step, stored in rows:
            if (step, stored) != self._ends.get((account, lane), (0, ORIGIN)):
                yield CheckFinding(
                    where=f"end of account {account or '(the ledger itself)'}",
                    message=f"{step} records were written, but the chain ends elsewhere: its last records are gone",
                )
        for kind, count in counts.items():
            if count > self._records.get(kind, 0):
                more = count - self._records.get(kind, 0)
                yield CheckFinding(where=f"{kind} records", message=f"{more} were added outside of the chain")
        if not self._met:
            yield CheckFinding(
                where="head",
                message=f"the ledger never had the head {self._head}: records since then were replaced or lost, or the "
                "head is another ledger's; write it as `ledger check` printed it",
            )


def _counts(engine: Engine) -> dict[str, int]:
    kinds = ("request", "answer", "resolution", "erasure", "run", "attempt", "outcome", "event")
    return {kind: engine.rows(f"stray_{kind}s")[0][0] for kind in kinds}


def head_of(position: int, ends: dict[tuple[str, str], tuple[int, str]]) -> str:
    """The head for these ends of lanes (step and hash by account and lane)."""
    lanes = [[account, lane, step, stored] for (account, lane), (step, stored) in sorted(ends.items())]
    return f"{position}-{link('', 'head', lanes)[:32]}"


def check_counts(reader: Reader) -> Iterator[CheckFinding]:
    """Compare tallies and doubts with the attempts."""
    counts: dict[str, Tally] = {}
    opened: set[int] = set()
    for account, leads in _leads(reader.engine):
        for history in reader.snapshot(account, leads, frozenset()).values():
            for attempts in by_operation(history).values():
                counts.setdefault(account, Tally()).update(tally_of(attempts))
                opened.update(attempt.number for attempt in open_attempts(attempts))
    yield from _check_tallies(reader.engine, counts)
    yield from _check_doubts(reader.engine, opened)


def _check_tallies(engine: Engine, counts: dict[str, Tally]) -> Iterator[CheckFinding]:
    for account, run, *stored in engine.read(lambda: engine.rows("get_tallies")):
        own = counts.get(account, Tally())
        expected = [own[run, column] for column in ("applied", "rejected", "not_sent")]
        if stored != expected:
            where = f"counts of run {run}" if run else f"counts of account {account}"
            yield CheckFinding(where=where, message=f"stored {stored}, but the records say {expected}")


def _check_doubts(engine: Engine, opened: set[int]) -> Iterator[CheckFinding]:
    """`opened` are the attempts that the records show as in doubt, or in flight. Those in flight are pending."""
    listed = {number for number, *_ in engine.read(lambda: engine.rows("get_doubts"))}
    pending = {request for request, *_ in engine.read(lambda: engine.rows("get_pending"))}
    missing = {number for number in opened - listed if number // SPAN not in pending}
    for number in sorted(missing | (listed - opened)):
        said = "in doubt but not listed" if number in missing else "listed as in doubt, but settled"
        yield CheckFinding(where=f"attempt {number}", message=said)


def _leads(engine: Engine) -> Iterator[tuple[str, list[LeadId]]]:
    """All leads of the ledger in order, page by page."""
    account, lead = "", ""
    while True:
        rows = engine.read(
            lambda account=account, lead=lead: engine.rows("page_of_leads", account=account, lead=lead, count=_LEADS)  # type: ignore[misc]  # default arguments
        )
        if not rows:
            return
        for owner, of_owner in groupby(rows, key=itemgetter(0)):
            yield owner, [LeadId(found) for _, found in of_owner]
        account, lead = rows[-1]


def export(engine: Engine) -> Iterator[str]:
    """Every record as one line of JSON: its place in the chain, and its rows as the tables hold them now."""
    rows = engine.read(lambda: engine.rows("all_meta"))
    yield json.dumps({"record": "ledger", **{name: value for name, value in rows if name != "key_check"}})
    for links, contents in pages(engine):
        texts = engine.read(lambda links=links: erasable_texts(engine, links))  # type: ignore[misc]  # default argument
        for one in links:
            yield json.dumps(
                {
                    "record": one.kind,
                    "position": one.position,
                    "account": one.account,
                    "lane": one.lane,
                    "step": one.step,
                    "hash": one.hash,
                    "content": contents.get(one.position),
                    **({"texts": texts[one.position]} if one.position in texts else {}),
                },
                ensure_ascii=False,
            )
