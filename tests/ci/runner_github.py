"""Just enough of GitHub Actions to run the generated workflow: its `run:` steps with bash, its actions by hand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.ci.pipeline import TOOLS, JobRun, shell
from tests.ci.team import Team, git

WORKFLOW = ".github/workflows/syncengine.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_GH = """#!/bin/bash
printf '%s\\n' "$*" >> "$GH_RECORD/calls"
while [ "$#" -gt 0 ]; do
  if [ "$1" = --body-file ]; then cp "$2" "$GH_RECORD/body"; fi
  shift
done
"""


class GitHub:
    def __init__(self, team: Team, place: Path) -> None:
        self._team = team
        self._place = place
        self._jobs = 0
        self._secrets = {
            "SYNCENGINE_LEDGER_URL": team.ledger_url,
            "SYNCENGINE_LEDGER_KEY": team.ledger_key.read_text(encoding="utf-8").strip(),
            "LEADBYTE_API_KEY": team.sandbox.api_key,
        }

    def check(self, number: int, branch: str) -> JobRun:
        # A pull request's own version of the workflow runs, as on the real service.
        return self._run("check", self._proposal(number), f"refs/pull/{number}/merge", {})

    def comment(self, number: int, checked: JobRun) -> str:
        record = self._place / "gh"
        tools = record / "bin"
        tools.mkdir(parents=True)
        (tools / "gh").write_text(_GH, encoding="utf-8")
        (tools / "gh").chmod(0o755)
        more = {"GH_RECORD": str(record), "PATH": f"{tools}:{TOOLS}"}
        ref = f"refs/pull/{number}/merge"
        assert self._run("report", self._proposal(number), ref, more, downloads=checked.artifacts).code == 0
        assert (record / "calls").read_text(encoding="utf-8").startswith(f"pr comment {number} --repo acme/leads ")
        return (record / "body").read_text(encoding="utf-8")

    def apply(self) -> JobRun:
        context = {"github.event_name": "push", "github.ref": "refs/heads/main"}
        return self._run("apply", context, "refs/heads/main", {})

    def _proposal(self, number: int) -> dict[str, str]:
        return {
            "github.event_name": "pull_request",
            "github.ref": f"refs/pull/{number}/merge",
            "github.event.pull_request.number": str(number),
            "github.event.pull_request.head.repo.full_name": "acme/leads",
        }

    def _run(
        self, name: str, facts: dict[str, str], ref: str, more: dict[str, str], downloads: Path | None = None
    ) -> JobRun:
        self._jobs += 1
        run = _Job(self._team.remote, self._place / f"job-{self._jobs}", ref, downloads)
        document = yaml.load(git(self._team.remote, "show", f"{ref}:{WORKFLOW}"), yaml.BaseLoader)
        job = document["jobs"][name]
        run.facts = {
            **facts,
            "github.repository": "acme/leads",
            "github.token": "ghs_token",
            "github.workspace": str(run.workspace),
            "runner.temp": str(run.temp),
            # An environment's secrets reach the jobs that name it, and no others.
            **{f"secrets.{key}": value for key, value in self._secrets.items() if job.get("environment") == "leadbyte"},
        }
        run.variables = {**{key: run.filled(value) for key, value in document["env"].items()}, **more}
        assert run.holds(job["if"])
        for step in job["steps"]:
            run.step(step)
        run.ended.summary = run.summary.read_text(encoding="utf-8")
        return run.ended


class _Job:
    def __init__(self, remote: Path, folder: Path, ref: str, downloads: Path | None) -> None:
        self.ended = JobRun()
        self.workspace, self.temp = folder / "work", folder / "temp"
        self.summary = folder / "summary.md"
        self.facts: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self._remote, self._ref, self._downloads = remote, ref, downloads
        for path in (self.workspace, self.temp, folder / "artifacts"):
            path.mkdir(parents=True)
        self.ended.artifacts = folder / "artifacts"
        self.summary.touch()
        self._outputs = folder / "outputs"

    def step(self, step: dict[str, Any]) -> None:
        """Run a step unless an earlier one failed, or its condition says otherwise."""
        if not self.holds(step.get("if", "success()")):
            return
        if "run" in step:
            self._command(step)
        else:
            self._action(str(step["uses"]).partition("@")[0], step.get("with", {}))

    def _command(self, step: dict[str, Any]) -> None:
        self._outputs.write_text("", encoding="utf-8")
        variables = {
            **self.variables,
            **{key: self.filled(value) for key, value in step.get("env", {}).items()},
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_REPOSITORY": "acme/leads",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_OUTPUT": str(self._outputs),
            "RUNNER_TEMP": str(self.temp),
            "HOME": str(self.temp),
        }
        self.ended.environment.update(variables)
        code, log = shell(self.filled(step["run"]), self.workspace, variables)
        self.ended.log += log
        self.ended.code = self.ended.code or code
        for line in self._outputs.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            self.facts[f"steps.{step.get('id')}.outputs.{key}"] = value

    def _action(self, name: str, inputs: dict[str, str]) -> None:
        match name:
            case "actions/setup-python":
                pass
            case "actions/checkout":
                assert inputs == {"fetch-depth": "0", "persist-credentials": "false"}
                git(self.workspace, "init", "--quiet")
                git(self.workspace, "fetch", "--quiet", self._remote, f"+{self._ref}:refs/remotes/checked")
                git(self.workspace, "checkout", "--quiet", "--detach", "refs/remotes/checked")
            case "actions/upload-artifact":
                source = Path(self.filled(inputs["path"]))
                if source.exists():
                    shutil.copytree(source, self.ended.artifacts / inputs["name"])
            case "actions/download-artifact":
                assert self._downloads is not None
                shutil.copytree(self._downloads / inputs["name"], self.workspace / inputs["path"])
            case "github/codeql-action/upload-sarif":
                assert (self.workspace / inputs["sarif_file"]).stat().st_size > 0
            case _:
                raise AssertionError(f"{name} is not known here")

    def filled(self, text: str) -> str:
        """`text` with its expressions replaced; an unknown secret or output is empty, as on the real service."""
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, name: str) -> str:
        assert name in self.facts or name.startswith(("secrets.", "steps.")), name
        return self.facts.get(name, "")

    def holds(self, condition: str) -> bool:
        """Comparisons joined by &&; a condition without a status function holds only where nothing failed."""
        parts = [part.strip() for part in condition.split("&&")]
        met = "always()" in parts or self.ended.code == 0
        return met and all(self._is_true(part) for part in parts if part not in ("always()", "success()"))

    def _is_true(self, part: str) -> bool:
        left, sign, right = re.split(r"\s*(==|!=)\s*", part)
        values = [side.strip("'") if side.startswith("'") else self._value(side) for side in (left, right)]
        return (values[0] == values[1]) == (sign == "==")
