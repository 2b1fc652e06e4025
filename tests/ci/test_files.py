"""The generated files against the schemas that the CI systems publish, and what `init --ci` says and leaves alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.ci.expressions import evaluate
from tests.cli.console import run_inside as run

ROOT = Path(__file__).resolve().parents[2]
FILES = {"github": ".github/workflows/syncengine.yml", "gitlab": ".gitlab-ci.yml"}


@pytest.mark.parametrize("system", FILES)
def test_it_is_what_the_ci_system_says_a_workflow_is(system: str, tmp_path: Path) -> None:
    assert run("init", "--ci", system, cwd=tmp_path).code == 0
    schema = "vendor.github-workflows" if system == "github" else "vendor.gitlab-ci"
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, FILES[system]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_actions_are_pinned_to_commits_and_rights_are_named(tmp_path: Path) -> None:
    assert run("init", "--ci", "github", cwd=tmp_path).code == 0
    text = (tmp_path / FILES["github"]).read_text(encoding="utf-8")
    workflow = yaml.load(text, yaml.BaseLoader)
    assert workflow["permissions"] == {}
    for action in re.findall(r"- uses: (.+)", text):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+", action)
    assert "pull_request_target" not in text
    # A skipped trigger would leave a required check pending.
    assert "paths" not in str(workflow["on"])
    rights = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    read = {"contents": "read"}
    assert rights == {
        "check": read,
        "plan-proposal": read,
        "comment": read | {"pull-requests": "write"},
        "plan": read | {"statuses": "write"},
        "apply": read | {"statuses": "write", "actions": "read"},
        "drift": read | {"issues": "write"},
    }
    secrets = {name for name, job in workflow["jobs"].items() if "secrets." in str(job)}
    environments = {name: job.get("environment") for name, job in workflow["jobs"].items() if "environment" in job}
    assert environments == {
        "plan-proposal": "leadbyte-plan", "plan": "leadbyte-plan", "apply": "leadbyte", "drift": "leadbyte-plan"
    }  # fmt: skip
    assert secrets == set(environments)


def test_packages_are_installed_by_hash_and_their_lock_is_kept_up_to_date(tmp_path: Path) -> None:
    assert run("init", "--ci", "github", "--ci", "gitlab", cwd=tmp_path).code == 0
    lock = (tmp_path / ".github/syncengine/requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9-]+)==\S+ (?:; .+ )?\\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert {"httpx", "jinja2", "jsonschema", "pyyaml", "psycopg-binary", "hatchling"} <= set(pins)
    assert len(pins) == lock.count("==")
    assert (tmp_path / ".gitlab/syncengine/requirements.txt").read_text(encoding="utf-8") == lock
    updates = yaml.safe_load((tmp_path / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert [(update["package-ecosystem"], update["directory"]) for update in updates] == [
        ("github-actions", "/"),
        ("pip", "/.github/syncengine"),
    ]


def test_what_reads_the_ledger_can_read_leads_where_the_account_allows_it(tmp_path: Path) -> None:
    assert run("init", "--ci", "github", cwd=tmp_path).code == 0
    workflow = yaml.load((tmp_path / FILES["github"]).read_text(encoding="utf-8"), yaml.BaseLoader)
    command = re.compile(r"syncengine (plan|apply|drift) ")
    steps = [step for job in workflow["jobs"].values() if "environment" in job for step in job["steps"]]
    found = [step for step in steps if command.search(step.get("run", ""))]
    assert [step["name"] for step in found] == ["Plan", "Plan", "Plan again", "Apply", "Compare"]
    assert all("LEADBYTE_API_KEY" in step["env"] for step in found)


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


def test_runners_install_the_versions_that_were_tested(tmp_path: Path) -> None:
    pin = re.compile(r"^([a-z0-9-]+==[^ ;\\]+)", re.MULTILINE)
    tested = set(pin.findall((ROOT / "requirements" / "ci.txt").read_text(encoding="utf-8")))
    assert run("init", "--ci", "gitlab", cwd=tmp_path).code == 0
    assert set(pin.findall((tmp_path / ".gitlab/syncengine/requirements.txt").read_text(encoding="utf-8"))) <= tested


FROM_A_BRANCH = {
    "github.event_name": "pull_request",
    "github.repository": "acme/leads",
    "github.event.pull_request.head.repo.full_name": "acme/leads",
    "github.event.pull_request.user.login": "maria",
    "needs.check.result": "failure",
    "needs.plan-proposal.result": "skipped",
}
BY_HAND = {"github.event_name": "workflow_dispatch", "github.ref": "refs/heads/main", "inputs.pull_request": "7"}


@pytest.mark.parametrize(
    ("job", "facts", "starts"),
    [
        ("comment", FROM_A_BRANCH, True),
        ("comment", FROM_A_BRANCH | {"github.event.pull_request.head.repo.full_name": "mallory/leads"}, False),
        ("comment", FROM_A_BRANCH | {"github.event.pull_request.user.login": "dependabot[bot]"}, False),
        ("comment", {"needs.check.result": "skipped", "needs.plan-proposal.result": "skipped"}, False),
        ("plan", {"github.event_name": "push", "github.ref": "refs/heads/main"}, True),
        ("plan", BY_HAND, False),
        ("plan", BY_HAND | {"inputs.pull_request": ""}, True),
        ("plan", BY_HAND | {"inputs.pull_request": "", "github.ref": "refs/heads/evil"}, False),
        ("plan", FROM_A_BRANCH, False),
        ("plan-proposal", BY_HAND, True),
        ("plan-proposal", BY_HAND | {"github.ref": "refs/heads/evil"}, False),
        ("plan-proposal", FROM_A_BRANCH, False),
        ("drift", {"github.event_name": "schedule", "github.ref": "refs/heads/main"}, True),
        ("drift", FROM_A_BRANCH, False),
    ],
)
def test_a_job_starts_only_for_what_it_is_for(job: str, facts: dict[str, str], starts: bool, tmp_path: Path) -> None:
    assert run("init", "--ci", "github", cwd=tmp_path).code == 0
    workflow = yaml.load((tmp_path / FILES["github"]).read_text(encoding="utf-8"), yaml.BaseLoader)
    known = {"cancelled": lambda: False}
    assert bool(evaluate(workflow["jobs"][job]["if"], lambda name: facts.get(name, ""), known)) is starts
