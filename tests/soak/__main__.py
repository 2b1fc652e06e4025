"""The soak: python -m tests.soak --runs 2000

Many small runs, one after the other, in one process, with a service that now and then refuses, loses or delays. Prints
what the process holds as it goes; ends with 1 where handles, threads or files grow, or memory by more than is allowed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from .measuring import LEADS, soak

ALLOWED = 16 << 20
PER_RUN = 2 << 10
"""Bytes by which memory may grow from the first sample to the last: for caches that fill, SQLite's own the largest of
them, and for the list of runs on record that planning goes through."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="how many runs of five leads each (default 2000)")
    parser.add_argument("--every", type=int, default=100, help="runs between two samples (default 100)")
    options = parser.parse_args()
    began = time.monotonic()
    samples = []
    with tempfile.TemporaryDirectory(prefix="syncengine-soak-") as folder:
        print(f"{'runs':>8} {'seconds':>8} {'MiB':>8} {'handles':>8} {'threads':>8} {'files':>8} {'ledger KiB':>10}")
        for sample in soak(Path(folder), options.runs, options.every):
            samples.append(sample)
            columns = (
                f"{sample.runs:>8} {time.monotonic() - began:>8.0f} {sample.resident / 2**20:>8.1f}",
                f"{sample.handles:>8} {sample.threads:>8} {sample.files:>8} {sample.ledger // 1024:>10}",
            )
            print(*columns, flush=True)
    first, last = samples[0], samples[-1]
    grown = [name for name in ("handles", "threads", "files") if getattr(last, name) > getattr(first, name)]
    runs = last.runs - first.runs
    if last.resident - first.resident > ALLOWED + PER_RUN * runs:
        grown.append("memory")
    print(
        f"{last.runs} runs of {LEADS} leads; memory grew by {(last.resident - first.resident) / 2**20:.1f} MiB "
        f"over the last {runs}: {'GROWN: ' + ', '.join(grown) if grown else 'nothing else grew'}"
    )
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
