"""What steps.py shows on GitLab, through its REST API; nothing where there is no token for it."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

CONTEXT = "syncengine/approvals"
OUTPUTS = "outputs.env"


def call(method: str, path: str, body: Any = None) -> Any:
    """One call."""
    request = Request(
        f"{os.environ['CI_API_V4_URL']}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "PRIVATE-TOKEN": os.environ["SYNCENGINE_FORGE_TOKEN"]},
    )
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def project(path: str) -> str:
    return f"projects/{os.environ['CI_PROJECT_ID']}/{path}"


def pages(path: str) -> Iterator[Any]:
    for number in range(1, 21):
        page = call("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={number}")
        yield from page
        if len(page) < 100:
            return


@cache
def own_name() -> str:
    """The user that the token belongs to."""
    name: str = call("GET", "user")["username"]
    return name


def commit() -> str:
    return os.environ["CI_COMMIT_SHA"]


def run_url() -> str:
    return os.environ["CI_PIPELINE_URL"]


def warning(text: str) -> str:
    return f"WARNING: {text}"


def summary(text: str) -> None:
    print(text)


def output(**values: str) -> None:
    """Variables of later jobs."""
    Path(OUTPUTS).write_text("".join(f"{name.upper()}={value}\n" for name, value in values.items()), encoding="utf-8")


def own_comments(number: str) -> Iterator[tuple[int, str]]:
    for note in pages(project(f"merge_requests/{number}/notes")):
        if note["author"]["username"] == own_name():
            yield note["id"], note["body"]


def write_comment(number: str, known: int | None, text: str) -> None:
    notes = project(f"merge_requests/{number}/notes")
    if known is None:
        call("POST", notes, {"body": text})
    else:
        call("PUT", f"{notes}/{known}", {"body": text})


def status_of(commit: str) -> tuple[str, str] | None:
    for status in call("GET", project(f"repository/commits/{commit}/statuses?name={quote(CONTEXT, safe='')}")):
        if status["name"] == CONTEXT:
            return status["status"], status["description"] or ""
    return None


def set_status(commit: str, state: str, text: str) -> None:
    body = {"state": state, "name": CONTEXT, "description": text, "target_url": run_url()}
    call("POST", project(f"statuses/{commit}"), body)


def approved_by() -> str:
    """Who pressed the button of the job; empty where it started by itself."""
    if os.environ.get("CI_JOB_MANUAL") != "true":
        return ""
    return f"{os.environ['GITLAB_USER_LOGIN']} started {os.environ['CI_JOB_URL']}"


def own_issues() -> Iterator[tuple[int, str]]:
    """Those that are open."""
    for issue in pages(project("issues?state=opened")):
        if issue["author"]["username"] == own_name():
            yield issue["iid"], issue["description"] or ""


def write_issue(known: int | None, title: str, text: str, *, still_open: bool) -> None:
    body = {"title": title, "description": text}
    if known is None:
        call("POST", project("issues"), body)
    else:
        call("PUT", project(f"issues/{known}"), body if still_open else body | {"state_event": "close"})
