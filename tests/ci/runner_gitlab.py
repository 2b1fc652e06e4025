"""Just enough of GitLab CI to run the generated pipeline: the scripts of its jobs, with the variables of a runner."""

from __future__ import annotations

import re
import shutil
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import yaml

from tests.ci.pipeline import JobRun, shell
from tests.ci.team import Team, git

_RULE = re.compile(r'\$(\w+)(?: (==|!=) "([^"]*)")?')


class GitLab:
    def __init__(self, team: Team, place: Path) -> None:
        self._team = team
        self._place = place
        self._jobs = 0

    def check(self, number: int, branch: str) -> JobRun:
        return self._run("check", f"refs/heads/{branch}", self._proposal(number))

    def comment(self, number: int, checked: JobRun) -> str:
        with _Api() as api:
            variables = {
                **self._proposal(number),
                "SYNCENGINE_COMMENT_TOKEN": self._team.comment_token,
                "CI_API_V4_URL": api.url,
            }
            ended = self._run("comment", "", variables, downloads=checked.artifacts)
        assert ended.code == 0, ended.log
        assert (api.path, api.token) == (f"/projects/7/merge_requests/{number}/notes", self._team.comment_token)
        return api.body

    def apply(self) -> JobRun:
        protected = {
            "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_BRANCH": "main",
            "SYNCENGINE_LEDGER_URL": self._team.ledger_url,
            "SYNCENGINE_LEDGER_KEY": str(self._team.ledger_key),
            "LEADBYTE_API_KEY": self._team.sandbox.api_key,
        }
        return self._run("apply", "refs/heads/main", protected)

    def _proposal(self, number: int) -> dict[str, str]:
        return {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_IID": str(number),
            "CI_PROJECT_ID": "7",
        }

    def _run(self, name: str, ref: str, variables: dict[str, str], downloads: Path | None = None) -> JobRun:
        self._jobs += 1
        folder = self._place / f"job-{self._jobs}"
        project, ended = folder / "project", JobRun(artifacts=folder / "artifacts")
        ended.artifacts.mkdir(parents=True)
        document = yaml.load(git(self._team.remote, "show", f"{ref or 'main'}:.gitlab-ci.yml"), yaml.BaseLoader)
        job = document[name]
        ended.environment = {
            **document["variables"],
            **job.get("variables", {}),
            "CI_PROJECT_DIR": str(project),
            "HOME": str(folder),
            **variables,
        }
        assert any(_holds(rule["if"], ended.environment) for rule in job["rules"])
        if ended.environment.get("GIT_STRATEGY") == "none":
            project.mkdir()
        else:
            assert ended.environment["GIT_DEPTH"] == "0"
            git(folder, "clone", "--quiet", "--no-checkout", self._team.remote, project)
            git(project, "fetch", "--quiet", "origin", ref)
            git(project, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        if downloads is not None:
            shutil.copytree(downloads, project, dirs_exist_ok=True)
        lines = [*job.get("before_script", []), *job["script"]]
        ended.code, ended.log = shell("\n".join(lines), project, ended.environment)
        for pattern in job.get("artifacts", {}).get("paths", []):
            source = project / pattern
            target = ended.artifacts / pattern
            if source.is_dir():
                shutil.copytree(source, target)
            elif source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        ended.summary = ended.log
        return ended


def _holds(condition: str, variables: dict[str, str]) -> bool:
    parts = condition.split(" && ")
    found = [_RULE.fullmatch(part) for part in parts]
    return all(match is not None and _is_true(match, variables) for match in found)


def _is_true(match: re.Match[str], variables: dict[str, str]) -> bool:
    name, sign, value = match.groups()
    if sign is None:
        return bool(variables.get(name))
    return (variables.get(name, "") == value) == (sign == "==")


class _Api:
    """The one call of GitLab's API that the pipeline makes, on a real socket."""

    def __init__(self) -> None:
        self.path = self.token = self.body = ""
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                api.path, api.token = self.path, self.headers["PRIVATE-TOKEN"]
                sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
                api.body = parse_qs(sent)["body"][0]
                self.send_response(201)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> _Api:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
