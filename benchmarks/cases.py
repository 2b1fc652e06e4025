"""What is measured: each case works in a folder of its own and gives lines of the table."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import postgres, workload
from benchmarks.commits import commit_rates
from benchmarks.lookup_rejects import lookups, rejected_rows
from benchmarks.measuring import REPOSITORY, BenchmarkError, Cost, Line, Series, Service, run, service, syncengine
from benchmarks.workers import shared_apply

HERE = REPOSITORY / "benchmarks"
_LATENCIES = (("20 ms", 0.02), ("0 ms", 0.0))
_STARTS = 9


@dataclass(frozen=True)
class Size:
    """How much is measured: leads to apply, rows to plan, rounds; `slow` leads for contestants of one lead a call."""

    leads: int
    rows: int
    rounds: int
    slow: int
    peer: int
    python: str = sys.executable
    """The interpreter that has dlt, which pins versions of its own and may need an environment of its own."""


SMALL = Size(leads=400, rows=1_000, rounds=1, slow=5, peer=200)
FULL = Size(leads=100_000, rows=1_000_000, rounds=5, slow=100, peer=2_000)

Case = Callable[[Path, Size], Iterator[Line]]


def _applied(cost: Cost, leads: int) -> Cost:
    """The cost of an apply, where it did what it was asked for."""
    counts = json.loads(cost.out)["counts"]
    if counts["applied"] != leads:
        raise BenchmarkError(f"apply should have applied {leads}, and says {counts}")
    return cost


def _apply(folder: Path, leads: int, plan: str = "release.plan") -> Cost:
    """Apply to a ledger that does not know the leads."""
    shutil.rmtree(folder / ".syncengine", ignore_errors=True)
    return _applied(run(syncengine("apply", plan, "--format", "json"), folder, units=leads), leads)


def _plan(folder: Path, rows: int, out: str = "release.plan", specs: str = "specs", *, again: bool = False) -> Cost:
    if not again:
        shutil.rmtree(folder / ".syncengine", ignore_errors=True)
    cost = run(syncengine("plan", specs, "--out", out, "--format", "text"), folder, units=rows)
    if not (folder / out).stat().st_size > 100 * rows:
        raise BenchmarkError(f"the plan of {rows} rows is too small to hold them")
    return cost


def _scripts(target: Service, folder: Path, size: Size) -> list[tuple[str, int, list[str]]]:
    """Everybody else: name, leads, command."""
    few = workload.write_csv(folder / "few.csv", size.slow).name
    some = workload.write_csv(folder / "some.csv", size.peer).name
    found = [("bare httpx", size.leads, [sys.executable, str(HERE / "bare_httpx.py"), target.url, "rows.csv"])]
    if importlib.util.find_spec("requests"):
        found.append(("requests loop", size.slow, [sys.executable, str(HERE / "requests_loop.py"), target.url, few]))
    if shutil.which("curl"):
        found.append(("curl loop", size.slow, ["bash", str(HERE / "curl_loop.sh"), target.url, few]))
    if subprocess.run([size.python, "-c", "import dlt"], capture_output=True, check=False).returncode == 0:
        peer = [size.python, str(HERE / "dlt_peer.py"), target.url, some, str(folder / "dlt")]
        found.append(("dlt", size.peer, peer))
    return found


def apply_updates(folder: Path, size: Size) -> Iterator[Line]:
    """Updates from a saved plan, beside everybody else."""
    source = workload.write_csv(folder / "rows.csv", size.leads)
    workload.changeset(folder / "specs" / "repair.yaml", source)
    with service() as target, postgres.server() as address:
        workload.configuration(folder, target.url)
        _plan(folder, size.leads)
        for words, latency in _LATENCIES:
            series = Series()
            for number in range(size.rounds):
                for name, leads, command in _scripts(target, folder, size):
                    target.reset(latency)
                    shutil.rmtree(folder / "dlt", ignore_errors=True)
                    series.add(name, run(command, folder, units=leads))
                    target.expect(leads)
                target.reset(latency)
                series.add("syncengine", _apply(folder, size.leads))
                target.expect(size.leads)
                if address is not None and latency:
                    ledger = postgres.new_database(address, f"round_{number}")
                    workload.configuration(folder, target.url, ledger=ledger)
                    target.reset(latency)
                    series.add("syncengine, PostgreSQL", _apply(folder, size.leads))
                    target.expect(size.leads)
                    workload.configuration(folder, target.url)
            yield from _apply_lines(series, words, at_once=not latency)


def _apply_lines(series: Series, words: str, *, at_once: bool) -> Iterator[Line]:
    bare, ours, server = "bare httpx", "syncengine", "syncengine, PostgreSQL"
    yield Line(f"bare httpx at {words}", 1 / series.seconds(bare), "leads/s", note=_per_lead(series, bare))
    yield Line(f"apply at {words}, speed", series.speed(ours, bare), "of bare httpx", 0.60 if at_once else 0.80, "min",
               f"{_spread(series, ours, bare)}; {1 / series.seconds(ours):,.0f} leads/s")  # fmt: skip
    yield Line(f"apply at {words}, CPU", series.cpu_ratio(ours, bare), "of bare httpx", 2.0,
               note=_per_lead(series, ours))  # fmt: skip
    yield Line(f"apply at {words}, memory", series.memory(ours), "MiB", 200)
    if server in series.costs:
        yield Line(f"apply at {words}, PostgreSQL ledger, speed", series.speed(server, bare), "of bare httpx", 0.60,
                   "min", f"{_spread(series, server, bare)}; {_per_lead(series, server)}")  # fmt: skip
    for name in series.costs.keys() - {bare, ours, server}:
        leads = f"{series.costs[name][0].units:,} leads"
        yield Line(f"{name} at {words}, speed", series.speed(name, bare), "of bare httpx", note=leads)


def _per_lead(series: Series, name: str) -> str:
    return f"{series.cpu(name) * 1e6:.0f} us of CPU a lead"


def _spread(series: Series, name: str, against: str) -> str:
    ratios = series.speeds(name, against)
    return f"{min(ratios):.2f} to {max(ratios):.2f}"


def plan_rows(folder: Path, size: Size) -> Iterator[Line]:
    """Plans at two sizes, from three kinds of source; then apply of the big one, and planning it again."""
    small = max(size.rows // 10, 1)
    _sources(folder, small, size.rows)
    series = Series()
    with service() as target:
        workload.configuration(folder, target.url)
        for _ in range(min(size.rounds, 3)):
            for kind in _kinds(folder):
                series.add(kind, _plan(folder, small, specs=f"small/{kind}"))
        series.add("big", _plan(folder, size.rows, specs="big/csv"))
        yield Line(f"plan {size.rows:,} rows of CSV, CPU", series.cpu("big") * 1e6, "us a row", 25)
        yield Line(f"plan {size.rows:,} rows of CSV, memory", series.memory("big"), "MiB", 150)
        yield Line(f"plan {small:,} rows of CSV, memory", series.memory("csv"), "MiB", 150)
        for kind in _kinds(folder)[1:]:
            yield Line(f"plan {small:,} rows of {_KINDS[kind]}, CPU", series.cpu_ratio(kind, "csv"), "of CSV", 1.5)
        yield from _afterwards(folder, size, series)


_KINDS = {"csv": "CSV", "jsonl": "JSON Lines", "parquet": "Parquet"}


def _kinds(folder: Path) -> list[str]:
    return [kind for kind in _KINDS if (folder / "small" / kind).is_dir()]


def _sources(folder: Path, small: int, big: int) -> None:
    """The rows in every kind of file that can be written here, each with its changeset; the big one as CSV."""
    rows = workload.write_csv(folder / "small.csv", small)
    written = {"csv": rows, "jsonl": workload.write_json_lines(folder / "small.jsonl", small)}
    if importlib.util.find_spec("duckdb"):
        written["parquet"] = workload.write_parquet(folder / "small.parquet", rows)
    for kind, source in written.items():
        workload.changeset(folder / "small" / kind / "repair.yaml", source, relative=f"../../{source.name}")
    source = workload.write_csv(folder / "big.csv", big)
    workload.changeset(folder / "big" / "csv" / "repair.yaml", source, relative=f"../../{source.name}")


def _afterwards(folder: Path, size: Size, series: Series) -> Iterator[Line]:
    """Apply of the big plan, then planning and looking at a ledger that holds it."""
    applied = _apply(folder, size.rows)
    pace = f"{size.rows / applied.seconds:,.0f} leads/s, {applied.cpu / size.rows * 1e6:.0f} us of CPU a lead"
    yield Line(f"apply of {size.rows:,} rows, memory", applied.memory, "MiB", 200, note=pace)
    series.add("again", _plan(folder, size.rows, out="again.plan", specs="big/csv", again=True))
    note = f"ledger with {size.rows:,} applied operations"
    yield Line("plan again, time", 1 / series.speed("again", "big"), "of the first plan", 1.5,
               note=f"{note}; {_per_row(series)}")  # fmt: skip
    yield Line("plan again, memory", series.memory("again"), "MiB")
    looks = Series()
    for _ in range(max(size.rounds, 3)):
        looks.add("status", run(syncengine("status"), folder))
        looks.add("history", run(syncengine("history", "--lead", str(workload.FIRST_LEAD + 7)), folder))
    yield Line("status", looks.seconds("status") * 1000, "ms", 200, note=note)
    yield Line("history --lead", looks.seconds("history") * 1000, "ms", 200, note=note)


def _per_row(series: Series) -> str:
    return f"{series.cpu('again') * 1e6:.0f} us of CPU a row"


def literal_yaml(folder: Path, size: Size) -> Iterator[Line]:
    """A changeset with every lead written out, beside a plain load of the same file."""
    workload.literal_yaml(folder / "specs" / "by-hand.yaml", size.leads)
    workload.configuration(folder, "http://127.0.0.1:1")
    series = Series()
    plain = "import sys, yaml; yaml.load(open(sys.argv[1], encoding='utf-8'), Loader=yaml.CSafeLoader)"
    for _ in range(min(size.rounds, 3)):
        series.add("CSafeLoader", run([sys.executable, "-c", plain, "specs/by-hand.yaml"], folder))
        series.add("load", run([sys.executable, str(HERE / "load_only.py"), "specs"], folder))
        series.add("validate", run(syncengine("validate", "specs"), folder))
    yield Line(f"load literal YAML of {size.leads:,} leads, CPU", series.cpu_ratio("load", "CSafeLoader"),
               "of CSafeLoader", 0.5)  # fmt: skip
    yield Line("load literal YAML, memory", series.memory("load"), "MiB", 1024)
    yield Line("validate of it, CPU", series.cpu_ratio("validate", "CSafeLoader"), "of CSafeLoader")


def grouped_financials(folder: Path, size: Size) -> Iterator[Line]:
    """Financials one by one, in groups of 50, and in groups of which some are refused and must be split."""
    leads = max(size.leads // 10, 100)
    source = workload.write_csv(folder / "rows.csv", leads)
    workload.financial_changeset(folder / "specs" / "restate.yaml", source)
    series = Series()
    with service() as target:
        for name, group in (("one by one", 1), ("groups of 50", 50)):
            workload.configuration(folder, target.url, financials_per_request=group)
            _plan(folder, leads)
            for _ in range(min(size.rounds, 3)):
                target.reset(0.02)
                series.add(name, _apply(folder, leads))
                target.expect(leads)
    yield Line("financials in groups of 50 at 20 ms", series.speed("groups of 50", "one by one"), "times one by one")
    with service("--refuse", "500") as target:
        workload.configuration(folder, target.url, financials_per_request=50)
        _plan(folder, leads)
        shutil.rmtree(folder / ".syncengine", ignore_errors=True)
        target.reset(0.02)
        cost = run(["sh", "-c", 'test "$1"; shift; "$@"; test $? -eq 4', "sh", "x",
                    *syncengine("apply", "release.plan", "--format", "json")], folder)  # fmt: skip
        counts, refused = json.loads(cost.out)["counts"], -(-leads // 500)
        if (counts["rejected"], counts["applied"]) != (refused, leads - refused):
            raise BenchmarkError(f"groups were not split down to the {refused} refused leads: {counts}")
        target.expect(leads - refused)
        yield Line("  with one refused lead in 500", series.seconds("one by one") / (cost.seconds / leads),
                   "times one by one", note=f"{target.counts()['requests']} requests for {leads} leads")  # fmt: skip


def start(folder: Path, size: Size) -> Iterator[Line]:
    """What a command takes before it does anything."""
    source = workload.write_csv(folder / "rows.csv", 1)
    workload.changeset(folder / "specs" / "one.yaml", source)
    workload.configuration(folder, "http://127.0.0.1:1", schema=False)
    series = Series()
    for _ in range(_STARTS if size.rounds > 1 else 1):
        series.add("python -c pass", run([sys.executable, "-c", "pass"], folder))
        series.add("--help", run(syncengine("--help"), folder))
        series.add("validate", run(syncengine("validate", "specs"), folder))
    bare = "python -c pass"
    yield Line("syncengine --help", 1 / series.speed("--help", bare), "times python -c pass", 5)
    yield Line("validate of a small file", 1 / series.speed("validate", bare), "times python -c pass", 15)


CASES: dict[str, Case] = {
    "start": start,
    "yaml": literal_yaml,
    "apply": apply_updates,
    "financials": grouped_financials,
    "plan": plan_rows,
    "workers": shared_apply,
    "commits": commit_rates,
    "lookup": lookups,
    "rejects": rejected_rows,
}
