"""Just enough of GitLab to run the generated pipeline: the scripts of its jobs, with the variables of a runner."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import evaluate
from tests.ci.pipeline import JobRun, Jobs, nothing_happens, shell
from tests.ci.stand_in import Forge
from tests.ci.team import Team, git

PIPELINE = ".gitlab-ci.yml"
_VARIABLE = re.compile(r"\$(\w+)")
_OPEN_TOKEN, _PROTECTED_TOKEN = "glpat-comments", "glpat-statuses"


class GitLab:
    def __init__(self, team: Team, place: Path, forge: Forge) -> None:
        self._team = team
        self._place = place
        self._forge = forge
        self._runs = 0
        self.installs = False
        self.shallow = False
        self._forge.rights |= {_OPEN_TOKEN: {"api": "write"}, _PROTECTED_TOKEN: {"api": "write"}}

    def proposal(self, number: int) -> Jobs:
        head = f"refs/merge-requests/{number}/head"
        facts = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_IID": str(number),
            "SYNCENGINE_FORGE_TOKEN": _OPEN_TOKEN,
        }
        return self._run(head, facts)

    def by_hand(self, *, changeset: str = "", proposal: str = "") -> Jobs:
        given = {"CHANGESET": changeset, "PROPOSAL": proposal}
        return self._run("main", self._on_main("web") | {name: value for name, value in given.items() if value})

    def main(self, before_apply: Callable[[], object] = nothing_happens) -> Jobs:
        return self._run("main", self._on_main("push"), before_apply)

    def weekly(self) -> Jobs:
        return self._run("main", self._on_main("schedule"))

    def _on_main(self, source: str) -> dict[str, str]:
        return {"CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": "main", "SYNCENGINE_FORGE_TOKEN": _PROTECTED_TOKEN}

    def _run(self, ref: str, facts: dict[str, str], before_apply: Callable[[], object] = nothing_happens) -> Jobs:
        self._runs += 1
        folder = self._place / f"run-{self._runs}"
        document = yaml.load(git(self._team.remote, "show", f"{ref}:{PIPELINE}"), yaml.BaseLoader)
        facts = facts | {
            "CI_API_V4_URL": self._forge.url,
            "CI_COMMIT_SHA": git(self._team.remote, "rev-parse", ref).strip(),
            "CI_PIPELINE_URL": f"https://gitlab.example.com/acme/leads/-/pipelines/{self._runs}",
            "CI_PROJECT_ID": "7",
            "GITLAB_USER_LOGIN": "anna",
        }
        jobs: Jobs = {}
        failed = False
        for name in (name for stage in document["stages"] for name in _jobs_of(document, stage)):
            if name == "apply":
                before_apply()
            job = document[name]
            base = document.get(job.get("extends", ""), {})
            environment = job.get("environment", "")
            variables = self._variables(document["variables"] | job.get("variables", {}), facts, environment)
            when = _when(job["rules"], variables)
            # Somebody presses the button of a manual job.
            if when == "never" or (failed and when != "always"):
                continue
            jobs[name] = self._job(base | job, folder / name, ref, variables, [*jobs.values()])
            jobs[name].environment["WHEN"] = when
            failed = failed or jobs[name].code != 0
        return jobs

    def _variables(self, declared: dict[str, str], facts: dict[str, str], environment: Any) -> dict[str, str]:
        """Variables may name others; those of a runner, and of an environment, come first."""
        name = environment if isinstance(environment, str) else environment["name"]
        scoped = {}
        if name:
            scoped = {
                "SYNCENGINE_LEDGER_URL": self._team.url_of(name),
                "SYNCENGINE_LEDGER_KEY": str(self._team.ledger_key),
                "LEADBYTE_API_KEY": self._team.sandbox.api_key,
            }
        known = facts | scoped
        return {
            key: _VARIABLE.sub(lambda found: known.get(found[1], found[0]), value) for key, value in declared.items()
        } | known

    def _job(self, job: Any, folder: Path, ref: str, variables: dict[str, str], earlier: list[JobRun]) -> JobRun:
        project, ended = folder / "project", JobRun(artifacts=folder / "artifacts")
        ended.artifacts.mkdir(parents=True)
        url = f"https://gitlab.example.com/acme/leads/-/jobs/{self._runs}"
        manual = {"CI_JOB_MANUAL": "true"} if _when(job["rules"], variables) == "manual" else {}
        ended.environment = (
            variables | manual | {"CI_PROJECT_DIR": str(project), "HOME": str(folder), "CI_JOB_URL": url}
        )
        ended.environment = {
            key: value.replace("$CI_PROJECT_DIR", str(project)) for key, value in ended.environment.items()
        }
        assert ended.environment["GIT_DEPTH"] == "0"
        git(folder, "clone", "--quiet", "--no-checkout", self._team.remote, project)
        git(project, "fetch", "--quiet", "origin", ref)
        git(project, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        for before in earlier:
            shutil.copytree(before.artifacts, project, dirs_exist_ok=True)
            ended.environment |= _dotenv(before.artifacts / "outputs.env")
        lines = [*job.get("before_script", []), *job["script"]]
        if not self.installs:
            lines = [line for line in lines if not line.startswith("pip install")]
        ended.code, ended.log = shell("\n".join(lines), project, ended.environment)
        artifacts = job.get("artifacts", {})
        dotenv = artifacts.get("reports", {}).get("dotenv")
        for pattern in [*artifacts.get("paths", []), *([dotenv] if dotenv else [])]:
            source, target = project / pattern, ended.artifacts / pattern
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        ended.summary = ended.log
        return ended


def _dotenv(file: Path) -> dict[str, str]:
    """Variables that a job hands to later ones."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines)


def _jobs_of(document: Any, stage: str) -> list[str]:
    return [name for name, job in document.items() if isinstance(job, dict) and job.get("stage") == stage]


def _when(rules: list[Any], variables: dict[str, str]) -> str:
    for rule in rules:
        if evaluate(rule["if"], lambda name: variables.get(name.removeprefix("$"), ""), {}):
            return str(rule.get("when", "on_success"))
    return "never"
