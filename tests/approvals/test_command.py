"""`approve` and `apply --approval` as a person types them."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.console import Ended, run
from tests.postgres_server import PostgresServer, postgres_server

from .repository import AUTHOR, Repository, git, public

__all__ = ["postgres_server"]

POLICY = "approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}\n"


@pytest.fixture
def ready(repository: Repository) -> Repository:
    repository.write(POLICY)
    repository.signers(
        f"anna@example.com {public(repository.key('anna'))}", f"{AUTHOR} {public(repository.key('author'))}"
    )
    repository.commit()
    return repository


def call(repository: Repository, *arguments: str, **env: str) -> Ended:
    return run(*arguments, cwd=repository.folder, **env)


def signed_by_hand(repository: Repository, digest: str, name: str) -> str:
    """What ssh-keygen makes of a plan's digest."""
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", "syncengine-plan", "-f", repository.keys / name],
        input=f"{digest}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.fixture
def planned(ready: Repository) -> Repository:
    ended = call(ready, "plan", "release-one.yaml", "--out", "release.plan")
    assert ended.code == 0
    assert "it needs 1 approval before it is applied: syncengine approve release.plan --key KEY" in ended.err
    return ready


def test_plan_approve_apply(planned: Repository) -> None:
    refused = call(planned, "apply", "release.plan", "--format", "json")
    assert refused.code == 3
    assert refused.json["error"]["code"] == "SE640"
    assert "syncengine approve" in refused.json["error"]["hint"]
    approved = call(planned, "approve", "release.plan", "--key", "../keys/anna")
    assert approved.code == 0
    assert "2 operations on 1 lead: 1 update, 1 trigger" in approved.err
    assert "!! 1 irreversible" in approved.err
    assert approved.out.startswith("approved with key SHA256:")
    assert "approved by: anna@example.com" in approved.err
    assert call(planned, "apply", "release.plan").code == 0
    assert planned.effects == 2


def test_the_signature_is_the_one_that_ssh_keygen_makes(planned: Repository) -> None:
    shown = call(planned, "show", "release.plan", "--format", "json").json
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna", "--format", "json")
    assert ended.code == 0
    assert ended.json["plan"] == shown["plan"]
    assert ended.json["added"] is True
    assert ended.json["counts"] is True
    by_hand = signed_by_hand(planned, shown["plan"], "anna")
    file = planned.folder / "release.plan.approval"
    assert file.read_text() == by_hand
    again = call(planned, "approve", "release.plan", "--key", "../keys/anna", "--format", "json")
    assert again.json["added"] is False
    assert file.read_text() == by_hand


def test_approvals_gather_in_one_file(planned: Repository) -> None:
    digest = call(planned, "show", "release.plan", "--format", "json").json["plan"]
    (planned.folder / "release.plan.approval").write_text(signed_by_hand(planned, digest, "author"))
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna")
    assert ended.code == 0
    assert "not counted" in ended.err
    assert f"{AUTHOR} wrote a changeset of this plan" in ended.err
    applied = call(planned, "apply", "release.plan")
    assert applied.code == 0
    assert "not counted: release.plan.approval, signature 1" in applied.err


def test_an_approval_named_on_the_command_line(planned: Repository) -> None:
    call(planned, "approve", "release.plan", "--key", "../keys/anna")
    (planned.folder / "release.plan.approval").rename(planned.folder / "anna.sig")
    assert call(planned, "apply", "release.plan").code == 3
    assert call(planned, "apply", "release.plan", "--approval", "missing.sig").code == 1
    assert call(planned, "apply", "release.plan", "--approval", "anna.sig").code == 0


@pytest.fixture
def agent(planned: Repository, tmp_path: Path) -> Iterator[str]:
    """An agent of its own that holds anna's key."""
    socket = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"agent-{os.getpid()}.sock"
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        subprocess.run(
            ["ssh-add", "-q", planned.keys / "anna"],
            env=os.environ | {"SSH_AUTH_SOCK": str(socket)},
            check=True,
            capture_output=True,
        )
        yield str(socket)
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()
        socket.unlink(missing_ok=True)


def test_a_key_that_the_agent_holds(planned: Repository, agent: str) -> None:
    (planned.keys / "anna").unlink()
    key = "../keys/anna.pub"
    ended = call(planned, "approve", "release.plan", "--key", key, SSH_AUTH_SOCK=agent)
    assert ended.code == 0, ended.err
    assert call(planned, "apply", "release.plan").code == 0


@pytest.mark.parametrize("given", ["nowhere", "not-a-key", "anna.pub", "locked"])
def test_a_key_that_cannot_sign(planned: Repository, given: str) -> None:
    (planned.keys / "not-a-key").write_text("hello\n")
    (planned.keys / "not-a-key").chmod(0o600)
    planned.key("locked", phrase="secret words")
    (planned.keys / "anna").unlink()
    ended = call(
        planned, "approve", "release.plan", "--key", f"../keys/{given}", SSH_ASKPASS_REQUIRE="never", SSH_AUTH_SOCK=""
    )
    assert ended.code == 1
    assert "error SE905: cannot sign with ../keys/" in ended.err
    assert "hint:" in ended.err
    assert not (planned.folder / "release.plan.approval").exists()


def test_without_ssh_keygen(planned: Repository, tmp_path: Path) -> None:
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna", PATH=str(tmp_path))
    assert ended.code == 1
    assert "ssh-keygen is not on the PATH" in ended.err


def test_an_altered_plan_is_not_approved(planned: Repository) -> None:
    path = planned.folder / "release.plan"
    path.write_bytes(path.read_bytes().replace(b"1053", b"1054"))
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna")
    assert ended.code == 3
    assert not (planned.folder / "release.plan.approval").exists()


def test_a_blocked_plan_is_not_approved(ready: Repository) -> None:
    ready.write(POLICY + "max_leads: 0\n")
    made = call(ready, "plan", "release-one.yaml", "--out", "release.plan")
    assert made.code == 3
    assert "saved to release.plan, to be looked at: it is blocked, and apply refuses it" in made.err
    assert "syncengine apply" not in made.err
    assert "syncengine approve" not in made.err
    ended = call(ready, "approve", "release.plan", "--key", "../keys/anna")
    assert ended.code == 3
    assert "max_leads: 1 lead would be sent, over 0 (syncengine.yaml:9)" in ended.err


def test_approvals_are_never_written_through_a_link(planned: Repository) -> None:
    victim = planned.folder / "victim"
    victim.write_text("precious\n")
    (planned.folder / "release.plan.approval").symlink_to(victim)
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna")
    assert ended.code == 1
    assert "it is a symbolic link" in ended.err
    assert victim.read_text() == "precious\n"


def test_approvals_are_never_written_into_a_fifo(planned: Repository) -> None:
    os.mkfifo(planned.folder / "release.plan.approval")
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna")
    assert ended.code == 1
    assert stat.S_ISFIFO((planned.folder / "release.plan.approval").stat().st_mode)


def test_changesets_are_not_applied_where_an_approval_rule_applies(ready: Repository) -> None:
    ended = call(ready, "apply", "release-one.yaml", "--yes", "--format", "json")
    assert ended.code == 3
    assert ended.json["error"]["code"] == "SE640"
    assert "syncengine plan --out" in ended.json["error"]["hint"]
    assert ready.effects == 0
    assert call(ready, "apply", "release-one.yaml").code == 1


def nothing_signed(repository: Repository, ended: Ended, code: str, *words: str) -> None:
    assert (ended.code, ended.json["error"]["code"]) == (3, code)
    assert ended.json["error"]["hint"]
    assert all(word in ended.json["error"]["message"] for word in words), ended.json
    assert not list(repository.folder.parent.rglob("*.approval"))


def test_author_cannot_sign(planned: Repository) -> None:
    commit = git(planned.folder, "rev-parse", "HEAD").strip()
    ended = call(planned, "approve", "release.plan", "--key", "../keys/author", "--format", "json")
    nothing_signed(planned, ended, "SE647", f"{AUTHOR} wrote a changeset of this plan: release-one.yaml", commit)


def test_key_that_is_not_listed_cannot_sign(planned: Repository) -> None:
    planned.key("stranger")
    ended = call(planned, "approve", "release.plan", "--key", "../keys/stranger", "--format", "json")
    nothing_signed(planned, ended, "SE644", "is not in", "allowed_signers")


@pytest.mark.parametrize("policy", ["max_leads: 5\n", "approvals: {required: 0}\n"])
def test_nothing_is_signed_where_no_signers_are_configured(planned: Repository, policy: str) -> None:
    planned.write(policy)
    planned.commit()
    assert call(planned, "plan", "release-one.yaml", "--out", "release.plan").code == 0
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna", "--format", "json")
    nothing_signed(planned, ended, "SE675", "names no allowed signers")


def test_nothing_is_signed_without_a_configuration(planned: Repository, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    plan = planned.folder / "release.plan"
    ended = run("approve", plan, "--key", "../keys/anna", "--format", "json", cwd=tmp_path / "elsewhere")
    nothing_signed(planned, ended, "SE675", "there is no syncengine.yaml")
    missing = run("approve", plan, "--key", "../keys/anna", "--config", "no.yaml", cwd=tmp_path / "elsewhere")
    assert missing.code == 1


def test_approval_can_be_given_in_another_checkout(planned: Repository, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(planned.folder), str(other))
    (planned.folder / "release.plan").rename(other / "release.plan")
    assert run("approve", "release.plan", "--key", "../keys/anna", cwd=other).code == 0
    (other / "release.plan").rename(planned.folder / "release.plan")
    (other / "release.plan.approval").rename(planned.folder / "release.plan.approval")
    assert call(planned, "apply", "release.plan").code == 0


def test_approvals_of_the_repository_are_read_unasked(planned: Repository) -> None:
    planned.signers(*(f"{name}@example.com {public(planned.key(name))}" for name in ("bob", "carla")))
    planned.write(POLICY.replace("required: 1", "required: 2"))
    planned.commit()
    assert call(planned, "plan", "release-one.yaml", "--out", "release.plan").code == 0
    digest = call(planned, "show", "release.plan", "--format", "json").json["plan"]
    file = f"approvals/{digest}.approval"
    for name in ("bob", "carla"):
        ended = call(
            planned, "approve", "release.plan", "--key", f"../keys/{name}", "--in-repository", "--format", "json"
        )
        assert (ended.code, ended.json["approval"]) == (0, file), ended.err
        assert f"commit {file}" in ended.err
    planned.commit(email="carla@example.com")
    assert call(planned, "plan", "release-one.yaml", "--out", "again.plan").code == 0
    shown = call(planned, "show", "again.plan", "--format", "json").json
    assert shown["plan"] == digest
    assert shown["approvals"] == {"needed": 2, "given": ["bob@example.com", "carla@example.com"], "left_out": []}
    assert call(planned, "apply", "again.plan").code == 0


def test_approvals_are_never_written_through_a_linked_folder(planned: Repository, tmp_path: Path) -> None:
    (planned.folder / "approvals").symlink_to(tmp_path)
    ended = call(planned, "approve", "release.plan", "--key", "../keys/anna", "--in-repository")
    assert ended.code == 1
    assert "approvals is a symbolic link" in ended.err


def test_signature_of_a_removed_signer_does_not_count(planned: Repository) -> None:
    call(planned, "approve", "release.plan", "--key", "../keys/anna", "--in-repository")
    planned.signers(f"bob@example.com {public(planned.key('bob'))}")
    planned.commit()
    stale = call(planned, "apply", "release.plan", "--format", "json")
    assert (stale.code, stale.json["error"]["code"]) == (3, "SE603")
    assert call(planned, "plan", "release-one.yaml", "--out", "release.plan").code == 0
    (old,) = (planned.folder / "approvals").iterdir()
    digest = call(planned, "show", "release.plan", "--format", "json").json["plan"]
    old.rename(old.with_name(f"{digest}.approval"))
    refused = call(planned, "apply", "release.plan", "--format", "json")
    assert (refused.code, refused.json["error"]["code"]) == (3, "SE640")
    assert planned.effects == 0


def test_submit_reads_the_approvals_of_the_repository(planned: Repository, postgres_server: PostgresServer) -> None:
    configuration = planned.folder / "syncengine.yaml"
    url = postgres_server.new_database()
    configuration.write_text(configuration.read_text() + f"ledger: {{url: {url}}}\n")
    assert call(planned, "plan", "release-one.yaml", "--out", "release.plan").code == 0
    assert call(planned, "submit", "release.plan").code == 3
    signed = call(planned, "approve", "release.plan", "--key", "../keys/anna", "--in-repository")
    assert signed.code == 0, signed.err
    ended = call(planned, "submit", "release.plan", "--claimed-approval", "anna, run 17", "--format", "json")
    assert ended.code == 0, ended.err
    shown = call(planned, "status", "--run", ended.json["run"], "--format", "json").json
    assert shown["claimed_by_ci"] == "anna, run 17"
