"""Converts rows to values: runs, stored values, and the messages of answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from syncengine.core.ports import PlannedFrom, RunRecord
from syncengine.core.values import PlanDigest, RunId, parse_money
from syncengine.ledger.engine import Row

SPAN = 65_536
"""Attempt numbers per request: number = request * SPAN + position. Also the most operations that one may carry."""

SHARED = "*"
"""The lane of a run that several workers execute; each holds a lane of its own."""

Live = Collection[tuple[str, int]]
"""Runs and epochs of the leases held now. Their unanswered requests are in flight."""

decode_values = msgspec.json.Decoder(dict[str, str]).decode
_decode_words: Any = msgspec.json.Decoder(tuple[str, str, tuple[str, ...]]).decode
_decode_own_words: Any = msgspec.json.Decoder(tuple[str, tuple[str, ...]]).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode
_decode_planned = msgspec.json.Decoder(PlannedFrom).decode


@lru_cache(maxsize=4096)
def shared_message(words: str) -> str:
    """The message shared by all attempts of an answer that have none of their own."""
    if not words:
        return ""
    envelope, message, warnings = _decode_words(words)
    return _with_warnings(message or envelope, warnings)


def own_message(words: str) -> str:
    """The message of an attempt that has one of its own."""
    if not words:
        return ""
    message, warnings = _decode_own_words(words)
    return _with_warnings(message, warnings)


def _with_warnings(message: str, warnings: tuple[str, ...]) -> str:
    return f"{message} (warnings: {'; '.join(warnings)})" if warnings else message


def plain_values(vals: str) -> dict[str, str]:
    """Names to stored forms."""
    return decode_values(vals) if vals else {}


def spent_amount(vals: str, name: str) -> int:
    """An amount of an attempt in hundredths; 0 where it sent none, or was erased."""
    return parse_money(plain_values(vals).get(name, "").removeprefix("=")) or 0


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of runs, in the order of its columns."""

    id: str
    position: int
    account: str
    lane: str
    epoch: int
    plan: str
    plan_path: str
    changesets: str
    total: int
    host: str
    policy_digest: str
    wire_digest: str
    tool: str
    approvals: str
    planned: str
    claimed: str
    machine: str
    pid: int
    started: str
    ended: str | None
    exit_code: int | None
    stopped: str | None
    cancelled_by: str | None
    cancelled_at: str | None

    @property
    def is_shared_and_open(self) -> bool:
        """Whether workers execute the run: such a run is live until its last shard is done, even without a worker."""
        return self.lane == SHARED and self.ended is None

    def record(self, *, live: bool) -> RunRecord:
        """The run as a RunRecord."""
        return RunRecord(
            run=RunId(self.id),
            account=self.account,
            plan=PlanDigest(self.plan),
            changesets=_decode_texts(self.changesets),
            total=self.total,
            started=self.started,
            ended=self.ended,
            exit=self.exit_code,
            stopped=self.stopped or "",
            policy_digest=self.policy_digest,
            host=self.machine,
            pid=self.pid,
            live=live,
            shared=self.lane == SHARED,
            cancelled=self.cancelled_at is not None,
            plan_path=self.plan_path,
            wire_digest=self.wire_digest,
            approvals=_decode_texts(self.approvals) if self.approvals else (),
            planned=_decode_planned(self.planned) if self.planned else None,
            claimed=self.claimed,
        )


class BegunRow(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of a run that identify the plan it executed."""

    account: str
    lane: str
    plan: str
    id: str
    changesets: str
    plan_path: str
    total: int
    started: str
    ended: str | None
    stopped: str | None
    planned: str

    @property
    def is_partial(self) -> bool:
        """Whether the plan was one of a part of its changesets."""
        return bool(self.planned) and _decode_planned(self.planned).partial

    @property
    def is_shared_and_open(self) -> bool:
        """See RunRow."""
        return self.lane == SHARED and self.ended is None

    @property
    def changeset_ids(self) -> tuple[str, ...]:
        """The plan's changesets."""
        return _decode_texts(self.changesets)


def begun_rows(rows: Sequence[Row]) -> list[BegunRow]:
    """Rows of begun plans by name."""
    names = BegunRow.__struct_fields__
    return [BegunRow(**dict(zip(names, row, strict=True))) for row in rows]


def run_rows(rows: Sequence[Row]) -> list[RunRow]:
    """Rows of runs by name."""
    names = RunRow.__struct_fields__
    return [RunRow(**dict(zip(names, row, strict=True))) for row in rows]
