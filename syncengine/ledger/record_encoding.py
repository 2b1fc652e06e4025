"""Contents of records as they enter the hash chain, and as `ledger export` prints them."""

from __future__ import annotations

from typing import Any

from syncengine.ledger.rows import RunRow


def run_content(run: RunRow) -> list[Any]:
    """A run as it began: everything but its end, which is a record of its own."""
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
        # Runs of before are sealed into the chain without it.
        *([run.planned] if run.planned else []),
    ]


def event_content(event: tuple[Any, ...]) -> list[Any]:
    """A rare event: id, account, kind, by whom, note, detail, at."""
    return list(event)


def resolution_content(number: int, *, applied: bool, by: str, at: str, note: str) -> list[Any]:
    """A person's word on one attempt; `note` is a seal."""
    return [number, int(applied), by, at, note]
