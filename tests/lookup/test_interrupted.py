"""After an interruption the same command goes on, and asks for nothing that was answered."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.console import SCRIPT, environment
from tests.lookup.bench import KEY, Bench
from tests.lookup.service import Reply, Search, Service, found, result

ROWS = 40


def person(number: int) -> str:
    return f"person{number}@example.com"


def table(count: int = ROWS) -> str:
    return "email\n" + "".join(f"{person(number)}\n" for number in range(1, count + 1))


def number_of(search: Search) -> int:
    return int(search["email"].removeprefix("person").partition("@")[0])


class Stopping:
    """Answers, and holds the answer to request `at` back until it is let go."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, searches: list[Search], number: int) -> Reply:
        if number == self.at:
            self.reached.set()
            self.go_on.wait(30)
        return Reply(found(*((each, [result(number_of(each))]) for each in searches)))


def killed_while_waiting(bench: Bench, answering: Stopping, sent: signal.Signals, *options: str) -> int:
    """Start a lookup, wait for the request that is held back, and end the process with a signal."""
    started = subprocess.Popen(
        [SCRIPT, "lookup", "in.csv", "--campaign", "565", "--email", "email", "--out", "out.csv", *options],
        cwd=bench.root, env=environment(LEADBYTE_API_KEY=KEY), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with started:
        assert answering.reached.wait(30)
        started.send_signal(sent)
        started.communicate(timeout=30)
    answering.go_on.set()
    return started.returncode


@pytest.mark.parametrize("per_request", [1, 3])
@pytest.mark.parametrize("at", [1, 7])
def test_after_a_kill_nothing_is_asked_again_that_was_answered(at: int, per_request: int, tmp_path: Path) -> None:
    answering = Stopping(at)
    with Service(answering) as service:
        bench = Bench(tmp_path, service, f", searches_per_request: {per_request}")
        bench.write("in.csv", table())
        assert killed_while_waiting(bench, answering, signal.SIGKILL) == -signal.SIGKILL
        progress = tmp_path / "out.csv.progress"
        assert stat.S_IMODE(progress.stat().st_mode) == 0o600
        assert "person" not in progress.read_text()
        assert not (tmp_path / "out.csv").exists()
        in_flight = {each["email"] for each in service.bodies[at - 1]["searches"]}
        ended = bench.lookup("--format", "json")
        assert (ended.code, ended.json["one"]) == (0, ROWS)
        assert bench.matches() == [(str(number), "one") for number in range(1, ROWS + 1)]
        assert service.asked() == Counter({person(n): 1 + (person(n) in in_flight) for n in range(1, ROWS + 1)})
        assert bench.names() == ["in.csv", "out.csv", "syncengine.yaml"]
        if at > 1:
            assert f"{(at - 1) * per_request} rows are answered already" in ended.err


@pytest.mark.parametrize("per_request", [1, 3])
def test_after_a_kill_an_address_of_an_answered_row_is_not_asked_for_again(per_request: int, tmp_path: Path) -> None:
    answering = Stopping(3)
    with Service(answering) as service:
        bench = Bench(tmp_path, service, f", searches_per_request: {per_request}")
        bench.write("in.csv", table() + table().removeprefix("email\n"))
        assert killed_while_waiting(bench, answering, signal.SIGKILL) == -signal.SIGKILL
        in_flight = {each["email"] for each in service.bodies[2]["searches"]}
        assert bench.lookup().code == 0
        assert bench.matches() == [(str(number), "one") for number in range(1, ROWS + 1)] * 2
        assert service.asked() == Counter({person(n): 1 + (person(n) in in_flight) for n in range(1, ROWS + 1)})


def test_after_a_kill_a_notation_of_an_answered_row_is_not_asked_for_again(tmp_path: Path) -> None:
    def stored(searches: list[Search], number: int) -> Reply:
        (search,) = searches
        if number == 3:
            return Reply({}, 403)
        return Reply(found((search, [result(1)] if search["phone"].startswith("+") else [])))

    with Service(stored) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "phone\n07700 900123\n01632960001\n+447700900123\n07700 900123\n")
        assert bench.lookup(by="phone").code == 4
        assert bench.lookup(by="phone").code == 0
        assert service.asked("phone") == {"07700 900123": 1, "+447700900123": 1, "01632960001": 2, "+441632960001": 1}


def test_an_interrupt_leaves_what_is_needed_to_go_on(tmp_path: Path) -> None:
    answering = Stopping(5)
    with Service(answering) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        assert killed_while_waiting(bench, answering, signal.SIGINT) == 130
        assert bench.names() == ["in.csv", "out.csv.progress", "syncengine.yaml"]
        assert bench.lookup().code == 0
        assert sum(service.asked().values()) == ROWS + 1


@pytest.mark.parametrize("cut", [b'[5,0,"on', b'[5,0,"one","99","', b"\0\0\0", b'[99999,0,"one","99",""]\n'])
def test_a_half_written_last_line_is_dropped(cut: bytes, tmp_path: Path) -> None:
    answering = Stopping(5)
    with Service(answering) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        killed_while_waiting(bench, answering, signal.SIGKILL)
        with (tmp_path / "out.csv.progress").open("ab") as file:
            file.write(cut)
        assert bench.lookup().code == 0
        assert bench.matches() == [(str(number), "one") for number in range(1, ROWS + 1)]
        assert sum(service.asked().values()) == ROWS + 1


def test_another_input_or_option_starts_anew(tmp_path: Path) -> None:
    answering = Stopping(5)
    with Service(answering) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        killed_while_waiting(bench, answering, signal.SIGKILL)
        half = (tmp_path / "out.csv.progress").read_bytes()
        asked = len(service.bodies)
        for text, options in ((table(ROWS + 1), ()), (table(), ("--newest",))):
            bench.write("in.csv", text)
            (tmp_path / "out.csv.progress").write_bytes(half)
            (tmp_path / "out.csv").unlink(missing_ok=True)
            assert bench.lookup(*options).code == 0
            assert len(service.bodies) - asked == text.count("@")
            asked = len(service.bodies)


def test_other_notations_of_a_number_go_on_where_they_were(tmp_path: Path) -> None:
    dead = threading.Event()

    def stored(searches: list[Search], number: int) -> Reply:
        (search,) = searches
        if number == 2 and not dead.is_set():
            dead.set()
            return Reply({}, 403)
        return Reply(found((search, [result(1)] if search["phone"].startswith("+") else [])))

    with Service(stored) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", "phone\n07700 900123\n")
        assert bench.lookup(by="phone").code == 4
        assert bench.lookup(by="phone").code == 0
        assert service.asked("phone") == {"07700 900123": 1, "+447700900123": 2}


@pytest.mark.parametrize("kind", ["text", "link", "folder", "fifo"])
def test_a_file_of_another_kind_is_never_overwritten(kind: str, tmp_path: Path) -> None:
    with Service(Stopping(0)) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        there = tmp_path / "out.csv.progress"
        match kind:
            case "text":
                there.write_text("my notes\n")
            case "link":
                bench.write("notes.txt", "my notes\n")
                there.symlink_to(tmp_path / "notes.txt")
            case "folder":
                there.mkdir()
            case _:
                os.mkfifo(there)
        ended = bench.lookup()
        assert ended.code == 1, ended.err
        assert service.bodies == []
        if kind in ("text", "link"):
            assert there.read_text() == "my notes\n"


def test_two_at_once_for_one_result_are_refused(tmp_path: Path) -> None:
    answering = Stopping(3)
    with Service(answering) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        started = subprocess.Popen(
            [SCRIPT, "lookup", "in.csv", "--campaign", "565", "--email", "email", "--out", "out.csv"],
            cwd=tmp_path, env=environment(LEADBYTE_API_KEY=KEY), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with started:
            assert answering.reached.wait(30)
            ended = bench.lookup()
            assert (ended.code, "another lookup is writing" in ended.err) == (1, True)
            answering.go_on.set()
            started.communicate(timeout=30)
        assert started.returncode == 0


def test_a_table_that_changes_while_it_is_looked_up_is_refused(tmp_path: Path) -> None:
    answering = Stopping(3)
    with Service(answering) as service:
        bench = Bench(tmp_path, service)
        bench.write("in.csv", table())
        started = subprocess.Popen(
            [SCRIPT, "lookup", "in.csv", "--campaign", "565", "--email", "email", "--out", "out.csv"],
            cwd=tmp_path, env=environment(LEADBYTE_API_KEY=KEY), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        with started:
            assert answering.reached.wait(30)
            (tmp_path / "in.csv").write_text(table() + "more@example.com\n")
            answering.at = 0
            answering.go_on.set()
            _, err = started.communicate(timeout=30)
        assert started.returncode == 1
        assert b"changed while it was being read" in err
        assert bench.names() == ["in.csv", "syncengine.yaml"]
