"""A forge on loopback: the calls of GitHub's and GitLab's REST APIs that the generated scripts make, with rights."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

BOT = "github-actions[bot]"
GITLAB_USER = "project_7_bot"


@dataclass
class Forge:
    """What people see. `rights` are those of each token; `silent`: it closes every connection without an answer."""

    url: str = ""
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    approvers: list[str] = field(default_factory=list)
    rights: dict[str, dict[str, str]] = field(default_factory=dict)
    silent: bool = False
    asked: list[str] = field(default_factory=list)

    def says(self, number: int, author: str, body: str) -> None:
        """A comment by somebody."""
        known = self.comments.setdefault(str(number), [])
        known.append({"id": sum(map(len, self.comments.values())) + 100, "author": author, "body": body})

    def bodies(self, number: int, author: str) -> list[str]:
        return [comment["body"] for comment in self.comments.get(str(number), []) if comment["author"] == author]

    def status(self, commit: str) -> tuple[str, str] | None:
        """State and description that were set last."""
        found = self.statuses.get(commit)
        return found[-1] if found else None

    def answer(self, method: str, path: str, token: str, body: Any) -> Any:
        """None for 404."""
        assert token in self.rights, f"unknown token {token!r}"
        for pattern, methods, scope, right, act in (*_GITHUB, *_GITLAB):
            found = re.fullmatch(pattern, path)
            if found is not None and method in methods:
                allowed = ("write",) if right == "write" else ("read", "write")
                assert self.rights[token].get(scope) in allowed, f"{method} {path} needs {scope}: {right}"
                return act(self, method, found.groups(), body)
        return None

    def change_comment(self, method: str, where: tuple[str, ...], body: Any) -> Any:
        for comment in (each for known in self.comments.values() for each in known):
            if str(comment["id"]) == where[-1]:
                comment["body"] = body["body"]
                return comment
        return None

    def set_status(self, method: str, where: tuple[str, ...], body: Any) -> Any:
        assert len(body["description"]) <= 140
        self.statuses.setdefault(where[0], []).append((body["state"], body["description"]))
        return {}

    def change_issue(self, method: str, where: tuple[str, ...], body: Any) -> Any:
        issue = next(each for each in self.issues if str(each["number"]) == where[0])
        closed = body.get("state") == "closed" or body.get("state_event") == "close"
        issue.update(title=body["title"], body=body.get("body") or body.get("description"), open=not closed)
        return {}

    def add_issue(self, body: Any, author: str) -> Any:
        text = body.get("body") or body.get("description")
        self.issues.append(
            {"number": len(self.issues) + 1, "title": body["title"], "body": text, "author": author, "open": True}
        )
        return {}


def _github_comments(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    if method == "POST":
        return forge.says(int(where[0]), BOT, body["body"]) or {}
    return [
        {"id": known["id"], "body": known["body"], "user": {"login": known["author"]}}
        for known in forge.comments.get(where[0], [])
    ]


def _github_statuses(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    found = forge.status(where[0])
    own = [] if found is None else [{"context": "syncengine/approvals", "state": found[0], "description": found[1]}]
    return {"state": "pending", "statuses": [{"context": "other", "state": "success", "description": None}, *own]}


def _github_reviews(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    return [
        {"state": "approved", "user": {"login": name}, "environments": [{"name": "leadbyte"}]}
        for name in forge.approvers
    ]


def _github_issues(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    if method == "POST":
        return forge.add_issue(body, BOT)
    return [
        {"number": each["number"], "body": each["body"], "user": {"login": each["author"]}}
        for each in forge.issues
        if each["open"]
    ]


def _gitlab_notes(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    if method == "POST":
        return forge.says(int(where[0]), GITLAB_USER, body["body"]) or {}
    return [
        {"id": known["id"], "body": known["body"], "author": {"username": known["author"]}}
        for known in forge.comments.get(where[0], [])
    ]


def _gitlab_statuses(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    found = forge.status(where[0])
    return [] if found is None else [{"name": "syncengine/approvals", "status": found[0], "description": found[1]}]


def _gitlab_issues(forge: Forge, method: str, where: tuple[str, ...], body: Any) -> Any:
    if method == "POST":
        return forge.add_issue(body, GITLAB_USER)
    return [
        {"iid": each["number"], "description": each["body"], "author": {"username": each["author"]}}
        for each in forge.issues
        if each["open"]
    ]


_REPO, _PROJECT = "/repos/acme/leads", "/projects/7"
_LIST, _PROPOSALS = ("GET", "POST"), "pull-requests"
_GITHUB: tuple[Any, ...] = (
    (rf"{_REPO}/issues/(\d+)/comments", _LIST, _PROPOSALS, "write", _github_comments),
    (rf"{_REPO}/issues/comments/(\d+)", ("PATCH",), _PROPOSALS, "write", Forge.change_comment),
    (rf"{_REPO}/commits/(\w+)/status", ("GET",), "statuses", "read", _github_statuses),
    (rf"{_REPO}/statuses/(\w+)", ("POST",), "statuses", "write", Forge.set_status),
    (rf"{_REPO}/actions/runs/(\d+)/approvals", ("GET",), "actions", "read", _github_reviews),
    (rf"{_REPO}/issues", _LIST, "issues", "write", _github_issues),
    (rf"{_REPO}/issues/(\d+)", ("PATCH",), "issues", "write", Forge.change_issue),
)
_GITLAB: tuple[Any, ...] = (
    ("/user", ("GET",), "api", "read", lambda *_: {"username": GITLAB_USER}),
    (rf"{_PROJECT}/merge_requests/(\d+)/notes", _LIST, "api", "write", _gitlab_notes),
    (rf"{_PROJECT}/merge_requests/\d+/notes/(\d+)", ("PUT",), "api", "write", Forge.change_comment),
    (rf"{_PROJECT}/repository/commits/(\w+)/statuses", ("GET",), "api", "read", _gitlab_statuses),
    (rf"{_PROJECT}/statuses/(\w+)", ("POST",), "api", "write", Forge.set_status),
    (rf"{_PROJECT}/issues", _LIST, "api", "write", _gitlab_issues),
    (rf"{_PROJECT}/issues/(\d+)", ("PUT",), "api", "write", Forge.change_issue),
)


@contextmanager
def stand_in() -> Iterator[Forge]:
    forge = Forge()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            forge.asked.append(f"{self.command} {path}")
            if forge.silent:
                self.close_connection = True
                return
            token = self.headers.get("PRIVATE-TOKEN") or self.headers["Authorization"].removeprefix("Bearer ")
            try:
                found = forge.answer(self.command, path, token, json.loads(sent) if sent else None)
            except AssertionError as error:
                self.send_error(403, str(error))
                return
            if found is None:
                self.send_error(404)
                return
            data = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = _any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
