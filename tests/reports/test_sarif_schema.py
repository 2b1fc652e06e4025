"""SARIF against the schema that its standard publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from syncengine.core.errors import Problem, Severity
from syncengine.core.results import ValidateResult
from syncengine.reports.sarif import SARIF_SCHEMA, sarif
from tests.cli.console import run
from tests.reports.samples import HOSTILE

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parent / "published" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft4Validator(SCHEMA)
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def faults(log: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(json.loads(log))]


def test_the_schema_finds_faults() -> None:
    log = json.loads(sarif(ValidateResult(changesets=0, problems=(Problem(code="SE201", message="m"),)), version="1"))
    log["runs"][0]["results"][0]["level"] = "grave"
    assert len(faults(json.dumps(log))) == 1
    assert "2.1.0" in SARIF_SCHEMA
    assert "2.1.0" in SCHEMA["title"]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("text", ["plain", *HOSTILE])
def test_whatever_is_found_is_told_as_the_standard_has_it(text: str, severity: Severity) -> None:
    places: tuple[dict[str, Any], ...] = ({}, {"line": 3}, {"line": 3, "column": 9}, {"row": 7})
    problems = tuple(
        Problem(code="SE310", message=text, file=text, hint=text, severity=severity, **place) for place in places
    )
    assert faults(sarif(ValidateResult(changesets=1, problems=problems), version="1.2.3")) == []


def test_what_the_command_writes_fits_for_files_for_settings_and_for_none(tmp_path: Path) -> None:
    assert run("init", cwd=tmp_path).code == 0
    changeset = tmp_path / "changesets" / "example.yaml"
    text = changeset.read_text(encoding="utf-8")
    logs = []
    changeset.write_text(text.replace("lead:", "laed:"), encoding="utf-8")
    logs.append(run("validate", "changesets", "--format", "sarif", cwd=tmp_path))
    (tmp_path / "syncengine.yaml").write_text("version: 1\nacounts: {}\n", encoding="utf-8")
    logs.append(run("validate", "changesets", "--format", "sarif", cwd=tmp_path))
    (tmp_path / "syncengine.yaml").unlink()
    logs.append(run("validate", "changesets", "--format", "sarif", cwd=tmp_path))
    assert [ended.code for ended in logs] == [1, 1, 1]
    assert [faults(ended.out) for ended in logs] == [[], [], []]
    assert all(json.loads(ended.out)["runs"][0]["results"] for ended in logs)
