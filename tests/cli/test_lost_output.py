"""A run goes on and keeps its own exit code whatever becomes of the place its output goes to."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.console import PATIENCE, SCRIPT, environment, run
from tests.cli.test_sandbox import sandbox


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Path]:
    """The folder for trials that `init` makes, with its service running and a plan saved."""
    assert run("init", cwd=tmp_path).code == 0
    folder = tmp_path / "sandbox"
    with sandbox("--state", ".syncengine/service", cwd=folder) as (_, ready):
        config = folder / "syncengine.yaml"
        text = config.read_text(encoding="utf-8").replace("http://127.0.0.1:8089", ready["url"])
        config.write_text(text, encoding="utf-8")
        assert run("plan", "changesets", "--out", "release.plan", cwd=folder).code == 0
        yield folder


def apply(folder: Path, stdout: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, "apply", "release.plan"],
        cwd=folder,
        env=environment(),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def outcomes(folder: Path) -> list[str]:
    lines = run("history", "--format", "json", cwd=folder).out.splitlines()
    return [json.loads(line)["outcome"] for line in lines]


def test_a_reader_that_left(trial: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = apply(trial, writing)
    finally:
        os.close(writing)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert outcomes(trial) == ["applied"] * 4


def test_a_full_disk(trial: Path) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = apply(trial, full.fileno())
    assert done.returncode == 0
    assert "error SE902: the result could not be written to standard output: No space left" in done.stderr
    assert outcomes(trial) == ["applied"] * 4
