"""Every kind of trouble on the way to the service, which quotes key and lead data, and a search of all that is left:
results, logs, ledger, exceptions with their locals."""

from __future__ import annotations

import io
import os
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from syncengine.api import Project, apply
from syncengine.cli.main import run as run_command
from syncengine.core.errors import SyncError
from syncengine.sandbox import Key
from tests.cli.console import environment
from tests.crash.bench import Bench
from tests.faults.matrix import MATRIX, Row
from tests.faults.test_matrix import somewhere

from .needles import KEY, VALUES, Search

QUOTES = f"Key {KEY} may not set {VALUES['lastname']}, {VALUES['phone1']}, {VALUES['email']}"
CHANGES: tuple[dict[str, Any], ...] = (
    {"lead": "11", "update": VALUES},
    {"lead": "12", "update": VALUES, "trigger": ["1053"]},
    {"lead": "13", "financials": {"payout": "80.00", "revenue": "120.00", "buyer": "33"}},
)
TLS = Path(__file__).parent.parent / "leadbyte" / "tls"


QUOTED = {"*/leads": QUOTES, "*/leadfinancials": f"Key {KEY} may not set 80.00"}
"""What the service says, by call. In calls about money it has no lead data that it could quote."""


def quoting(fault: Any, words: str) -> Any:
    """The same trouble, with a service that says `words` wherever it says anything."""
    if not isinstance(fault, dict):
        return fault
    return {name: words if name == "message" else quoting(value, words) for name, value in fault.items()}


def search_all(bench: Bench, printed: dict[str, str], apart_from: tuple[str, ...] = ()) -> Search:
    search = Search({"key": KEY, **VALUES})
    for where, text in printed.items():
        search.look(where, text)
    own = ["sandbox", "api.key", "specs", "release.plan", *apart_from]
    search.look_into(bench.folder, apart_from=[bench.folder / name for name in own])
    return search


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: f"{row.group}: {row.name}")
def test_trouble_gives_nothing_away(row: Row, tmp_path: Path) -> None:
    options: dict[str, Any] = {"keys": [Key(text=KEY)]}
    if row.place == "foreign certificate":
        options["certificate"] = TLS / "elsewhere.pem"
    printed: dict[str, str] = {}
    with Bench(tmp_path, **options) as bench, somewhere(row, bench) as account:
        (tmp_path / "api.key").write_text(KEY)
        limits = {**row.limits, "leads_per_request": 1}
        bench.configure(limits=limits, **account)
        bench.configure(limits=limits, ledger={"id": bench.found()}, **account)
        bench.changeset("planted", *CHANGES)
        plan = bench.plan()
        bench.faults(
            *(
                {"match": {**rule["match"], "path": path}, "fault": quoting(rule["fault"], words)}
                for rule in row.rules
                for path, words in QUOTED.items()
            )
        )
        log = ("--log-level", "debug", "--log-format", "json")
        for words in (
            ("apply", plan, "--format", "json", "--junit", tmp_path / "junit.xml", *log),
            ("apply", plan, "--format", "text"),
            ("status", "--format", "text"),
            ("history", "--format", "json"),
            ("history", "--format", "csv"),
            ("ledger", "export"),
        ):
            ended = bench.cli(*words)
            printed[f"{len(printed)}: {words}"] = ended.out + ended.err
        search = search_all(bench, printed)
    assert "\n".join(search.found) == ""
    assert any("ledger.db" in place for place in search.places)
    assert any("junit.xml" in place for place in search.places)


KEYS_THAT_FAIL = {
    "unset": None,
    "blank": " \n",
    "two words": f"{KEY} {KEY}",
    "not ASCII": f"{KEY}é",
    "too long": KEY * 20,
    "with a break": f"{KEY}\nX-Header: 1",
}


@pytest.mark.parametrize("name", KEYS_THAT_FAIL)
def test_an_exception_and_its_locals_hold_no_key(name: str, tmp_path: Path) -> None:
    """What a tool that reports errors would send: the whole chain, every frame with its locals."""
    text = KEYS_THAT_FAIL[name]
    environ = environment() | ({} if text is None else {"LEADBYTE_API_KEY": text}) | {"LEADBYTE_OTHER": KEY}
    with Bench(tmp_path) as bench:
        bench.changeset("planted", *CHANGES)
        bench.configure(ledger={"id": bench.found()}, api_key="env:LEADBYTE_API_KEY")
        plan = bench.plan()
        project = Project.open(tmp_path / "syncengine.yaml", environ=environ)
        with pytest.raises(SyncError) as caught:
            apply(plan, project)
        frames = list(frames_of(caught.value))
        search = Search({"key": KEY})
        search.look("project", f"{project!r} {project}")
        for error, where, values in frames:
            search.look(f"{error} at {where}", values)
        assert any("keys.py" in where for _, where, _ in frames)
        assert "\n".join(search.found) == ""


def frames_of(error: BaseException) -> Iterator[tuple[str, str, str]]:
    """The errors of a chain with each frame that they passed, and everything that stood in its locals."""
    link: BaseException | None = error
    while link is not None:
        yield repr(link), "its attributes", f"{link} {vars(link)}"
        for frame, line in traceback.walk_tb(link.__traceback__):
            if frame.f_code.co_filename != __file__:
                yield repr(link), f"{frame.f_code.co_filename}:{line}", repr(frame.f_locals)
        link = link.__cause__ or link.__context__


def test_a_bug_in_the_middle_of_a_run_gives_nothing_away(tmp_path: Path) -> None:
    """The commands' own answer to an unexpected exception, with a traceback asked for."""
    printed: dict[str, str] = {}
    with Bench(tmp_path, keys=[Key(text=KEY)]) as bench:
        (tmp_path / "api.key").write_text(KEY)
        bench.configure(ledger={"id": bench.found()})
        bench.changeset("planted", *CHANGES)
        plan = bench.plan()
        for place in ("syncengine.leadbyte.gateway.build_request", "syncengine.leadbyte.gateway.read_answer"):
            out, err = io.StringIO(), io.StringIO()
            words = ["apply", str(plan), "--config", str(tmp_path / "syncengine.yaml"), "--log-level", "debug"]
            with (
                patch.dict(os.environ, environment(SYNCENGINE_DEBUG="1"), clear=True),
                patch(place, side_effect=RuntimeError(QUOTES)),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                code = run_command(words)
            assert code in (4, 5)
            printed[place] = out.getvalue() + err.getvalue()
            assert "error in syncengine itself" in printed[place]
        search = search_all(bench, printed)
    assert "\n".join(search.found) == ""


def children(pid: int) -> list[int]:
    """The processes that a process has started, theirs included."""
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [each for child in found for each in children(child)]


def test_a_killed_run_leaves_nothing_in_its_arguments_nor_in_the_open_ledger(tmp_path: Path) -> None:
    """While a request is under way: the process list, and the write-ahead log as a crash leaves it."""
    with Bench(tmp_path, keys=[Key(text=KEY)]) as bench:
        (tmp_path / "api.key").write_text(KEY)
        bench.configure(ledger={"id": bench.found()}, limits={"timeout": 60})
        bench.changeset("planted", *CHANGES)
        plan = bench.plan()
        bench.faults({"match": {"nth": 1}, "fault": {"effect": "all", "answer": "never"}})
        process = bench.start("apply", plan)
        try:
            while not bench.sandbox.requests_log.exists() or not bench.sandbox.requests_log.read_text():
                assert process.poll() is None
            command_lines = b"".join(
                (Path("/proc") / str(pid) / "cmdline").read_bytes() for pid in (process.pid, *children(process.pid))
            )
        finally:
            process.kill()
            process.wait()
        search = search_all(bench, {})
        search.look("the process list", command_lines)
        assert str(plan).encode() in command_lines
        assert any(place.endswith("ledger.db-wal") for place in search.places)
        assert "\n".join(search.found) == ""
