"""A short soak: what a run takes it gives back. The long one is a command of its own, see docs/testing.md."""

from __future__ import annotations

from pathlib import Path

from .measuring import soak

ALLOWED = 8 << 20
"""Bytes; memory is given back in lumps, so that a short soak cannot be strict."""


def test_small_runs_leave_nothing_behind(tmp_path: Path) -> None:
    first, *_, last = soak(tmp_path, runs=30, every=10)
    assert (last.runs, first.runs) == (30, 10)
    assert last.handles <= first.handles
    assert last.threads <= first.threads
    assert last.files <= first.files
    assert last.resident - first.resident < ALLOWED
    assert last.ledger > first.ledger
