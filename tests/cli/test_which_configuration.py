"""Which configuration is used, and which changesets are read with it: one repository may hold several of them."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest

from syncengine.api import Project, apply, load, plan
from syncengine.core.errors import ConfigError
from tests.cli.console import Ended, run_inside

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """\
version: 1
accounts:
  acme: {{base_url: "https://{host}.leadbyte.co.uk", api_key: env:LEADBYTE_API_KEY}}
"""
CHANGESET = 'version: 1\nchangeset: {id}\naccount: acme\nchanges:\n  - lead: "1"\n    update: {{c1: x}}\n'


def _configured(folder: Path, host: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "syncengine.yaml").write_text(CONFIGURATION.format(host=host))


def _changeset(path: Path, name: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(CHANGESET.format(id=name))


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """Two folders with a configuration and a changeset each, and nothing above them."""
    for name in ("uk", "de"):
        _configured(tmp_path / name, name)
        _changeset(tmp_path / name / "changesets" / f"{name}.yaml", f"{name}-only")
    return tmp_path


@pytest.fixture
def nested(roots: Path) -> Path:
    """The same below a folder that has a configuration and a changeset itself."""
    _configured(roots, "top")
    _changeset(roots / "changesets" / "top.yaml", "top-only")
    return roots


def _codes(ended: Ended) -> list[tuple[str, str]]:
    return [(found["code"], found["severity"]) for found in json.loads(ended.out)["diagnostics"]]


def _host(ended: Ended) -> str:
    assert ended.code == 0, ended.out + ended.err
    host = ended.json["host"]
    assert isinstance(host, str)
    return host


@pytest.mark.parametrize("path", ["uk", "uk/changesets", "uk/changesets/uk.yaml", "./uk/../uk/changesets"])
def test_configuration_above_the_first_path_is_found(roots: Path, path: str) -> None:
    assert run_inside("validate", path, cwd=roots).out == "valid: 1 changeset\n"
    assert _host(run_inside("plan", path, "--format", "json", cwd=roots)) == "uk.leadbyte.co.uk"


def test_configuration_here_or_above_comes_before_that_of_a_path(nested: Path) -> None:
    assert _host(run_inside("plan", "changesets", "--format", "json", cwd=nested)) == "top.leadbyte.co.uk"
    assert _host(run_inside("plan", ".", "--format", "json", cwd=nested / "uk" / "changesets")) == "uk.leadbyte.co.uk"


def test_first_path_decides_and_the_second_is_refused(roots: Path) -> None:
    ended = run_inside("validate", "uk/changesets", "de/changesets", "--format", "json", cwd=roots)
    assert ended.code == 1
    assert _codes(ended) == [("SE506", "error")]


def test_without_any_configuration_the_message_names_both_places(tmp_path: Path) -> None:
    _changeset(tmp_path / "changesets" / "a.yaml", "a-one")
    ended = run_inside("validate", "changesets", cwd=tmp_path)
    assert ended.code == 1
    assert f"there is no syncengine.yaml in {tmp_path} or any folder above it, nor in or above changesets" in ended.err


@pytest.mark.parametrize("verb", ["validate", "plan", "apply"])
@pytest.mark.parametrize("path", ["uk/changesets", "uk", "uk/changesets/uk.yaml"])
def test_changeset_below_another_configuration_is_refused_with_the_command_to_use(
    roots: Path, verb: str, path: str
) -> None:
    ended = run_inside(verb, "--config", "de/syncengine.yaml", path, *(["--yes"] if verb == "apply" else []), cwd=roots)
    assert ended.code == 1
    told = ended.out + ended.err
    assert "SE506" in told
    command = f"syncengine {verb} --config uk/syncengine.yaml {path}"
    assert f"use that one: {command}" in told
    if verb == "validate":
        assert run_inside(*shlex.split(command)[1:], cwd=roots).code == 0


def test_command_to_use_is_quoted_for_a_shell(tmp_path: Path) -> None:
    _configured(tmp_path, "top")
    _configured(tmp_path / "the uk", "uk")
    _changeset(tmp_path / "the uk" / "a.yaml", "a-one")
    ended = run_inside("validate", "the uk/a.yaml", cwd=tmp_path)
    assert ended.code == 1
    assert "syncengine validate --config 'the uk/syncengine.yaml' 'the uk/a.yaml'" in ended.out


def test_configuration_of_another_name_in_the_same_folder_reads_its_changesets(nested: Path) -> None:
    (nested / "uk" / "staging.yaml").write_text(CONFIGURATION.format(host="staging"))
    ended = run_inside("plan", "--config", "uk/staging.yaml", "uk/changesets", "--format", "json", cwd=nested)
    assert _host(ended) == "staging.leadbyte.co.uk"


def test_configuration_elsewhere_reads_changesets_that_have_none_above(tmp_path: Path) -> None:
    _configured(tmp_path / "settings", "acme")
    _changeset(tmp_path / "changesets" / "a.yaml", "a-one")
    ended = run_inside("validate", "--config", "settings/syncengine.yaml", "changesets", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, "valid: 1 changeset\n")


def test_folders_with_a_configuration_of_their_own_are_skipped_with_a_warning(nested: Path) -> None:
    ended = run_inside("validate", ".", cwd=nested)
    assert ended.code == 0
    assert (
        "warning SE507: 2 folders with a syncengine.yaml of their own were skipped, with 2 changesets: de, uk"
        in ended.out
    )
    assert "syncengine validate --config de/syncengine.yaml de" in ended.out
    assert "valid: 1 changeset, 1 warning" in ended.out
    planned = run_inside("plan", ".", "--offline", "--format", "json", cwd=nested)
    assert planned.code == 0
    assert planned.json["changesets"] == ["top-only"]
    assert any("2 changesets: de, uk" in warning for warning in planned.json["warnings"])


def test_folder_without_changesets_is_skipped_without_a_warning(nested: Path) -> None:
    for name in ("uk", "de"):
        (nested / name / "changesets" / f"{name}.yaml").unlink()
    ended = run_inside("validate", ".", cwd=nested)
    assert (ended.code, ended.out) == (0, "valid: 1 changeset\n")


def test_folder_of_the_configuration_in_use_is_not_skipped(nested: Path) -> None:
    ended = run_inside("validate", "..", "--format", "json", cwd=nested / "uk")
    assert ended.json["changesets"] == 1
    assert _codes(ended) == [("SE506", "error"), ("SE507", "warning")]


def test_folder_of_nothing_but_skipped_folders_says_so(nested: Path) -> None:
    (nested / "changesets" / "top.yaml").unlink()
    ended = run_inside("validate", ".", cwd=nested)
    assert ended.code == 1
    assert "SE114" in ended.out
    assert "folders with a syncengine.yaml of their own are skipped" in ended.out


@pytest.mark.parametrize("name", ["a.yml", "a.YAML", "a.YML", "a.Yaml"])
def test_every_spelling_of_the_ending_is_a_changeset(tmp_path: Path, name: str) -> None:
    _configured(tmp_path, "acme")
    _changeset(tmp_path / "changesets" / name, "a-one")
    assert run_inside("validate", "changesets", cwd=tmp_path).out == "valid: 1 changeset\n"
    assert run_inside("validate", f"changesets/{name}", cwd=tmp_path).out == "valid: 1 changeset\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mkdocs.yml", "site_name: x\nnav: []\n"),
        ("compose.yaml", "services:\n  web: {image: x}\n"),
        ("pnpm-lock.yaml", "lockfileVersion: '9.0'\nsettings: {a: b}\n"),
    ],
)
def test_yaml_of_other_programs_in_a_searched_folder_is_a_warning(tmp_path: Path, name: str, text: str) -> None:
    _configured(tmp_path, "acme")
    _changeset(tmp_path / "changesets" / "a.yaml", "a-one")
    (tmp_path / name).write_text(text)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "flow.yml").write_text("on: push\n")
    ended = run_inside("validate", ".", cwd=tmp_path)
    assert ended.code == 0
    assert f"warning SE509: 1 YAML file that is no changeset was not read: {name}" in ended.out
    assert "valid: 1 changeset, 1 warning" in ended.out
    assert run_inside("validate", name, cwd=tmp_path).code == 1  # named, it is read as a changeset


@pytest.mark.parametrize(
    "text",
    [
        "changset: a-one\nversion: 1\n",
        "version: 1\n",
        "lead: '1'\nupdate: {c1: x}\n",
        "- a\n",
        "# nothing\n",
        "a text\n",
    ],
)
def test_mistyped_changeset_in_a_searched_folder_is_an_error(tmp_path: Path, text: str) -> None:
    _configured(tmp_path, "acme")
    (tmp_path / "changesets").mkdir()
    (tmp_path / "changesets" / "a.yaml").write_text(text)
    assert run_inside("validate", "changesets", cwd=tmp_path).code == 1


def test_new_repository_validates_and_plans_as_a_whole(tmp_path: Path) -> None:
    assert run_inside("init", ".", "--ci", "github", "--ci", "gitlab", cwd=tmp_path).code == 0
    ended = run_inside("validate", ".", cwd=tmp_path)
    assert ended.code == 0, ended.out
    assert "1 changeset: sandbox" in ended.out
    planned = run_inside("plan", ".", cwd=tmp_path)
    assert planned.code == 0, planned.err
    assert run_inside("plan", "--config", "sandbox/syncengine.yaml", "sandbox", cwd=tmp_path).code == 0


def test_examples_of_this_project_are_planned_from_above() -> None:
    ended = run_inside("plan", "specs/", cwd=ROOT)
    assert ended.code == 0, ended.out + ended.err
    assert "planned as with --offline" in ended.err


def test_apply_of_paths_names_config_and_sends_nothing(roots: Path) -> None:
    ended = run_inside("apply", "--yes", "uk/changesets", cwd=roots, LEADBYTE_API_KEY="k")
    assert ended.code == 1
    assert "SE508" in ended.err
    assert "--config uk/syncengine.yaml" in ended.err


def test_rows_of_a_database_on_a_server_name_config(roots: Path) -> None:
    text = (roots / "uk" / "syncengine.yaml").read_text()
    (roots / "uk" / "syncengine.yaml").write_text(text + "databases: {wh: postgresql://127.0.0.1:9/wh}\n")
    (roots / "uk" / "changesets" / "uk.yaml").write_text(
        "version: 1\nchangeset: uk-only\naccount: acme\n"
        "sources: {rows: {sql: SELECT lead FROM t ORDER BY lead, database: wh}}\n"
        'changes:\n  - {for_each: rows, lead: "{{ row.lead }}", update: {c1: x}}\n'
    )
    ended = run_inside("plan", "uk/changesets", cwd=roots)
    assert ended.code == 1
    assert "SE325" in ended.err
    assert "--config" in ended.err


def test_plan_opens_no_connection_where_the_account_allows_reading(roots: Path) -> None:
    """The host does not exist: looking at it, or at the key that is not set, would be an error."""
    text = (
        (roots / "uk" / "syncengine.yaml")
        .read_text()
        .replace("LEADBYTE_API_KEY}", "LEADBYTE_API_KEY, reads: {leads: true}}")
    )
    (roots / "uk" / "syncengine.yaml").write_text(text)
    assert _host(run_inside("plan", "uk", "--format", "json", cwd=roots)) == "uk.leadbyte.co.uk"


def test_doctor_looks_at_no_key_and_names_config(roots: Path) -> None:
    ended = run_inside("doctor", "uk/changesets", cwd=roots, LEADBYTE_API_KEY="k")
    assert "was found through uk/changesets only" in ended.out
    assert "--config uk/syncengine.yaml" in ended.out
    assert "connection: " not in ended.out


def test_python_interface_keeps_to_it_too(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(roots)
    project = Project.open(paths=["uk/changesets"], environ={"PATH": os.environ["PATH"]})
    assert project.through == Path("uk/changesets")
    plan(load(["uk/changesets"], project), project, out="p.plan")
    with pytest.raises(ConfigError) as caught:
        apply("p.plan", project)
    assert caught.value.code == "SE508"


def test_configuration_that_a_stranger_planted_above_a_path_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    shared = tmp_path / "shared"
    shared.mkdir()
    _configured(shared, "mallory")
    os.chown(shared / "syncengine.yaml", 12345, 12345)
    os.chown(shared, 12345, 12345)
    _changeset(shared / "work" / "a.yaml", "a-one")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ended = run_inside("validate", str(shared / "work"), cwd=elsewhere)
    assert ended.code == 1
    assert "SE505" in ended.err
