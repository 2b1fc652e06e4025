"""The people around a repository: an author, a reviewer with an SSH key, a bare remote, the shared ledger."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from syncengine.sandbox import RunningSandbox
from tests.cli.console import SCRIPT, environment

AUTHOR, REVIEWER, MERGER = "maria@example.com", "anna@example.com", "bot@example.com"
CLERK = "carl@example.com"
"""Writes data files."""
LIMITS = "    limits: {requests_per_second: 1000, settle: 0}"
_READER = "ledger_reader"
_READ_ONLY = f"""
DO $$ BEGIN CREATE ROLE {_READER} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT USAGE ON SCHEMA syncengine TO {_READER};
GRANT SELECT ON ALL TABLES IN SCHEMA syncengine TO {_READER};
"""


class Team:
    """`author` and `reviewer` are clones of `remote`."""

    def __init__(self, folder: Path, sandbox: RunningSandbox, ledger_url: str) -> None:
        self.sandbox = sandbox
        self.ledger_url = ledger_url
        self.remote = folder / "remote.git"
        self.author = folder / "author"
        self.reviewer = folder / "reviewer"

    @property
    def ledger_key(self) -> Path:
        """Handed from person to person, never through git."""
        return self.author / ".syncengine" / "ledger.key"

    def url_of(self, environment: str) -> str:
        """The ledger's URL, with the role that jobs in this environment have."""
        if environment == "leadbyte":
            return self.ledger_url
        address = urlsplit(self.ledger_url)
        return address._replace(netloc=f"{_READER}@{address.netloc.rpartition('@')[2]}").geturl()

    def found(self, system: str, *, signatures: bool = True) -> None:
        """A repository as `init --ci` makes it, for the sandbox, on the branch main."""
        self.author.mkdir()
        self.git(self.author, "init", "--quiet", "--initial-branch=main")
        told = self.run(self.author, "init", "--ci", system)
        assert "url: env:SYNCENGINE_LEDGER_URL" in (self.author / "syncengine.yaml").read_text(encoding="utf-8"), told
        with psycopg.connect(self.ledger_url, autocommit=True) as connection:
            connection.execute(_READ_ONLY)
        workflow = ".github/workflows/syncengine.yml" if system == "github" else ".gitlab-ci.yml"
        self.edit(workflow, 'SYNCENGINE: ""', "SYNCENGINE: leadbyte-syncengine[postgres]")
        self.edit("syncengine.yaml", "https://acme.leadbyte.co.uk", self.sandbox.url)
        self.edit("syncengine.yaml", "    # limits: {requests_per_second: 5, concurrency: 1}", LIMITS)
        if signatures:
            self.edit("syncengine.yaml", "  # approvals:", "  approvals:")
        signers = ""
        for email in (REVIEWER, AUTHOR, CLERK):
            key = self.key(email)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
            signers += f"{email} {key.with_suffix('.pub').read_text(encoding='utf-8')}"
        self.write(".syncengine/allowed_signers", signers)
        (self.author / "changesets" / "example.yaml").unlink()
        self.write("changesets/README.md", "Changesets of the acme account.\n")
        self.commit("Found the repository", AUTHOR)
        self.git(self.author, "clone", "--quiet", "--bare", self.author, self.remote)
        self.git(self.author, "remote", "add", "origin", self.remote)
        self.git(self.author, "fetch", "--quiet", "origin")
        self.git(self.author, "clone", "--quiet", self.remote, self.reviewer)

    def write(self, name: str, text: str) -> None:
        path = self.author / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.author / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def branch(self, name: str) -> None:
        self.git(self.author, "switch", "--quiet", "--create", name, "origin/main")

    def commit(self, message: str, email: str) -> None:
        self.git(self.author, "add", "--all")
        self.git(self.author, "commit", "--quiet", "--message", message, email=email)

    def propose(self, name: str, number: int, email: str = AUTHOR) -> None:
        """Push the branch, and make the refs that a forge makes for proposal `number`: its head, and its merge."""
        self.commit(f"Propose {name}", email)
        self.push(name, number)

    def push(self, name: str, number: int) -> None:
        """The branch, and the refs of its proposal."""
        self.git(self.author, "push", "--quiet", "origin", name)
        for head in (f"refs/pull/{number}/head", f"refs/merge-requests/{number}/head"):
            self.git(self.author, "push", "--quiet", "--force", "origin", f"{name}:{head}")
        self._on_main()
        self.git(self.author, "merge", "--quiet", "--no-ff", "--message", f"Merge {name}", name, email=MERGER)
        self.git(self.author, "push", "--quiet", "--force", "origin", f"HEAD:refs/pull/{number}/merge")

    def _on_main(self) -> None:
        self.git(self.author, "fetch", "--quiet", "origin")
        self.git(self.author, "switch", "--quiet", "--detach", "origin/main")

    def merge(self, name: str, *, squash: bool = False) -> str:
        """Merge a branch into main as it is now, or squash it there. Returns the commit."""
        self._on_main()
        branch = f"origin/{name}"
        if squash:
            self.git(self.author, "merge", "--quiet", "--squash", branch)
            # The forge commits; the proposal's author stays the author.
            self.git(self.author, "commit", "--quiet", "--author", f"maria <{AUTHOR}>", "--message", f"{name} (#1)")
        else:
            self.git(self.author, "merge", "--quiet", "--no-ff", "--message", f"Merge {name}", branch)
        self.git(self.author, "push", "--quiet", "origin", "HEAD:main")
        return self.head()

    def head(self) -> str:
        """The commit of main."""
        return self.git(self.remote, "rev-parse", "main").strip()

    def sign(self, branch: str = "main", *, changeset: str = "", signer: str = REVIEWER) -> str:
        """What an approver does on a machine of their own: plan, look, sign, push. Returns the last digest signed."""
        self.git(self.reviewer, "fetch", "--quiet", "origin")
        self.git(self.reviewer, "switch", "--quiet", "--detach", f"origin/{branch}")
        key = self.reviewer / ".syncengine" / "ledger.key"
        key.write_bytes(self.ledger_key.read_bytes())
        key.chmod(0o600)
        plans = self.reviewer.parent / "plans-of-reviewer"
        self.run(self.reviewer, "plan", "changesets", "--each", str(plans))
        digest = ""
        for plan in json.loads((plans / "plans.json").read_text())["plans"]:
            if changeset not in ("", plan["changeset"]):
                continue
            digest = str(plan["plan"])
            file = plans / plan["file"]
            signature = subprocess.run(
                ["ssh-keygen", "-q", "-Y", "sign", "-n", "syncengine-plan", "-f", self.key(signer)],
                input=f"{digest}\n", capture_output=True, text=True, check=True,
            )  # fmt: skip
            (self.reviewer / "approvals").mkdir(exist_ok=True)
            (self.reviewer / "approvals" / f"{digest}.approval").write_text(signature.stdout, encoding="utf-8")
            assert file.exists()
        self.git(self.reviewer, "add", "approvals")
        self.git(self.reviewer, "commit", "--quiet", "--message", f"Approve {digest[:12]}", email=signer)
        self.git(self.reviewer, "push", "--quiet", "origin", f"HEAD:{branch}")
        return digest

    def key(self, email: str) -> Path:
        """A person's SSH key."""
        return self.remote.parent / email.partition("@")[0]

    def run(self, folder: Path, *args: str) -> str:
        """syncengine, as a person with access to ledger and service runs it."""
        env = environment(SYNCENGINE_LEDGER_URL=self.ledger_url, LEADBYTE_API_KEY=self.sandbox.api_key)
        done = subprocess.run([SCRIPT, *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def git(self, folder: Path, *args: str | Path, email: str = MERGER) -> str:
        return git(folder, *args, email=email)

    @property
    def effects(self) -> list[dict[str, Any]]:
        """What the service did."""
        return _lines(self.sandbox.effects_log)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What reached the service."""
        return _lines(self.sandbox.requests_log)


def git(folder: Path, *args: str | Path, email: str = MERGER) -> str:
    """git as somebody, without this machine's configuration."""
    name = email.partition("@")[0]
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", name), ("EMAIL", email))},
    }  # fmt: skip
    done = subprocess.run(["git", *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
