"""`syncengine validate`: every problem at once, in four forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import run

CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "http://127.0.0.1:9", api_key: env:LEADBYTE_API_KEY}
"""
GOOD = """\
version: 1
changeset: good-one
account: acme
vars: {code: AA1 1AA}
changes:
  - lead: "2932682"
    update: {postcode: "{{ vars.code }}"}
"""
BAD = """\
version: 1
changeset: bad-one
account: acme
changes:
  - lead: "0123"
    updat: {postcode: AA1 1AA}
  - lead: "2932682"
    update: {postcode: null}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "changesets").mkdir(parents=True)
    (root / "syncengine.yaml").write_text(CONFIGURATION, encoding="utf-8")
    (root / "changesets" / "good.yaml").write_text(GOOD, encoding="utf-8")
    return root


@pytest.fixture
def faulty(repository: Path) -> Path:
    (repository / "changesets" / "bad.yaml").write_text(BAD, encoding="utf-8")
    return repository


def test_valid(repository: Path) -> None:
    ended = run("validate", "changesets", cwd=repository)
    assert (ended.code, ended.out, ended.err) == (0, "valid: 1 changeset\n", "")


def test_valid_in_json(repository: Path) -> None:
    ended = run("validate", "changesets", "--format", "json", cwd=repository)
    assert ended.code == 0
    assert (ended.json["valid"], ended.json["changesets"], ended.json["diagnostics"]) == (True, 1, [])


def test_every_problem_with_place_caret_and_hint(faulty: Path) -> None:
    ended = run("validate", "changesets", cwd=faulty)
    assert (ended.code, ended.err) == (1, "")
    assert "changesets/bad.yaml:5:11: error SE231" in ended.out
    assert "changesets/bad.yaml:6:5: error SE201" in ended.out
    assert "changesets/bad.yaml:8:24: error SE206" in ended.out
    assert '    - lead: "0123"\n' in ended.out.replace("5 | ", "  ")
    assert "^\n" in ended.out
    assert "update" in ended.out
    assert ended.out.splitlines()[-1].startswith("not valid: ")


def test_every_problem_in_json(faulty: Path) -> None:
    ended = run("validate", "changesets", "--format", "json", cwd=faulty)
    assert (ended.code, ended.err) == (1, "")
    assert ended.json["valid"] is False
    found = ended.json["diagnostics"]
    assert {"SE231", "SE201", "SE206"} <= {each["code"] for each in found}
    for each in found:
        assert set(each) >= {"code", "severity", "message", "file", "line", "column", "hint"}
        assert each["file"] == "changesets/bad.yaml"


def test_sarif(faulty: Path) -> None:
    ended = run("validate", "changesets", "--format", "sarif", cwd=faulty)
    assert (ended.code, ended.json["version"]) == (1, "2.1.0")
    (only,) = ended.json["runs"]
    assert {each["ruleId"] for each in only["results"]} >= {"SE231", "SE201"}
    assert ended.json["runs"][0]["tool"]["driver"]["name"] == "syncengine"


def test_github_annotations_are_relative_to_the_checkout(faulty: Path) -> None:
    ended = run("validate", "changesets", "--format", "github", cwd=faulty, GITHUB_WORKSPACE=str(faulty.parent))
    assert ended.code == 1
    assert any(
        line.startswith("::error file=repository/changesets/bad.yaml,line=5,") for line in ended.out.splitlines()
    )


def test_variables(repository: Path) -> None:
    assert run("validate", "changesets", "--var", "code=BB2 2BB", cwd=repository).code == 0
    unknown = run("validate", "changesets", "--var", "cod=x", cwd=repository)
    assert (unknown.code, "SE322" in unknown.out) == (1, True)
    assert run("validate", "changesets", "--var", "code", cwd=repository).code == 1


def test_mistakes_in_the_configuration_are_diagnostics(repository: Path) -> None:
    (repository / "syncengine.yaml").write_text(CONFIGURATION + "polcy: {}\n", encoding="utf-8")
    ended = run("validate", "changesets", "--format", "json", cwd=repository)
    assert (ended.code, ended.json["valid"]) == (1, False)
    (found,) = ended.json["diagnostics"]
    assert (found["code"], found["file"], found["line"]) == ("SE501", "syncengine.yaml", 4)


def test_no_configuration_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    ended = run("validate", "good.yaml", "--format", "json", cwd=tmp_path)
    assert (ended.code, ended.err, ended.json["exit"]) == (1, "", 1)
    assert "syncengine init" in ended.json["error"]["hint"]


def test_a_configuration_further_down_is_named(repository: Path) -> None:
    (repository.parent / "loose.yaml").write_text(GOOD)
    ended = run("validate", "loose.yaml", "--format", "json", cwd=repository.parent)
    assert ended.code == 1
    assert ended.json["error"]["hint"].startswith("there is one in repository/: work in that folder, or pass --config ")


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_configuration_can_be_named(how: str, repository: Path, tmp_path: Path) -> None:
    path = repository / "changesets" / "good.yaml"
    config = str(repository / "syncengine.yaml")
    if how == "option":
        ended = run("validate", str(path), "--config", config, cwd=tmp_path)
    else:
        ended = run("validate", str(path), cwd=tmp_path, SYNCENGINE_CONFIG=config)
    assert (ended.code, ended.out) == (0, "valid: 1 changeset\n")


def test_a_path_that_is_not_there(repository: Path) -> None:
    ended = run("validate", "nowhere", cwd=repository)
    assert ended.code == 1
    assert "nowhere" in ended.out


def test_no_key_is_needed_or_read(repository: Path) -> None:
    assert run("validate", "changesets", cwd=repository, LEADBYTE_API_KEY="").code == 0


def test_the_same_problem_reads_the_same_wherever_it_is_told(faulty: Path) -> None:
    checked = run("validate", "changesets", cwd=faulty)
    planned = run("plan", "changesets", cwd=faulty)
    assert checked.code == planned.code == 1
    blocks = checked.out.rpartition("not valid:")[0]
    assert planned.err.startswith(blocks)
    assert "^" in blocks
    assert "hint:" in blocks


def test_an_error_without_a_place_is_an_annotation_too(repository: Path) -> None:
    (repository / "syncengine.yaml").unlink()
    ended = run("validate", "changesets", "--format", "github", cwd=repository)
    assert (ended.code, ended.err) == (1, "")
    assert ended.out.startswith("::error title=SE500::there is no syncengine.yaml")


def test_a_lead_schema_that_cannot_be_used_is_named_as_it_lies_in_the_repository(repository: Path) -> None:
    configuration = CONFIGURATION.replace(
        "env:LEADBYTE_API_KEY}", "env:LEADBYTE_API_KEY, lead_schema: schemas/lead.json}"
    )
    (repository / "syncengine.yaml").write_text(configuration, encoding="utf-8")
    (repository / "schemas").mkdir()
    (repository / "schemas" / "lead.json").write_text('{"type": "objekt"}', encoding="utf-8")
    ended = run("validate", "changesets", "--format", "json", cwd=repository)
    assert ended.code == 1
    assert {(each["code"], each["file"]) for each in ended.json["diagnostics"]} == {("SE210", "schemas/lead.json")}
