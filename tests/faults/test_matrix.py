"""Each row of the matrix against the real sandbox: four plans a row, side by side."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from syncengine.api import Project, apply, load, plan
from tests.crash.bench import Bench

from .matrix import MATRIX, Cell, Row, table

_TLS = Path(__file__).parent.parent / "leadbyte" / "tls"
_DOCS = Path(__file__).parent.parent.parent / "docs" / "outcomes.md"
_LARGE = {f"field{number}": "x" * 10_000 for number in range(60)}

_UPDATE: dict[str, Any] = {"lead": "11", "update": {"c1": "a"}}
_TRIGGER: dict[str, Any] = {"lead": "12", "update": {"c1": "a"}, "trigger": ["1053"]}
_DECISION: dict[str, Any] = {"quarantined": "14", "action": "release"}
_MONEY: dict[str, Any] = {"lead": "13", "financials": {"payout": "80.00", "revenue": "120.00", "buyer": "33"}}


class Outcome(NamedTuple):
    """What became of each operation, by kind; how often it was asked for and done at the sandbox."""

    cells: dict[str, Cell]
    asked: dict[str, int]
    done: dict[str, int]
    stopped: str


@contextmanager
def somewhere(row: Row, bench: Bench) -> Iterator[dict[str, Any]]:
    """The account's settings for the place that the row talks to."""
    match row.place:
        case "sandbox":
            yield {}
        case "closed port":
            with socket.socket() as bound:
                bound.bind(("127.0.0.1", 0))
                yield {"base_url": f"http://127.0.0.1:{bound.getsockname()[1]}"}
        case "full queue":
            with ExitStack() as stack:
                listener = stack.enter_context(socket.socket())
                listener.bind(("127.0.0.1", 0))
                listener.listen(0)
                for _ in range(4):
                    waiting = stack.enter_context(socket.socket())
                    waiting.setblocking(False)
                    waiting.connect_ex(listener.getsockname())
                yield {"base_url": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        case "unknown name":
            yield {"base_url": "https://acme.invalid"}
        case "no TLS" | "foreign certificate":
            yield {"base_url": bench.sandbox.url.replace("http:", "https:")}


def run(row: Row, folder: Path, change: dict[str, Any]) -> Outcome:
    """Plan and apply one change under the row's trouble."""
    options: dict[str, Any] = {}
    if row.place == "foreign certificate":
        options["certificate"] = _TLS / "elsewhere.pem"
    with Bench(folder, **options) as bench, somewhere(row, bench) as account:
        bench.configure(limits=row.limits, **account)
        bench.configure(limits=row.limits, ledger={"id": bench.found()}, **account)
        bench.faults(*row.rules)
        if row.large and "update" in change:
            change = {**change, "update": _LARGE}
        project = Project.open(folder / "syncengine.yaml")
        path = folder / "release.plan"
        plan(load([bench.changeset("one-fault", change)], project), project, out=path)
        result = apply(path, project)
        with project.view() as view:
            assert view is not None
            records = {record.kind.value: record for record in view.history()}
        cells = {kind: Cell(record.outcome, len(record.attempts), result.exit) for kind, record in records.items()}
        asked = {kind: sum(each.startswith(f"{kind} ") for sent in bench.sent for each in sent) for kind in cells}
        done = {kind: sum(n for name, n in bench.done().items() if name.startswith(f"{kind} ")) for kind in cells}
        return Outcome(cells, asked, done, result.stopped)


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.group}: {row.name}")
def test_row(row: Row, tmp_path: Path) -> None:
    wanted = {"update": _UPDATE, "trigger": _TRIGGER}
    wanted |= ({"money": _MONEY} if row.money else {}) | ({"decision": _DECISION} if row.decision else {})
    with ThreadPoolExecutor(len(wanted)) as pool:
        running = {name: pool.submit(run, row, tmp_path / name, change) for name, change in wanted.items()}
        found = {name: future.result() for name, future in running.items()}
    seen = {"update": found["update"].cells["update"], "trigger": found["trigger"].cells["trigger"]}
    seen["beside"] = found["trigger"].cells["update"]
    if "money" in found:
        seen["money"] = found["money"].cells["financials"]
    if "decision" in found:
        seen["decision"] = found["decision"].cells["release"]
        assert found["decision"].done["release"] <= 1
    assert seen == {name: cell for name in seen if (cell := getattr(row, name)) is not None}
    for outcome in found.values():
        for kind, cell in outcome.cells.items():
            assert outcome.asked[kind] <= cell.attempts, "every request has its intent"
            if cell.outcome == "applied":
                assert outcome.done[kind] >= 1
            if cell.outcome in ("rejected", "not_sent"):
                assert outcome.done[kind] == 0
    assert found["trigger"].done["trigger"] <= 1
    if "the run stops" in row.name:
        assert all(outcome.stopped for outcome in found.values())


def test_the_documentation_shows_this_table() -> None:
    assert table() in _DOCS.read_text(encoding="utf-8")
