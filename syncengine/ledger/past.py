"""The ledger as it was at an earlier position: the present records without those that came later.

Every record has a position in the chain, so what came later is a range of the chain. Only an erasure
and a new key change earlier records: what they made unreadable stays so, and a plan that depends on it comes out with
another digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from syncengine.core.history import Attempt, LeadHistory
from syncengine.core.operations import Kind
from syncengine.core.values import LeadId
from syncengine.ledger.rows import SPAN
from syncengine.ledger.view import Reader


class _Later(msgspec.Struct, frozen=True, kw_only=True):
    """References of the records after a position, by kind."""

    requests: frozenset[int]
    answers: frozenset[int]
    resolutions: frozenset[int]
    erasures: frozenset[str]
    names: frozenset[tuple[str, str, str]]


class PastLedger:
    """The records of one account up to a position, as planning reads them."""

    def __init__(self, reader: Reader, account: str, position: int) -> None:
        self._reader = reader
        self._account = account
        self._position = position

    def stored(self, kind: Kind, lead: LeadId, values: Mapping[str, str]) -> dict[str, str]:
        """The stored forms of values, by name."""
        return self._reader.stored(kind, lead, values)

    def matches(self, stored: str, kind: Kind, lead: LeadId, name: str, value: str) -> bool:
        """Whether a stored form represents `value`."""
        return self._reader.matches(stored, kind, lead, name, value)

    def histories(self, account: str, leads: Sequence[LeadId]) -> Mapping[LeadId, LeadHistory]:
        """Histories of these leads then; a lead without any is left out."""
        found: dict[LeadId, LeadHistory] = {}
        for lead, present in self._reader.histories(account, leads).items():
            attempts = [self._then(a) for a in present.attempts if a.number // SPAN not in self._later.requests]
            forgotten = present.forgotten and lead not in self._later.erasures
            if attempts or forgotten:
                found[lead] = LeadHistory(attempts, forgotten=forgotten)
        return found

    def _then(self, attempt: Attempt) -> Attempt:
        """An attempt as it was known then. Its process was alive if it recorded the answer later."""
        if attempt.number // SPAN in self._later.answers:
            attempt = msgspec.structs.replace(attempt, answer=None, live=True)
        if attempt.number in self._later.resolutions:
            attempt = msgspec.structs.replace(attempt, resolution=None)
        return attempt

    def names(self, account: str) -> Mapping[tuple[str, str, str], str]:
        """(changeset, kind, name) to the id that the name had resolved to."""
        return {key: target for key, target in self._reader.names(account).items() if key not in self._later.names}

    def attempts_of(self, account: str, changeset: str) -> int:
        """How many attempts a changeset had."""
        return self._reader.attempts_of(account, changeset) - self._attempts_after.get(changeset, 0)

    def recorded_among(self, account: str, changesets: frozenset[str]) -> frozenset[str]:
        """The subset of these changesets that had at least one attempt."""
        present = changesets & self._reader.changesets_of(account)
        if not self._attempts_after.keys() & present:
            return present
        return frozenset(changeset for changeset in present if self.attempts_of(account, changeset))

    @cached_property
    def _later(self) -> _Later:
        rows = self._reader.engine.read(
            lambda: self._reader.engine.rows("records_after", account=self._account, position=self._position)
        )
        refs: dict[str, list[str]] = {}
        for kind, ref in rows:
            refs.setdefault(kind, []).append(ref)
        return _Later(
            requests=frozenset(map(int, refs.get("request", ()))),
            answers=frozenset(map(int, refs.get("answer", ()))),
            resolutions=frozenset(map(int, refs.get("resolution", ()))),
            erasures=frozenset(refs.get("erasure", ())),
            names=frozenset(_name(ref) for ref in refs.get("name", ())),
        )

    @cached_property
    def _attempts_after(self) -> dict[str, int]:
        """Attempts that came later, by changeset."""
        rows = self._reader.engine.read(
            lambda: self._reader.engine.rows("attempts_after", account=self._account, position=self._position)
        )
        return {changeset: int(count) for changeset, count in rows}


def _name(ref: str) -> tuple[str, str, str]:
    _, changeset, kind, name = json.loads(ref)
    return changeset, kind, name
