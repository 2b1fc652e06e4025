"""A pull request brings its own syncengine.yaml: `validate` and `plan --offline` are safe with it, secrets or not."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.approvals.repository import make_key
from tests.cli.console import PATIENCE, Ended, environment
from tests.workspace import Workspace

_CHECKOUT = Path(__file__).resolve().parents[2]
SECRETS = {
    "LEADBYTE_API_KEY": "key-of-the-account-1f2e3d",
    "AWS_SECRET_ACCESS_KEY": "aws-secret-4c5b6a",
    "SYNCENGINE_LEDGER_URL": "postgresql://u:ledger-password-7d8e@127.0.0.1:{port}/ledger",
    "GITHUB_TOKEN": "ghs_token9f",
}
CHANGESET = """\
version: 1
changeset: proposed
account: acme
changes:
- {lead: "2932682", update: {c1: a}, trigger: ["1053"]}
"""
FROM_SQL = """\
version: 1
changeset: proposed
account: acme
sources: {rows: {database: db, sql: SELECT lead FROM leads ORDER BY lead}}
changes:
- {for_each: rows, lead: "{{ row.lead }}", update: {c1: a}}
"""


@dataclass
class Listener:
    """A service that everything hostile points at; whoever connects is counted and told nothing."""

    port: int
    connections: list[Any] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Listener(server.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return
                found.connections.append(peer)
                connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield found
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@dataclass(frozen=True)
class Watched:
    ended: Ended
    seen: dict[str, list[str]]


def watch(folder: Path, listener: Listener, *args: str, **env: str) -> Watched:
    report = folder.with_name("report.json")
    secrets = {name: value.format(port=listener.port) for name, value in SECRETS.items()}
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.watched", report, *args],
        cwd=folder,
        env=environment(**secrets, PYTHONPATH=str(_CHECKOUT), **env),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert report.exists(), done.stderr
    return Watched(Ended(done.returncode, done.stdout, done.stderr), json.loads(report.read_text()))


PROPOSED = {
    "its own address": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:LEADBYTE_API_KEY}}}}",
    "reads": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:LEADBYTE_API_KEY,"
    " reads: {{leads: true}}}}}}",
    "reads with a key file": "accounts: {{acme: {{base_url: 'https://localhost:{port}', api_key: 'file:keys/api',"
    " reads: {{leads: true}}}}}}",
    "a name to look up": "accounts: {{acme: {{base_url: 'https://evil.example.com', api_key: env:LEADBYTE_API_KEY,"
    " reads: {{leads: true}}}}}}",
    "another secret": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:AWS_SECRET_ACCESS_KEY,"
    " reads: {{leads: true}}}}}}",
    "a password as key": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:SYNCENGINE_LEDGER_URL,"
    " reads: {{leads: true}}}}}}",
    "a file of the machine": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: 'file:/etc/passwd'}}}}",
    "a ledger elsewhere": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:LEADBYTE_API_KEY}}}}\n"
    "ledger: {{url: 'postgresql://127.0.0.1:{port}/x', id: L12345678}}",
    "a ledger of the environment": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}',"
    " api_key: env:LEADBYTE_API_KEY}}}}\nledger: {{url: env:SYNCENGINE_LEDGER_URL}}",
    "a database": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}', api_key: env:LEADBYTE_API_KEY}}}}\n"
    "databases: {{db: 'postgresql://127.0.0.1:{port}/x'}}",
    "a database of the environment": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}',"
    " api_key: env:LEADBYTE_API_KEY}}}}\ndatabases: {{db: env:SYNCENGINE_LEDGER_URL}}",
    "a schema that refers out": "accounts: {{acme: {{base_url: 'http://127.0.0.1:{port}',"
    " api_key: env:LEADBYTE_API_KEY, lead_schema: schemas/out.json}}}}",
}


def _repository(folder: Path, listener: Listener, proposed: str) -> None:
    for name, text in {
        "syncengine.yaml": "version: 1\n" + PROPOSED[proposed].format(port=listener.port) + "\n",
        "changesets/a.yaml": FROM_SQL if "database" in proposed else CHANGESET,
        "keys/api": "key-in-a-file-0a9b8c\n",
        "schemas/out.json": json.dumps({"properties": {"c1": {"$ref": f"http://127.0.0.1:{listener.port}/x"}}}),
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("proposed", "command", "allowed"),
    [
        *((name, "plan", "") for name in PROPOSED),
        *((name, "validate", "") for name in ("reads", "a database of the environment", "a schema that refers out")),
        ("another secret", "plan", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_offline_opens_nothing_and_reads_no_key(
    tmp_path: Path, listener: Listener, proposed: str, command: str, allowed: str
) -> None:
    folder = tmp_path / "repository"
    _repository(folder, listener, proposed)
    args = (command, "changesets", *(["--offline"] if command == "plan" else []))
    watched = watch(folder, listener, *args, SYNCENGINE_ALLOW_ENV=allowed)
    assert watched.ended.code in (0, 1, 3), watched.ended.err
    assert "SE999" not in watched.ended.err, watched.ended.err
    assert listener.connections == []
    assert watched.seen["connections"] == []
    assert {Path(program).name for program in watched.seen["programs"]} <= {"git"}
    assert not {"LEADBYTE_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"} & set(watched.seen["variables"])
    assert not any(name.endswith(("keys/api", "/etc/passwd")) for name in watched.seen["files"])
    told = watched.ended.out + watched.ended.err
    assert not any(word in told for word in ("1f2e3d", "4c5b6a", "7d8e", "ghs_", "0a9b8c", "root:"))


def test_the_watch_sees_what_is_opened_without_offline(tmp_path: Path, listener: Listener) -> None:
    folder = tmp_path / "repository"
    _repository(folder, listener, "reads with a key file")
    watched = watch(folder, listener, "plan", "changesets")
    assert listener.connections
    assert watched.seen["connections"]
    assert any(name.endswith("keys/api") for name in watched.seen["files"])
    _repository(folder, listener, "reads")
    assert "LEADBYTE_API_KEY" in watch(folder, listener, "plan", "changesets").seen["variables"]


def test_a_variable_that_nobody_allowed_is_refused(tmp_path: Path, listener: Listener) -> None:
    _repository(tmp_path / "repository", listener, "another secret")
    watched = watch(tmp_path / "repository", listener, "plan", "changesets")
    assert watched.ended.code == 1
    assert "SE552" in watched.ended.err
    assert listener.connections == []


POLICY = """\
policy:
  max_leads: {leads}
  approvals: {{required: {required}, allowed_signers: .syncengine/allowed_signers}}
"""


def _configure(workspace: Workspace, *, leads: int, required: int, signers: str) -> None:
    """The configuration with this policy, and this file of signers."""
    path = workspace.root / "syncengine.yaml"
    kept = path.read_text(encoding="utf-8").partition("policy:")[0]
    path.write_text(kept + POLICY.format(leads=leads, required=required), encoding="utf-8")
    workspace.write(".syncengine/allowed_signers", signers)


@pytest.mark.parametrize("how", ["variable", "option"])
def test_the_policy_from_outside_wins(workspace: Workspace, tmp_path: Path, how: str) -> None:
    """A proposal that loosens the policy, and adds its own signer, is planned and applied by the rules outside."""
    trusted = tmp_path / "trusted"
    (trusted / ".syncengine").mkdir(parents=True)
    (trusted / "policy.yaml").write_text(POLICY.format(leads=1, required=1))
    (trusted / ".syncengine" / "allowed_signers").write_text("anna@example.com ssh-ed25519 AAAA\n")
    mallory = make_key(tmp_path, "mallory")
    _configure(workspace, leads=500, required=0, signers=f"mallory@example.com {_public(mallory)}")
    workspace.changeset("two", '- leads: ["1", "2"]\n  update: {c1: a}\n')
    args = ["--policy", str(trusted / "policy.yaml")] if how == "option" else []
    env = {"SYNCENGINE_POLICY": str(trusted / "policy.yaml")} if how == "variable" else {}
    blocked = workspace.run("plan", "changesets", "--offline", *args, **env)
    assert blocked.code == 3
    assert "max_leads" in blocked.out
    workspace.changeset("two", '- leads: ["1"]\n  update: {c1: a}\n')
    assert workspace.run("plan", "changesets", "--out", "release.plan", *args, **env).code == 0
    workspace.run("approve", "release.plan", "--key", str(mallory), *args, **env)
    refused = workspace.run("apply", "release.plan", *args, **env)
    assert refused.code == 3, refused.out
    assert workspace.requests == []
    # Applied by the proposal's own rules, the plan is of another policy.
    assert workspace.run("apply", "release.plan").code == 3
    assert workspace.requests == []


def test_attention_says_what_changed(workspace: Workspace) -> None:
    _configure(workspace, leads=1, required=0, signers="anna@example.com ssh-ed25519 AAAA\n")
    workspace.changeset("one", '- lead: "1"\n  update: {c1: a}\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    workspace.changeset("one", '- lead: "1"\n  update: {c1: b}\n')
    assert workspace.plan("--offline")["warnings"] == []
    _configure(workspace, leads=1, required=0, signers="mallory@example.com ssh-ed25519 AAAA\n")
    assert "policy" in " ".join(workspace.plan("--offline")["warnings"])
    _configure(workspace, leads=500, required=0, signers="anna@example.com ssh-ed25519 AAAA\n")
    assert "policy" in " ".join(workspace.plan("--offline")["warnings"])
    path = workspace.root / "syncengine.yaml"
    _configure(workspace, leads=1, required=0, signers="anna@example.com ssh-ed25519 AAAA\n")
    path.write_text(path.read_text().replace("    limits:", "    wire: {refusals: whole}\n    limits:"))
    assert "wire" in " ".join(workspace.plan("--offline")["warnings"])
    for view in ("text", "markdown", "html"):
        assert "wire" in workspace.run("plan", "changesets", "--offline", "--format", view).out


def test_another_ledger_or_host_is_told_first_and_cannot_be_applied(workspace: Workspace) -> None:
    workspace.changeset("one", '- lead: "1"\n  trigger: ["1053"]\n')
    workspace.plan()
    assert workspace.apply()["exit"] == 0
    path = workspace.root / "syncengine.yaml"
    trusted = path.read_text()
    path.write_text(trusted + "ledger: {url: 'sqlite:///fresh.db'}\n")
    workspace.changeset("one", '- lead: "1"\n  update: {c1: a}\n  trigger: ["1053"]\n')
    proposed = workspace.plan("--offline")
    assert proposed["operations"]["to_send"] == 2
    assert "ledger" in proposed["warnings"][0]
    path.write_text(trusted)
    assert workspace.run("apply", "release.plan").code == 3
    path.write_text(trusted.replace(workspace.sandbox.url, "https://evil.example.com"))
    assert workspace.run("plan", "changesets", "--offline").code == 3
    assert len(workspace.requests) == 1


def _public(key: Path) -> str:
    return key.with_name(f"{key.name}.pub").read_text()
