"""Just enough of GitHub Actions to run the generated workflow: its `run:` steps with bash, its actions by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import Value, evaluate
from tests.ci.pipeline import JobRun, Jobs, nothing_happens, shell
from tests.ci.stand_in import Forge
from tests.ci.team import Team, git

WORKFLOW = ".github/workflows/syncengine.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_STATUS_FUNCTIONS = ("always()", "success()", "failure()", "cancelled()")
_FULL_HISTORY = {"fetch-depth": "0", "persist-credentials": "false"}


class GitHub:
    def __init__(self, team: Team, place: Path, forge: Forge) -> None:
        self.team = team
        self.place = place
        self.forge = forge
        self.runs = 0
        self.installs = False
        self.shallow = False

    def proposal(self, number: int) -> Jobs:
        # A pull request's own version of the workflow runs, as on the real service.
        ref = f"refs/pull/{number}/merge"
        facts = {
            "github.event.pull_request.number": str(number),
            "github.event.pull_request.head.repo.full_name": "acme/leads",
            "github.event.pull_request.head.sha": self._commit(f"refs/pull/{number}/head"),
            "github.event.pull_request.base.sha": self._commit("main"),
            "github.event.pull_request.user.login": "maria",
        }
        return self._run("pull_request", ref, facts)

    def by_hand(self, *, changeset: str = "", proposal: str = "") -> Jobs:
        facts = {"inputs.changeset": changeset, "inputs.pull_request": proposal}
        return self._run("workflow_dispatch", "refs/heads/main", facts)

    def main(self, before_apply: Callable[[], object] = nothing_happens) -> Jobs:
        return self._run("push", "refs/heads/main", {}, before_apply)

    def weekly(self) -> Jobs:
        return self._run("schedule", "refs/heads/main", {})

    def _commit(self, ref: str) -> str:
        return git(self.team.remote, "rev-parse", ref).strip()

    def _run(
        self, event: str, ref: str, facts: dict[str, str], before_apply: Callable[[], object] = nothing_happens
    ) -> Jobs:
        self.runs += 1
        folder = self.place / f"run-{self.runs}"
        document = yaml.load(git(self.team.remote, "show", f"{ref}:{WORKFLOW}"), yaml.BaseLoader)
        sha = self._commit(ref)
        known: dict[str, str] = {
            **facts,
            "github.event_name": event,
            "github.ref": ref,
            "github.sha": sha,
            "github.repository": "acme/leads",
        }
        jobs: Jobs = {}
        for name, declared in document["jobs"].items():
            if name == "apply":
                before_apply()
            job = _Job(self, name, declared, folder, known)
            needs = declared.get("needs", [])
            results = [known[f"needs.{one}.result"] for one in ([needs] if isinstance(needs, str) else needs)]
            if job.holds(declared["if"], failed=any(result != "success" for result in results)):
                known |= job.run(document, sha)
                jobs[name] = job.ended
            else:
                known[f"needs.{name}.result"] = "skipped"
        return jobs

    def secrets(self, environment: str) -> dict[str, str]:
        """An environment's secrets reach the jobs that name it, and no others."""
        if not environment:
            return {}
        assert environment in ("leadbyte", "leadbyte-plan")
        return {
            "secrets.SYNCENGINE_LEDGER_URL": self.team.url_of(environment),
            "secrets.SYNCENGINE_LEDGER_KEY": self.team.ledger_key.read_text(encoding="utf-8").strip(),
            "secrets.LEADBYTE_API_KEY": self.team.sandbox.api_key,
        }


class _Job:
    def __init__(self, service: GitHub, name: str, declared: Any, folder: Path, known: dict[str, str]) -> None:
        self.ended = JobRun(artifacts=folder / "artifacts" / name)
        self._service, self._name, self._declared, self._known = service, name, declared, known
        self._shared = folder / "shared"
        self._workspace, self._temp = folder / name / "work", folder / name / "temp"
        self._summary, self._outputs = folder / name / "summary.md", folder / name / "outputs"
        self._facts: dict[str, str] = {}

    def run(self, document: Any, sha: str) -> dict[str, str]:
        """Run the steps. Returns what later jobs know of it."""
        for path in (self._workspace, self._temp, self.ended.artifacts, self._shared):
            path.mkdir(parents=True, exist_ok=True)
        self._summary.touch()
        token = f"ghs_{self._name}"
        self._service.forge.rights[token] = self._declared["permissions"]
        environment = self._declared.get("environment", "")
        self._facts = {
            **self._known,
            **self._service.secrets(environment),
            "github.token": token,
            "github.workspace": str(self._workspace),
            "runner.temp": str(self._temp),
        }
        self._variables = {
            "GITHUB_API_URL": self._service.forge.url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/leads",
            "GITHUB_RUN_ID": str(1000 + self._service.runs),
            "GITHUB_SHA": sha,
            "GITHUB_WORKSPACE": str(self._workspace),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "GITHUB_OUTPUT": str(self._outputs),
            "RUNNER_TEMP": str(self._temp),
            "HOME": str(self._temp),
            **{key: self._filled(value) for key, value in document["env"].items()},
        }
        for step in self._declared["steps"]:
            if self.holds(step.get("if", "success()"), failed=self.ended.code != 0):
                self._step(step)
        self.ended.summary = self._summary.read_text(encoding="utf-8")
        outputs = {
            f"needs.{self._name}.outputs.{key}": self._filled(value)
            for key, value in self._declared.get("outputs", {}).items()
        }
        return {f"needs.{self._name}.result": "failure" if self.ended.code else "success", **outputs}

    def _step(self, step: dict[str, Any]) -> None:
        code = self._command(step) if "run" in step else self._action(step)
        if "id" in step:
            self._facts[f"steps.{step['id']}.outcome"] = "failure" if code else "success"
        if step.get("continue-on-error") != "true":
            self.ended.code = self.ended.code or code

    def _command(self, step: dict[str, Any]) -> int:
        assert "${{" not in step["run"], "text from outside would become part of a command"
        if step["name"] == "Install syncengine" and not self._service.installs:
            return 0
        self._outputs.write_text("", encoding="utf-8")
        own = {key: self._filled(value) for key, value in step.get("env", {}).items()}
        self.ended.environment.update(self._variables | own)
        code, log = shell(step["run"], self._workspace, self._variables | own)
        self.ended.log += log
        for line in self._outputs.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self._facts[f"steps.{step.get('id')}.outputs.{key}"] = value
        return code

    def _action(self, step: dict[str, Any]) -> int:
        inputs = {key: self._filled(value) for key, value in step.get("with", {}).items()}
        match str(step["uses"]).partition("@")[0]:
            case "actions/setup-python":
                assert (self._workspace / inputs["cache-dependency-path"]).is_file()
            case "actions/checkout":
                self._checkout(inputs)
            case "actions/upload-artifact":
                source = Path(inputs["path"])
                if source.exists():
                    for place in (self.ended.artifacts, self._shared):
                        shutil.copytree(source, place / inputs["name"])
                    url = f"https://github.com/acme/leads/actions/runs/1/artifacts/{inputs['name']}"
                    self._facts[f"steps.{step.get('id')}.outputs.artifact-url"] = url
            case "actions/download-artifact":
                if not (self._shared / inputs["name"]).exists():
                    return 1
                shutil.copytree(self._shared / inputs["name"], self._workspace / inputs["path"])
            case name:
                raise AssertionError(f"{name} is not known here")
        return 0

    def _checkout(self, inputs: dict[str, str]) -> None:
        assert inputs["persist-credentials"] == "false"
        folder = self._workspace / inputs.get("path", "")
        folder.mkdir(exist_ok=True)
        ref = inputs.get("ref") or self._facts["github.ref"]
        depth = ["--depth=1"] if inputs.get("fetch-depth") != "0" or self._service.shallow else []
        git(folder, "init", "--quiet")
        remote = f"file://{self._service.team.remote}"
        git(folder, "fetch", "--quiet", *depth, remote, ref)
        git(folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")

    def _filled(self, text: str) -> str:
        """`text` with its expressions replaced; a secret or output that is not there is empty, as on the service."""
        return _EXPRESSION.sub(lambda found: str(evaluate(found[1], self._value, {}) or ""), text)

    def _value(self, name: str) -> Value:
        return {**self._known, **self._facts}.get(name, "")

    def holds(self, condition: str, *, failed: bool) -> bool:
        """A condition without a status function holds only where nothing failed or was skipped before."""
        functions = {
            "always": lambda: True, "success": lambda: not failed, "failure": lambda: failed, "cancelled": lambda: False
        }  # fmt: skip
        met = any(function in condition for function in _STATUS_FUNCTIONS) or not failed
        return met and bool(evaluate(condition, self._value, functions))
