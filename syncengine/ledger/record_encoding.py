"""Encodes the contents of records for the hash chain and for `ledger export`."""

from __future__ import annotations

from typing import Any

from syncengine.ledger.rows import RunRow


def run_content(run: RunRow) -> list[Any]:
    """A run as it began: everything but its end, which is a separate record."""
    return [
        run.id,
        run.account,
        run.lane,
        run.epoch,
        run.plan,
        run.plan_path,
        run.changesets,
        run.total,
        run.host,
        run.policy_digest,
        run.wire_digest,
        run.tool,
        run.approvals,
        run.machine,
        run.pid,
        run.started,
        # Runs from before these columns existed are hashed without them. A claim comes after `planned`, even an empty
        # one, so that neither can be taken for the other.
        *([run.planned] if run.planned or run.claimed else []),
        *([run.claimed] if run.claimed else []),
    ]


def event_content(event: tuple[Any, ...]) -> list[Any]:
    """A rare event: id, account, kind, author, note, detail, at."""
    return list(event)


def resolution_content(number: int, *, applied: bool, by: str, at: str, note: str) -> list[Any]:
    """A person's decision about one attempt; `note` is a seal."""
    return [number, int(applied), by, at, note]
