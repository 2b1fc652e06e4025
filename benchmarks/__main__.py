"""`python -m benchmarks [--small] [CASE...]`: measures, and prints each goal beside what was reached."""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.cases import CASES, FULL, SMALL, Size
from benchmarks.measuring import Line

_PACKAGES = (
    "syncengine",
    "httpx",
    "httpcore",
    "msgspec",
    "PyYAML",
    "jsonschema-rs",
    "psycopg",
    "duckdb",
    "requests",
    "dlt",
)


def main() -> None:
    """The command line. The table goes to standard output, as Markdown; what is going on goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or more of {', '.join(CASES)}; default: all")
    parser.add_argument("--small", action="store_true", help="a smoke run: it shows that everything works, no more")
    parser.add_argument("--rounds", type=int, help="rounds of interleaved contestants; ratios are their medians")
    parser.add_argument("--leads", type=int, help="leads to apply")
    parser.add_argument("--rows", type=int, help="rows to plan")
    parser.add_argument("--peer-python", dest="python", metavar="PATH", help="interpreter of the environment with dlt")
    arguments = parser.parse_args()
    names = ("rounds", "leads", "rows", "python")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    size = dataclasses.replace(SMALL if arguments.small else FULL, **given)
    unknown = set(arguments.cases) - CASES.keys()
    if unknown:
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    print(_machine(size), flush=True)
    print("\n| measured | reached | goal | met | |\n| --- | --- | --- | --- | --- |", flush=True)
    for name in arguments.cases or CASES:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="syncengine-benchmark-") as folder:
            _print(CASES[name](Path(folder), size))
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _machine(size: Size) -> str:
    packages = []
    for package in _PACKAGES:
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} x {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load average at the start {load}.\n{', '.join(packages)}.\n"
        f"{size.leads:,} leads applied, {size.rows:,} rows planned, {size.rounds} rounds."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _print(lines: Iterable[Line]) -> None:
    for line in lines:
        goal = "" if line.goal is None else f"at {'least' if line.bound == 'min' else 'most'} {line.goal:g}"
        digits = 0 if line.reached >= 100 else 2 if line.reached < 10 else 1
        reached = f"{line.reached:,.{digits}f} {line.unit}".strip()
        print(f"| {line.what} | {reached} | {goal} | {line.verdict} | {line.note} |", flush=True)


if __name__ == "__main__":
    main()
