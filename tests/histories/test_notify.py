"""Messages at the end of a command, through apprise, to a real listener."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.crash.bench import SCRIPT, Bench

VARIABLE = "SYNCENGINE_NOTIFY_URL"


class Mailbox(ThreadingHTTPServer):
    """Takes what apprise posts as JSON; `delay` seconds pass before it answers with `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.messages: list[dict[str, Any]] = []
        self.status = 200
        self.arrived = threading.Event()
        self.released = threading.Event()
        self.released.set()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.server_port}/"


class _Post(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.append(json.loads(body))
        self.server.arrived.set()
        self.server.released.wait(60)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def configure(bench: Bench, **notify: Any) -> None:
    path = bench.folder / "syncengine.yaml"
    document = json.loads(path.read_text())
    document["notify"] = notify
    path.write_text(json.dumps(document))


@pytest.fixture
def doubtful(bench: Bench, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> Bench:
    """A plan of two updates and two triggers; one lead is refused, and the answer about one trigger is lost."""
    monkeypatch.setenv(VARIABLE, mailbox.address)
    monkeypatch.setattr("syncengine.cli.notify.SECONDS", 120.0)  # a busy machine takes long to load apprise
    bench.configure(limits={"leads_per_request": 1, "irreversible_per_request": 1})
    configure(bench, urls=[f"env:{VARIABLE}"], on=["in_doubt", "rejected", "stopped"])
    bench.changeset(
        "first",
        {"lead": "11", "update": {"postcode": "TN25 6QD"}},
        {"lead": "12", "update": {"postcode": "TN25 6QE"}},
        {"lead": "13", "trigger": ["1053"]},
    )
    bench.faults(
        {"match": {"lead": "12"}, "fault": {"reject": {"message": "no TN25 6QE", "leads": ["12"]}}},
        {"match": {"lead": "13"}, "fault": {"effect": "all", "answer": {"body": "empty"}}},
    )
    bench.plan()
    return bench


def test_one_message_with_counts_and_ids_and_no_value(doubtful: Bench, mailbox: Mailbox) -> None:
    ended = doubtful.apply()
    assert ended.code == 5
    assert len(mailbox.messages) == 1, ended
    message = mailbox.messages[0]
    said = message["title"] + message["message"]
    result = ended.json
    assert "1 applied, 1 rejected, 1 in doubt, 0 not sent" in said
    assert result["run"] in said
    assert result["plan"][:8] in said
    assert "in doubt, rejected" in message["title"]
    for value in ("TN25", "postcode", "lead 1"):
        assert value not in said


def test_what_is_not_listed_under_on_is_not_told(doubtful: Bench, mailbox: Mailbox) -> None:
    configure(doubtful, urls=[f"env:{VARIABLE}"], on=["waiting"])
    assert doubtful.apply().code == 5
    assert mailbox.messages == []


def test_nothing_is_told_of_a_run_that_went_well(bench: Bench, mailbox: Mailbox, doubtful: Bench) -> None:
    bench.faults()
    assert doubtful.apply().code == 0
    assert mailbox.messages == []


@pytest.mark.parametrize("trouble", ["refused", "unset", "nowhere", "no address"])
def test_a_message_that_fails_changes_nothing(
    doubtful: Bench, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    mailbox.status = 500
    if trouble == "unset":
        monkeypatch.delenv(VARIABLE)
    elif trouble != "refused":
        monkeypatch.setenv(VARIABLE, "json://user:secret@127.0.0.1:1/" if trouble == "nowhere" else "secret words")
    ended = doubtful.apply()
    assert (ended.code, ended.json["counts"]["applied"]) == (5, 1)
    assert f"to {VARIABLE}" in ended.err
    assert "secret" not in ended.err + ended.out


def test_the_lease_is_free_while_a_message_waits_and_the_command_does_not_wait_for_good(
    doubtful: Bench, mailbox: Mailbox
) -> None:
    mailbox.released.clear()
    command = [str(SCRIPT), "apply", "release.plan"]
    environment = doubtful.environment(**{VARIABLE: f"{mailbox.address}?rto=60"})
    with subprocess.Popen(command, cwd=doubtful.folder, env=environment, stderr=subprocess.PIPE, text=True) as running:
        # On a machine that is too busy to send it in time the command ends first, and has to say the same.
        while not mailbox.arrived.wait(0.05) and running.poll() is None:
            pass
        doubtful.changeset("second", {"lead": "21", "update": {"c1": "a"}})
        configure(doubtful, urls=[f"env:{VARIABLE}"], on=["drift"])
        assert doubtful.apply(doubtful.plan("second", out="second.plan")).code == 0
        _, said = running.communicate(timeout=40)
    assert running.returncode == 5
    assert "was not delivered: it took too long" in said


@pytest.mark.parametrize("url", ["json://127.0.0.1/", "env:OTHER_URL", "env:LEADBYTE_API_KEY", "env:SYNCENGINE_KEY"])
def test_only_variables_of_notifications_may_hold_an_address(bench: Bench, url: str) -> None:
    configure(bench, urls=[url])
    ended = bench.cli("status", "--format", "json")
    assert (ended.code, ended.json["error"]["code"]) == (1, "SE558")
