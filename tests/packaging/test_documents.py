"""What README and installation guide tell people to type and to write works."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.console import PATIENCE, SCRIPT, environment, run

ROOT = Path(__file__).resolve().parents[2]


def blocks(document: str, section: str, language: str) -> list[str]:
    """Code blocks of one section."""
    text = (ROOT / document).read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    assert run("init", "leads", cwd=tmp_path).code == 0
    return tmp_path / "leads"


def test_the_changeset_of_the_readme_is_valid_where_init_was_run(leads: Path) -> None:
    (changeset,) = blocks("README.md", "A first changeset", "yaml")
    (leads / "changesets" / "repair.yaml").write_text(changeset, encoding="utf-8")
    (leads / "data" / "repairs.csv").write_text(
        "lead_id,status,postcode\n2932683,approved,m11ae\n2932684,rejected,x\n", encoding="utf-8"
    )
    schema = leads / "changesets" / changeset.splitlines()[0].partition("$schema=")[2]
    assert json.loads(schema.read_text(encoding="utf-8"))["title"]
    assert run("validate", "changesets/repair.yaml", cwd=leads).code == 0
    planned = run("plan", "changesets/repair.yaml", "--format", "json", cwd=leads)
    assert (planned.code, planned.json["operations"]["to_send"]) == (0, 3)


def test_the_commands_of_the_readme_exist(leads: Path) -> None:
    way = blocks("README.md", "A first changeset", "sh")[1]
    for line in way.splitlines():
        verb, *options = line.partition("#")[0].split()[1:]
        told = run(verb, "--help", cwd=leads).out
        for option in options:
            assert not option.startswith("--") or option in told, line


def test_the_first_steps_of_the_guide_work_as_they_stand(tmp_path: Path) -> None:
    begin, service, steps = blocks("docs/install.md", "First steps", "sh")
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"

    def shell(script: str, folder: Path) -> str:
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            cwd=folder,
            env=environment(PATH=path),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    folder = Path(shell(f"{begin}\npwd >&2; pwd", tmp_path).splitlines()[-1])
    # Another test may have the guide's port: take a free one, and write it where the guide's is written.
    command = service.strip().removesuffix("&").replace("8089", "0")
    process = subprocess.Popen(
        ["/bin/sh", "-c", f"exec {command}"], cwd=folder, env=environment(PATH=path), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        config = folder / "syncengine.yaml"
        text = config.read_text(encoding="utf-8")
        assert "http://127.0.0.1:8089" in text
        config.write_text(text.replace("http://127.0.0.1:8089", url), encoding="utf-8")
        shell(steps, folder)
        requests = (folder / ".syncengine" / "service" / "requests.jsonl").read_bytes()
        shell("syncengine apply trial.plan", folder)
        assert (folder / ".syncengine" / "service" / "requests.jsonl").read_bytes() == requests != b""
        assert (folder / ".syncengine" / "service" / "effects.jsonl").stat().st_size > 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def test_the_completion_lines_of_the_guide_name_the_variable_that_is_read() -> None:
    lines = blocks("docs/install.md", "Shell completion", "sh")
    assert [re.findall(r"_SYNCENGINE_COMPLETE=(\w+)_source", line) for line in lines] == [["bash"], ["zsh"], ["fish"]]


def test_every_page_that_is_named_exists() -> None:
    """In the code's own words too: a reader who follows a reference must find something."""
    named = {
        (path.relative_to(ROOT).as_posix(), page)
        for folder in ("syncengine", "docs", "specs")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".md", ".sql", ".yaml")
        for page in re.findall(r"\bdocs/[a-z-]+\.md\b", path.read_text(encoding="utf-8"))
    }
    assert named
    assert [(where, page) for where, page in sorted(named) if not (ROOT / page).exists()] == []
