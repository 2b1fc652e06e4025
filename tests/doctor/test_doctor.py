"""`doctor` says what is wrong with a set-up, shows no key and changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from syncengine.sandbox.keys import parse_key
from tests.cli.console import run_inside
from tests.verify.conftest import allow_reads
from tests.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox")).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


def doctor(workspace: Workspace, *args: str, **env: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and the state and message of each check by name; the worst one where a name is there twice."""
    ended = workspace.run("doctor", "--format", "json", *args, **env)
    assert workspace.api_key not in ended.out + ended.err
    assert ended.json["ok"] is (ended.code == 0)
    return ended.code, worst(ended.json["checks"])


def worst(checks: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    order = ("ok", "unknown", "warning", "problem")
    found: dict[str, tuple[str, str]] = {}
    for check in checks:
        known = found.get(check["name"])
        if known is None or order.index(check["state"]) > order.index(known[0]):
            found[check["name"]] = (check["state"], check["message"])
        assert check["state"] == "ok" or check["message"]
    return found


def test_a_sound_set_up(workspace: Workspace) -> None:
    allow_reads(workspace)
    workspace.changeset("repair", '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
    workspace.plan("--offline")
    workspace.apply()
    effects = workspace.effects
    code, checks = doctor(workspace)
    assert code == 0
    states = {name: state for name, (state, _) in checks.items()}
    assert states == {
        "configuration": "ok",
        "proxies": "ok",
        "git": "ok",
        "signers": "ok",
        "ledger": "ok",
        "pin": "warning",
        "ledger key": "ok",
        "writable": "ok",
        "host": "ok",
        "lease": "ok",
        "api key": "ok",
        "connection": "ok",
        "clock": "ok",
        "key": "ok",
        "reading": "ok",
        "sending": "unknown",
    }
    assert workspace.effects == effects
    text = workspace.run("doctor")
    assert text.code == 0
    assert "Nothing is wrong" in text.out


def test_headers_that_are_lost_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "s", drop_underscore_headers=True)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        lost = "the header X_KEY does not arrive: the service answers 'No API key"
        code, checks = doctor(workspace)
        assert (code, checks["key"][0]) == (1, "problem")
        assert checks["key"][1].startswith(lost)
        allow_reads(workspace)
        code, checks = doctor(workspace)
        assert (code, checks["key"][0]) == (1, "problem")
        assert "knows the same key in a query" in checks["key"][1]
        path = workspace.root / "syncengine.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("    deliveries:", "    wire: {leads_key: both}\n    deliveries:"),
            encoding="utf-8",
        )
        code, checks = doctor(workspace)
        assert (code, checks["key"][0]) == (0, "warning")


@pytest.mark.parametrize("reads", [False, True])
def test_a_key_that_the_service_does_not_know(reads: bool, workspace: Workspace) -> None:
    if reads:
        allow_reads(workspace)
    workspace.api_key = "not-a-key-of-this-account"
    code, checks = doctor(workspace)
    assert code == 1
    assert checks["key"] == ("problem", "the service refuses the key (HTTP 401: Invalid API key)")


def test_a_key_that_is_not_there(workspace: Workspace) -> None:
    code, checks = doctor(workspace, LEADBYTE_API_KEY="")
    assert code == 1
    assert checks["api key"][0] == "problem"
    assert checks["connection"][0] == "ok"


def test_a_key_that_may_not_read(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    keys = [parse_key("writer:update,financials")]
    with Sandbox(SandboxOptions(state=tmp_path / "s", keys=keys)).start() as sandbox:
        workspace = Workspace(tmp_path / "repository", sandbox)
        assert doctor(workspace)[0] == 0
        allow_reads(workspace)
        code, checks = doctor(workspace)
        assert code == 1
        assert checks["reading"][0] == "problem"
        assert "Leads > Search" in checks["reading"][1]
        assert checks["key"][0] == "ok"


@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (-120, "warning"), (3600, "problem")])
def test_the_clock(ahead: int, state: str, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    sandbox = Sandbox(SandboxOptions(state=tmp_path / "s"), clock=lambda: time.time() + ahead)
    with sandbox.start() as running:
        code, checks = doctor(Workspace(tmp_path / "repository", running))
        assert checks["clock"][0] == state
        assert code == int(state == "problem")


def test_a_service_that_is_not_there(workspace: Workspace) -> None:
    workspace.sandbox.close()
    code, checks = doctor(workspace)
    assert code == 1
    assert checks["connection"][0] == "problem"
    code, checks = doctor(workspace, "--offline")
    assert code == 0
    assert checks["service"][0] == "unknown"


def test_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    ended = run_inside("doctor", "--format", "json", cwd=tmp_path)
    assert (ended.code, worst(ended.json["checks"])["configuration"][0]) == (1, "problem")
    (tmp_path / "syncengine.yaml").write_text("version: 1\naccounts: {a: {base_url: 'ftp://x', x: 1}}\n")
    ended = run_inside("doctor", "--format", "json", cwd=tmp_path)
    problems = [check for check in ended.json["checks"] if check["name"] == "configuration"]
    assert (ended.code, len(problems) > 1) == (1, True)


def test_a_ledger_that_is_gone_or_another_one(workspace: Workspace) -> None:
    assert doctor(workspace)[1]["ledger"][0] == "warning"
    path = workspace.root / "syncengine.yaml"
    plain = path.read_text(encoding="utf-8")
    path.write_text(plain + 'ledger: {id: "Lnone@3"}\n', encoding="utf-8")
    code, checks = doctor(workspace)
    assert (code, checks["ledger"][0]) == (1, "problem")
    path.write_text(plain, encoding="utf-8")
    workspace.changeset("repair", '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
    workspace.plan("--offline")
    workspace.apply()
    path.write_text(plain + 'ledger: {id: "Lnone"}\n', encoding="utf-8")
    code, checks = doctor(workspace)
    assert (code, checks["ledger"][0]) == (1, "problem")
    path.write_text(plain, encoding="utf-8")
    key = workspace.root / ".syncengine" / "ledger.key"
    key.chmod(0o644)
    assert doctor(workspace)[1]["ledger key"][0] == "warning"
    key.unlink()
    code, checks = doctor(workspace)
    assert (code, checks["ledger key"][0]) == (1, "problem")


def test_a_host_that_the_ledger_knows_otherwise(workspace: Workspace) -> None:
    workspace.changeset("repair", '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
    workspace.plan("--offline")
    workspace.apply()
    path = workspace.root / "syncengine.yaml"
    text = path.read_text(encoding="utf-8").replace(workspace.sandbox.url, "https://acme.leadbyte.example")
    path.write_text(text, encoding="utf-8")
    code, checks = doctor(workspace, "--offline")
    assert code == 1
    assert checks["host"][0] == "problem"
    assert checks["pin"][0] == "problem"


def test_who_holds_the_lease(workspace: Workspace) -> None:
    from syncengine.api import Project
    from syncengine.core.ports import RunStart
    from syncengine.core.values import PlanDigest

    workspace.changeset("repair", '- lead: "2932682"\n  update: {postcode: TN25 6QD}')
    workspace.plan("--offline")
    workspace.apply()
    project = Project.open(start=workspace.root, environ={})
    start = RunStart(
        account="acme", host="loopback", plan=PlanDigest("d" * 64), plan_path="x.plan", changesets=(), total=1,
        policy_digest="", wire_digest="", tool="", names=(),
    )  # fmt: skip
    with project.ledger(project.account("acme")) as ledger, ledger.lease("acme", wait=0) as lease:
        run = ledger.begin(lease, start)
        _, checks = doctor(workspace)
        assert f"held by run {run} on " in checks["lease"][1]
        assert f"process {os.getpid()}" in checks["lease"][1]
        ledger.end(run, exit_code=0, stopped="")


def test_signers(workspace: Workspace) -> None:
    path = workspace.root / "syncengine.yaml"
    rule = "policy: {approvals: {required: 2, allowed_signers: signers, author_may_approve: true}}\n"
    workspace.write("signers", "*@example.com ssh-ed25519 AAAA\nann@example.com ssh-ed25519 AAAA\n")
    path.write_text(path.read_text(encoding="utf-8") + rule, encoding="utf-8")
    code, checks = doctor(workspace)
    assert code == 1
    assert checks["signers"] == ("problem", "the policy asks for 2, and 1 can sign")
    workspace.write("signers", "ann@example.com ssh-ed25519 AAAA\nbob@example.com ssh-ed25519 AAAA\n")
    assert doctor(workspace)[1]["signers"][0] == "ok"
    (workspace.root / "signers").write_bytes(b"\xff")
    assert doctor(workspace)[1]["signers"][0] == "problem"


def test_what_the_machine_lacks(workspace: Workspace) -> None:
    code, checks = doctor(workspace, PATH="/nonexistent", HTTPS_PROXY="http://user:secret@proxy:3128")
    assert code == 0
    assert checks["git"][0] == "warning"
    assert checks["proxies"] == ("warning", "HTTPS_PROXY is set, and ignored: connections are direct")


FIELDS = '- lead: "2932682"\n  update: {postcod: TN25 6QD, firstname: Ann}'


def test_field_names(workspace: Workspace) -> None:
    workspace.changeset("repair", FIELDS)
    assert doctor(workspace, "changesets")[1]["fields"][0] == "unknown"
    allow_reads(workspace)
    ended = workspace.run("doctor", "changesets", "--format", "json")
    assert ended.code == 1
    wrong, fine = (check for check in ended.json["checks"] if check["name"] == "fields")
    assert wrong["state"] == "problem"
    assert "changesets/repair.yaml:6" in wrong["message"]
    assert "'postcod'" in wrong["message"]
    assert wrong["advice"] == "did you mean 'postcode'?"
    assert (fine["state"], fine["message"]) == ("ok", "1 field names are known to their campaigns")


def test_field_names_of_leads_that_nobody_knows(workspace: Workspace) -> None:
    allow_reads(workspace)
    workspace.changeset("repair", '- lead: "77"\n  update: {postcode: x}')
    code, checks = doctor(workspace, "changesets")
    assert code == 0
    assert checks["fields"][0] == "unknown"
    assert "lead 77: HTTP 404" in checks["fields"][1]
