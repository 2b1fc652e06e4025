"""From addresses to lead ids, and rejected rows back: what each costs a row, at two sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import workload
from benchmarks.measuring import BenchmarkError, Cost, Line, run, service, syncengine

if TYPE_CHECKING:
    from benchmarks.cases import Size

_REFUSED = 10
"""One lead in so many is refused."""


def lookups(folder: Path, size: Size) -> Iterator[Line]:
    """A table of addresses, one search a request and twenty, at two sizes."""
    with service() as target:
        for per_request in (1, 20):
            words = "1 search" if per_request == 1 else f"{per_request} searches"
            workload.configuration(folder, target.url, schema=False, searches_per_request=per_request)
            for rows in (max(size.leads // 10, 1), size.leads):
                target.reset()
                cost = _lookup(folder, rows)
                if target.counts()["leads"] != rows:
                    raise BenchmarkError(f"{target.counts()} searches reached the service, not {rows}")
                name = f"lookup of {rows:,} rows, {words} a request"
                yield Line(f"{name}, CPU", cost.cpu / rows * 1e6, "us a row", 1_000,
                           note=f"{rows / cost.seconds:,.0f} rows/s")  # fmt: skip
                yield Line(f"{name}, memory", cost.memory, "MiB", 200)


def _lookup(folder: Path, rows: int) -> Cost:
    workload.write_addresses(folder / "people.csv", rows)
    (folder / "ids.csv").unlink(missing_ok=True)
    command = syncengine("lookup", "people.csv", "--campaign", "565", "--email", "email", "--out", "ids.csv")
    cost = run([*command, "--format", "json"], folder, units=rows)
    if json.loads(cost.out)["one"] != rows:
        raise BenchmarkError(f"not every row has an id: {cost.out}")
    return cost


def rejected_rows(folder: Path, size: Size) -> Iterator[Line]:
    """The rows of a run that a service refused one in ten of, from the plan and without it, at two sizes."""
    with service("--refuse", str(_REFUSED)) as target:
        for rows in (max(size.leads // 10, _REFUSED), size.leads):
            place = folder / str(rows)
            place.mkdir()
            workload.configuration(place, target.url)
            workload.changeset(place / "specs" / "repair.yaml", workload.write_csv(place / "rows.csv", rows))
            run(syncengine("plan", "specs", "--out", "release.plan"), place)
            apply = syncengine("apply", "release.plan", "--format", "json")
            applied = run(["sh", "-c", '"$@"; test $? -eq 4', "sh", *apply], place)
            execution = json.loads(applied.out)["run"]
            for words in ("from the plan", "without the plan"):
                yield from _rejects(place, execution, rows, words)
                (place / "release.plan").unlink(missing_ok=True)


def _rejects(place: Path, execution: str, rows: int, words: str) -> Iterator[Line]:
    cost = run(syncengine("rejects", execution, "--out", f"{words}.csv", "--format", "json"), place, units=rows)
    [table] = json.loads(cost.out)["tables"]
    if table["rejected"] != -(-rows // _REFUSED):
        raise BenchmarkError(f"one row in {_REFUSED} was refused, and these came back: {table}")
    yield Line(f"rejects of {rows:,} rows, {words}, CPU", cost.cpu / rows * 1e6, "us a row", 100)
    yield Line(f"rejects of {rows:,} rows, {words}, memory", cost.memory, "MiB", 200)
