"""Where text goes, and what may not reach a terminal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from syncengine.cli.logs import Log
from syncengine.cli.output import Output
from syncengine.cli.progress import Progress
from syncengine.cli.terminal import safe
from tests.cli.console import PATIENCE, environment


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def output(stream: type[io.StringIO] = io.StringIO, **environ: str) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = stream(), stream()
    return Output(stdout=out, stderr=err, environ=environ, now=lambda: "T"), out, err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain £ 日本 🙂\ttab\nline", "plain £ 日本 🙂\ttab\nline"),
        ("a\x1b[2Jb", "a\ufffd[2Jb"),
        ("a\x1b]0;title\x07b", "a\ufffd]0;title\ufffdb"),
        ("a\rb", "a\ufffdb"),
        ("a\r\nb", "a\nb"),
        ("a\x9b31mb\x7f\x00", "a\ufffd31mb\ufffd\ufffd"),
        ("rev\u202eersed", "rev\ufffdersed"),
        ("\x1b[31mred\x1b[0m", "red"),
    ],
)
def test_control_characters_show_and_do_nothing(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_plain_colours_survive_where_asked_for_and_hiding_does_not() -> None:
    assert safe("\x1b[1;31mx\x1b[0m", styled=True) == "\x1b[1;31mx\x1b[0m"
    assert safe("\x1b[8mhidden\x1b[0m", styled=True) == "\ufffd[8mhidden\x1b[0m"


def test_results_to_stdout_and_all_else_to_stderr() -> None:
    written, out, err = output()
    written.result("result")
    written.note("note")
    written.warning("careful")
    written.error("SE610", "altered", "plan again")
    assert out.getvalue() == "result\n"
    assert err.getvalue() == "note\nwarning: careful\nerror SE610: altered\nhint: plan again\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(environ: dict[str, str]) -> None:
    written, _, err = output(Terminal, **environ)
    written.error("SE100", "wrong")
    assert not written.colour
    assert err.getvalue() == "error SE100: wrong\n"


def test_colour_on_a_terminal() -> None:
    written, _, err = output(Terminal)
    written.error("SE100", "wrong \x1b[5mblink")
    assert written.colour
    assert err.getvalue() == "\x1b[31merror SE100:\x1b[0m wrong \ufffd[5mblink\n"


def test_stderr_as_json_lines() -> None:
    written, out, err = output(Terminal)
    written.log_format, written.command = "json", "apply"
    written.note("a note")
    written.error("SE100", "wrong", "")
    Log(written, command="apply", level="info").info("started", run="r1", entries=3)
    assert out.getvalue() == ""
    assert [json.loads(line) for line in err.getvalue().splitlines()] == [
        {"time": "T", "verb": "apply", "level": "info", "event": "note", "message": "a note"},
        {"time": "T", "verb": "apply", "level": "error", "event": "error", "code": "SE100", "message": "wrong"},
        {"time": "T", "verb": "apply", "level": "info", "event": "started", "run": "r1", "entries": 3},
    ]


def test_logs_as_text_from_their_level_on() -> None:
    written, _, err = output()
    log = Log(written, command="apply", now=lambda: "T")
    log.info("not shown")
    log.warning("stopped", run="r1", cause="deadline")
    assert err.getvalue() == "T warning apply: stopped run=r1 cause=deadline\n"


def test_a_log_has_no_place_for_values() -> None:
    written, _, _ = output()
    with pytest.raises(TypeError):
        Log(written, command="apply", level="debug").info("sent", postcode="TN25 6QD")  # type: ignore[call-arg]


def test_json_is_ascii_where_the_stream_cannot_say_more() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="latin-1")
    Output(stdout=stream, stderr=io.StringIO(), environ={}).json({"text": "日本 é"})
    assert json.loads(raw.getvalue().decode("ascii")) == {"text": "日本 é"}


def test_a_lost_reader_silences_and_a_full_disk_is_remembered(tmp_path: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        written = Output(stdout=full, stderr=io.StringIO(), environ={})
        written.result("lost")
        written.result("lost too")
        assert "No space left" in written.lost


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_character_that_the_stream_lacks_is_escaped(encoding: str, tmp_path: Path) -> None:
    program = "from syncengine.cli.output import Output; Output.of_process().result('日 \\udcff ok')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == b"\\u65e5 \\udcff ok\n"


class Ticks:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_off_a_terminal_is_a_line_now_and_then() -> None:
    written, _, err = output()
    ticks = Ticks()
    with Progress(written, "applying", 1200, monotonic=ticks) as progress:
        for second in range(24):
            ticks.now = second * 0.5
            progress.advance(50, detail="2 rejected")
    assert err.getvalue().splitlines() == [
        "applying: 150 of 1,200, 2 rejected",
        "applying: 650 of 1,200, 2 rejected",
        "applying: 1,150 of 1,200, 2 rejected",
    ]


def test_progress_tells_the_pace_of_each_stage_and_how_long_it_will_take() -> None:
    written, out, err = output()
    ticks = Ticks()
    with Progress(written, "applying", 0, pace=True, monotonic=ticks) as progress:
        progress.begin("checking the plan", 4000)
        ticks.now = 2
        progress.advance(1000)
        ticks.now = 8
        progress.begin("applying", 500)
        ticks.now = 8.5
        progress.advance(1, detail="1 applied")
        ticks.now = 13
        progress.advance(4, detail="5 applied")
    assert err.getvalue().splitlines() == [
        "checking the plan: 1,000 of 4,000, 500/s, 6 s left",
        "applying: 5 of 500, 5 applied, 1.0/s, 8 min 15 s left",
    ]
    assert out.getvalue() == ""


def test_progress_on_a_terminal_is_a_bar_that_notes_appear_above() -> None:
    written, out, err = output(Terminal, TERM="xterm")
    ticks = Ticks()
    with Progress(written, "applying", 100, monotonic=ticks) as progress:
        progress.advance()
        assert err.getvalue() == ""
        ticks.now = 2
        progress.advance()
        written.note("a [note] \x1b[2J")
    assert "applying" in err.getvalue()
    assert "a [note] \ufffd[2J" in err.getvalue()
    assert out.getvalue() == ""
    written.note("after")
    assert err.getvalue().endswith("after\n")


def test_what_is_quick_shows_no_progress() -> None:
    written, _, err = output()
    with Progress(written, "applying", 3, monotonic=Ticks()) as progress:
        progress.advance(3)
    assert err.getvalue() == ""


def test_width_follows_the_terminal_behind_a_pager(monkeypatch: pytest.MonkeyPatch) -> None:
    # `syncengine show release.plan | less`: stdout is a pipe, stderr still is the terminal.
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    controller, terminal = os.openpty()
    with os.fdopen(controller, "rb", buffering=0), os.fdopen(terminal, "w") as stderr:
        termios.tcsetwinsize(stderr.fileno(), (24, 81))
        assert Output(stdout=io.StringIO(), stderr=stderr, environ={}).width == 81


def test_width_follows_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    written, _, _ = output()
    assert written.width == 72
    assert os.environ["COLUMNS"] == "72"
