"""`syncengine sandbox` as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.console import PATIENCE, SCRIPT, environment, run


@contextmanager
def sandbox(*args: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    process = subprocess.Popen(
        [SCRIPT, "sandbox", *args],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def put(url: str, key: str, body: object) -> object:
    request = urllib.request.Request(
        f"{url}/restapi/v1.3/leads",
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"X_KEY": key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_line_when_ready_and_a_clean_end(number: signal.Signals, tmp_path: Path) -> None:
    with sandbox("--state", "world", cwd=tmp_path) as (process, ready):
        assert ready["url"].startswith("http://127.0.0.1:")
        assert ready["api_key"]
        assert Path(ready["state"]) == tmp_path / "world"
        answer = put(ready["url"], ready["api_key"], {"leads": [{"id": "2932682", "update": {"postcode": "TN25 6QD"}}]})
        assert isinstance(answer, dict)
        assert answer["status"] == "Success"
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out, err) == (0, "", "")
    assert len((tmp_path / "world" / "effects.jsonl").read_text(encoding="utf-8").splitlines()) == 1


def test_options_reach_the_service(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("id,state\n77,approved\n", encoding="utf-8")
    with sandbox("--leads", "leads.csv", "--key", "mine", "--state", "world", cwd=tmp_path) as (_, ready):
        assert ready["api_key"] == "mine"
        answer = put(ready["url"], "mine", {"leads": [{"id": "77", "update": {"c1": "x"}}]})
        assert isinstance(answer, dict)
        assert answer["leads"][0]["success"] is True


@pytest.mark.parametrize(
    "args",
    [("--leads", "missing.csv"), ("--faults", "missing.yaml"), ("--key", "k:nonsense"), ("--key", ":update")],
)
def test_what_cannot_start_says_why(args: tuple[str, str], tmp_path: Path) -> None:
    ended = run("sandbox", *args, "--state", "world", cwd=tmp_path)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("error SE903: the sandbox cannot start: ")
