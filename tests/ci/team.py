"""The people around a repository: an author, a reviewer with an SSH key, a bare remote, the shared ledger."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from syncengine.sandbox import RunningSandbox
from tests.cli.console import SCRIPT, environment

AUTHOR, REVIEWER, MERGER = "maria@example.com", "anna@example.com", "bot@example.com"
_TOKEN = "glpat-comments-only"


class Team:
    """`author` and `reviewer` are clones of `remote`."""

    def __init__(self, folder: Path, sandbox: RunningSandbox, ledger_url: str) -> None:
        self.sandbox = sandbox
        self.ledger_url = ledger_url
        self.remote = folder / "remote.git"
        self.author = folder / "author"
        self.reviewer = folder / "reviewer"
        self.comment_token = _TOKEN
        self._key = folder / "anna"

    @property
    def ledger_key(self) -> Path:
        """Handed from person to person, never through git."""
        return self.author / ".syncengine" / "ledger.key"

    def found(self, system: str) -> None:
        """A repository as `init --ci` makes it, for the sandbox and with approvals, on the branch main."""
        self.author.mkdir()
        self.git(self.author, "init", "--quiet", "--initial-branch=main")
        told = self.run(self.author, "init", "--ci", system)
        assert "url: env:SYNCENGINE_LEDGER_URL" in (self.author / "syncengine.yaml").read_text(encoding="utf-8"), told
        self.edit("syncengine.yaml", "https://acme.leadbyte.co.uk", self.sandbox.url)
        self.edit("syncengine.yaml", "  # approvals:", "  approvals:")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._key], check=True)
        public = self._key.with_suffix(".pub").read_text(encoding="utf-8")
        self.write(".syncengine/allowed_signers", f"{REVIEWER} {public}")
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

    def propose(self, name: str, number: int) -> None:
        """Push the branch, and make the refs that a forge makes for proposal `number`: its head, and its merge."""
        self.commit(f"Propose {name}", AUTHOR)
        self.git(self.author, "push", "--quiet", "origin", name)
        self.git(self.author, "fetch", "--quiet", "origin")
        self.git(self.author, "switch", "--quiet", "--detach", "origin/main")
        self.git(self.author, "merge", "--quiet", "--no-ff", "--message", f"Merge {name}", name, email=MERGER)
        self.git(self.author, "push", "--quiet", "origin", f"HEAD:refs/pull/{number}/merge")

    def merge(self, number: int) -> None:
        """What was shown on the proposal becomes main."""
        self.git(self.remote, "update-ref", "refs/heads/main", f"refs/pull/{number}/merge")

    def approve(self) -> str:
        """What the reviewer does on a machine of her own: plan, look, sign, push the approval. Returns the digest."""
        self.git(self.reviewer, "pull", "--quiet", "origin", "main")
        key = self.reviewer / ".syncengine" / "ledger.key"
        key.write_bytes(self.ledger_key.read_bytes())
        key.chmod(0o600)
        plan = self.reviewer / "release.plan"
        digest = json.loads(self.run(self.reviewer, "plan", "changesets", "--out", str(plan), "--format", "json"))
        self.run(self.reviewer, "approve", str(plan), "--key", str(self._key))
        name = str(digest["plan"])
        (self.reviewer / "approvals").mkdir(exist_ok=True)
        plan.with_name("release.plan.approval").rename(self.reviewer / "approvals" / f"{name}.approval")
        self.git(self.reviewer, "add", "approvals")
        self.git(self.reviewer, "commit", "--quiet", "--message", f"Approve {name[:12]}", email=REVIEWER)
        self.git(self.reviewer, "push", "--quiet", "origin", "main")
        return name

    def run(self, folder: Path, *args: str) -> str:
        """syncengine, as a person who may read the ledger runs it."""
        env = environment(SYNCENGINE_LEDGER_URL=self.ledger_url)
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
