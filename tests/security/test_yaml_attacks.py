"""YAML that has hurt others, through the command line: a diagnostic, or the text that was typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import attacks
from tests.cli.console import run_inside

HEAD = """\
version: 1
changeset: attacked
account: acme
changes:
- lead: "2932682"
  update:
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    (root / "syncengine.yaml").write_text(
        'version: 1\naccounts: {acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY}}\n'
    )
    return root


def _planned(repository: Path, data: bytes) -> tuple[Any, list[Any]]:
    """What `plan` says of a changeset of these bytes, and the lines of the plan where there is one."""
    (repository / "a.yaml").write_bytes(data)
    plan = repository / "a.plan"
    plan.unlink(missing_ok=True)
    ended = run_inside("plan", "a.yaml", "--offline", "--out", "a.plan", "--format", "json", cwd=repository)
    assert ended.code == (0 if plan.exists() else 1), ended
    return ended.json, [json.loads(line) for line in plan.read_bytes().splitlines()[1:-1]] if plan.exists() else []


def _codes(said: Any) -> set[str]:
    return {each["code"] for each in said["diagnostics"]}


VALUES = attacks.files("yaml_values")
FILES = attacks.files("yaml_files", head=HEAD)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(("expected", "value"), VALUES, ids=[str(value[:40]) for _, value in VALUES])
def test_a_value_is_refused_or_sent_as_typed(repository: Path, expected: str, value: bytes) -> None:
    said, operations = _planned(repository, b"%s    c1: %s\n" % (HEAD.encode(), value))
    if expected == "same":
        assert [each["operation"]["fields"] for each in operations] == [{"c1": value.decode()}]
    else:
        assert expected in _codes(said)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(("expected", "data"), FILES, ids=[str(data[:40]) for _, data in FILES])
def test_a_file_is_refused_or_harmless(repository: Path, expected: str, data: bytes) -> None:
    said, operations = _planned(repository, data)
    if expected == "valid":
        assert [each["operation"]["fields"] for each in operations] == [{"c1": "x"}]
    else:
        assert expected in _codes(said)
