"""Lines of allowed_signers are those that ssh-keygen reads: comments hold no signer, names no hidden character."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from syncengine.core.values import PlanDigest
from syncengine.planning.approvals import signed_text
from syncengine.planning.approvals.signers import signers_in
from tests.cli.console import Ended, run_inside

from .repository import git, make_key, public

CONFIGURATION = """\
version: 1
accounts:
  acme: {base_url: "https://acme.leadbyte.co.uk", api_key: env:LEADBYTE_API_KEY}
policy:
  approvals: {required: 1, allowed_signers: .syncengine/allowed_signers}
"""
CHANGESET = 'version: 1\nchangeset: one-lead\naccount: acme\nchanges:\n  - lead: "1"\n    update: {c1: x}\n'
ENDS_NO_LINE = ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
"""What str.splitlines takes for the end of a line, and ssh-keygen does not."""


class Team:
    """A repository in which anna writes; anna, bob and mallory have keys."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        (self.root / ".syncengine").mkdir(parents=True)
        (self.root / "syncengine.yaml").write_text(CONFIGURATION)
        (self.root / "one.yaml").write_text(CHANGESET)
        (self.root / ".gitignore").write_text("*.plan*\n")
        self.keys = {name: make_key(folder, name) for name in ("anna", "bob", "mallory")}
        self.public = {name: public(key) for name, key in self.keys.items()}
        git(self.root, "init", "-q")

    def run(self, *args: str) -> Ended:
        return run_inside(*args, cwd=self.root)

    def approved_by(self, name: str, signers: str | bytes, *, code: int = 0) -> str:
        """What `approve` prints when this person signs a plan, with this file of signers."""
        data = signers if isinstance(signers, bytes) else signers.encode()
        (self.root / ".syncengine" / "allowed_signers").write_bytes(data)
        git(self.root, "add", "-A")
        git(self.root, "commit", "-qm", "x", email="anna@example.com")
        for file in self.root.glob("p.plan*"):
            file.unlink()
        planned = self.run("plan", "one.yaml", "--offline", "--out", "p.plan")
        assert planned.code == 0, planned.err
        approved = self.run("approve", "p.plan", "--key", str(self.keys[name]))
        assert approved.code == code, approved.err
        assert (self.root / "p.plan.approval").exists() == (code == 0)
        return approved.out + approved.err


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


@pytest.mark.parametrize("mark", ENDS_NO_LINE)
def test_signer_hidden_in_a_comment_does_not_count(team: Team, mark: str) -> None:
    signers = f"# left:{mark}mallory@example.com {team.public['mallory']}\nbob@example.com {team.public['bob']}\n"
    assert "is not in " in team.approved_by("mallory", signers, code=3)
    assert [signer.principals for signer in signers_in(signers)] == [("bob@example.com",)]


def test_signer_counts_in_a_file_with_windows_line_ends(team: Team) -> None:
    signers = f"# the team\r\nbob@example.com {team.public['bob']}\r\n"
    assert "approved by: bob@example.com" in team.approved_by("bob", signers)


def test_author_does_not_approve_by_way_of_a_byte_order_mark(team: Team) -> None:
    shown = team.approved_by("anna", f"\ufeffanna@example.com {team.public['anna']}\n", code=3)
    assert "anna@example.com wrote a changeset of this plan" in shown


def test_byte_order_mark_does_not_lock_out_the_first_signer(team: Team) -> None:
    assert "approved by: bob@example.com" in team.approved_by("bob", f"\ufeffbob@example.com {team.public['bob']}\n")


@pytest.mark.parametrize(
    ("principal", "point"),
    [
        ("anna\u200b@example.com", "U+200B"),
        ("anna@example.com\u00a0", "U+00A0"),
        ("\u2060anna@example.com", "U+2060"),
        ("anna\u00ad@example.com", "U+00AD"),
        ("anna\u3164@example.com", "U+3164"),
        ("anna\u202e@example.com", "U+202E"),
        ("anna\x08@example.com", "U+0008"),
        ("anna\x0c@example.com", "U+000C"),
        ("anna\u2028@example.com", "U+2028"),
        ("bob@example.com,anna\ufe0f@example.com", "U+FE0F"),
        ("bob@example.com,\ufeffanna@example.com", "U+FEFF"),
        ('"anna\u2003@example.com"', "U+2003"),
    ],
)
def test_principal_with_an_invisible_character_is_refused_with_its_code_point(
    team: Team, principal: str, point: str
) -> None:
    shown = team.approved_by("anna", f"{principal} {team.public['anna']}\n", code=3)
    assert "line 1 of" in shown
    assert point in shown


def test_doctor_names_a_signer_with_an_invisible_character(team: Team) -> None:
    signers = f"bob@example.com {team.public['bob']}\nanna\u200b@example.com {team.public['anna']}\n"
    (team.root / ".syncengine" / "allowed_signers").write_text(signers, encoding="utf-8")
    found = team.run("doctor", "--offline")
    assert "allowed_signers:2: no one can approve with this line: " in found.out
    assert "anna<U+200B>@example.com" in found.out


@pytest.mark.parametrize(
    "principal", ["bob@example.com", "Bob.O'Neil@example.com", "böb@example.com", "bob", "боб@example.com"]
)
def test_names_of_people_are_accepted(team: Team, principal: str) -> None:
    assert f"approved by: {principal}" in team.approved_by("bob", f"{principal} {team.public['bob']}\n")


def _verified(folder: Path, signers: bytes, name: str, signature: bytes, message: bytes) -> bool:
    allowed, block = folder / "allowed", folder / "block"
    allowed.write_bytes(signers)
    block.write_bytes(signature)
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", name, "-n", "syncengine-plan", "-s", block],
        input=message,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def test_whatever_counts_here_ssh_keygen_verifies_with_the_same_file(team: Team, tmp_path: Path) -> None:
    """Files of lines put together at random: each signer that is read must be one for ssh-keygen, under each name."""
    message = signed_text(PlanDigest("sha256:" + "0" * 64))
    signatures = {}
    for name, key in team.keys.items():
        done = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", "syncengine-plan", "-f", key],
            input=message,
            capture_output=True,
            check=True,
        )
        signatures[team.public[name]] = done.stdout
    chance = random.Random(12)
    pieces = [*ENDS_NO_LINE, "\n", "\r\n", " ", "\t", "#", '"', ",", "\0", "\u00a0", "\u200b", "\ufeff", "a@x", "b@x "]
    pieces += [f"c@x {key}" for key in team.public.values()] + [f" {key}" for key in team.public.values()]
    pieces += [f'"d@x,e@x" {key}\n' for key in team.public.values()] + [
        'f@x namespaces="syncengine-plan" ',
        "g@x, h@x ",
    ]
    counted = 0
    for _ in range(250):
        text = "".join(chance.choice(pieces) for _ in range(chance.randint(2, 9))).removeprefix("\ufeff")
        for signer in signers_in(text):
            key = signer.line.split('" ', 1)[-1].removeprefix('namespaces="syncengine-plan" ').strip()
            if signer.fault or key not in signatures:
                continue
            for name in signer.principals:
                counted += 1
                assert _verified(tmp_path, text.encode(), name, signatures[key], message), (text, name)
    assert counted > 30
