"""What steps.py shows on GitHub, through its REST API."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

BOT = "github-actions[bot]"
CONTEXT = "syncengine/approvals"
ENVIRONMENT = "leadbyte"
REPOSITORY = os.environ.get("GITHUB_REPOSITORY", "")


def call(method: str, path: str, body: Any = None) -> Any:
    """One call about this repository."""
    request = Request(
        f"{os.environ['GITHUB_API_URL']}/repos/{REPOSITORY}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GH_TOKEN']}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def pages(path: str) -> Iterator[Any]:
    for number in range(1, 21):
        page = call("GET", f"{path}?per_page=100&page={number}")
        yield from page
        if len(page) < 100:
            return


def commit() -> str:
    return os.environ["GITHUB_SHA"]


def run_url() -> str:
    return f"{os.environ['GITHUB_SERVER_URL']}/{REPOSITORY}/actions/runs/{os.environ['GITHUB_RUN_ID']}"


def warning(text: str) -> str:
    return f"::warning title=syncengine::{text}"


def summary(text: str) -> None:
    append("GITHUB_STEP_SUMMARY", text)


def output(**values: str) -> None:
    append("GITHUB_OUTPUT", "".join(f"{name}={value}\n" for name, value in values.items()))


def append(variable: str, text: str) -> None:
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)


def own_comments(number: str) -> Iterator[tuple[int, str]]:
    for comment in pages(f"issues/{number}/comments"):
        if comment["user"]["login"] == BOT:
            yield comment["id"], comment["body"]


def write_comment(number: str, known: int | None, text: str) -> None:
    if known is None:
        call("POST", f"issues/{number}/comments", {"body": text})
    else:
        call("PATCH", f"issues/comments/{known}", {"body": text})


def status_of(commit: str) -> tuple[str, str] | None:
    for status in call("GET", f"commits/{commit}/status")["statuses"]:
        if status["context"] == CONTEXT:
            return status["state"], status["description"] or ""
    return None


def set_status(commit: str, state: str, text: str) -> None:
    body = {"state": state, "context": CONTEXT, "description": text, "target_url": run_url()}
    call("POST", f"statuses/{commit}", body)


def approved_by() -> str:
    """Who pressed the button of the environment."""
    people = [
        review["user"]["login"]
        for review in call("GET", f"actions/runs/{os.environ['GITHUB_RUN_ID']}/approvals")
        if review["state"] == "approved" and any(each["name"] == ENVIRONMENT for each in review["environments"])
    ]
    return f"{', '.join(dict.fromkeys(people))} in environment {ENVIRONMENT}, {run_url()}" if people else ""


def own_issues() -> Iterator[tuple[int, str]]:
    """Those that are open."""
    for issue in pages("issues"):
        if issue["user"]["login"] == BOT:
            yield issue["number"], issue["body"] or ""


def write_issue(known: int | None, title: str, text: str, *, still_open: bool) -> None:
    if known is None:
        call("POST", "issues", {"title": title, "body": text})
    else:
        call("PATCH", f"issues/{known}", {"title": title, "body": text, "state": "open" if still_open else "closed"})
