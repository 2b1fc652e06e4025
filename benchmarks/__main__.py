"""`python -m benchmarks [--small] [CASE...]`: measures, and prints each goal beside what was reached."""

from __future__ import annotations

import argparse
import dataclasses
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.cases import CASES, FULL, SMALL
from benchmarks.measuring import Line

_PACKAGES = ("syncengine", "httpx", "httpcore", "msgspec", "PyYAML", "jsonschema-rs", "psycopg", "requests", "dlt")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one or more of {', '.join(CASES)}; default: all")
    parser.add_argument("--small", action="store_true", help="a smoke run of seconds: it shows that everything works")
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
    print(_machine(), flush=True)
    for name in arguments.cases or CASES:
        with tempfile.TemporaryDirectory(prefix="syncengine-benchmark-") as folder:
            _print(CASES[name](Path(folder), size))


def _machine() -> str:
    packages = []
    for package in _PACKAGES:
        try:
            packages.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine()) if sys.platform == "linux" else ""  # fmt: skip
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load {load}\n{', '.join(packages)}\n\n"
        f"| {'measured':<48} | {'reached':>34} | {'goal':>8} | met |\n| {'-' * 48} | {'-' * 34} | {'-' * 8} | --- |"
    )


def _print(lines: Iterable[Line]) -> None:
    for line in lines:
        goal = "" if line.goal is None else f"{'>=' if line.bound == 'min' else '<='} {line.goal:g}"
        digits = 0 if line.reached >= 100 else 2 if line.reached < 10 else 1
        reached = f"{line.reached:,.{digits}f} {line.unit}".strip()
        note = f" {line.note}" if line.note else ""
        print(f"| {line.what:<48} | {reached:>34} | {goal:>8} | {line.verdict:<3} |{note}", flush=True)


if __name__ == "__main__":
    main()
