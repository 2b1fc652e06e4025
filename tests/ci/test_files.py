"""The generated files against the schemas that the CI systems publish, and what `init --ci` says and leaves alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.console import run

FILES = {"github": ".github/workflows/syncengine.yml", "gitlab": ".gitlab-ci.yml"}


@pytest.mark.parametrize("system", FILES)
def test_it_is_what_the_ci_system_says_a_workflow_is(system: str, tmp_path: Path) -> None:
    assert run("init", "--ci", system, cwd=tmp_path).code == 0
    schema = "vendor.github-workflows" if system == "github" else "vendor.gitlab-ci"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, FILES[system]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_actions_are_pinned_to_a_major_version_and_rights_are_named(tmp_path: Path) -> None:
    assert run("init", "--ci", "github", cwd=tmp_path).code == 0
    text = (tmp_path / FILES["github"]).read_text(encoding="utf-8")
    workflow = yaml.load(text, yaml.BaseLoader)
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["apply"]["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in text
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"(actions|github)/[a-z/-]+@v[0-9]+", action)
    for name in ("check", "report"):
        assert "secrets." not in str(workflow["jobs"][name])
    # Text of a pull request never becomes part of a command.
    for job in workflow["jobs"].values():
        assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_the_plan_of_the_main_branch_can_read_leads_where_the_account_allows_it(tmp_path: Path) -> None:
    assert run("init", "--ci", "github", cwd=tmp_path).code == 0
    workflow = yaml.load((tmp_path / FILES["github"]).read_text(encoding="utf-8"), yaml.BaseLoader)
    steps = [s for s in workflow["jobs"]["apply"]["steps"] if re.search(r"syncengine (plan|apply) ", s.get("run", ""))]
    assert [step["name"] for step in steps] == ["Plan", "Apply"]
    assert all("LEADBYTE_API_KEY" in step["env"] for step in steps)


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("mine: {}\n", encoding="utf-8")
    ended = run("init", "--ci", "gitlab", "--ci", "github", "--ci", "github", cwd=tmp_path)
    assert ended.code == 0
    assert (tmp_path / ".gitlab-ci.yml").read_text(encoding="utf-8") == "mine: {}\n"
    assert ended.out.count("syncengine.yml") == 1
    assert "no CI runner sees" in ended.err


def test_an_unknown_ci_system_is_a_usage_error(tmp_path: Path) -> None:
    ended = run("init", "--ci", "jenkins", cwd=tmp_path)
    assert (ended.code, list(tmp_path.iterdir())) == (1, [])
    assert "github" in ended.err
