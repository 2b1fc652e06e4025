"""A repository as a team has it: git, a configuration with a policy, a changeset, people with SSH keys, a sandbox."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

from syncengine.api import Project, apply, load, plan
from syncengine.core.results import RunResult
from syncengine.sandbox import RunningSandbox

CHANGESET = """\
version: 1
changeset: {id}
account: acme
changes:
{changes}
"""

ONE_TRIGGER = """\
- lead: "2932682"
  update: {c1: checked}
  trigger: ["1053"]
"""

AUTHOR = "author@example.com"


def git(folder: Path, *arguments: str, email: str = AUTHOR) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "n",
        "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": "n",
        "GIT_COMMITTER_EMAIL": email,
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=os.environ | identity,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def make_key(folder: Path, name: str, *, kind: str = "ed25519", bits: int | None = None, phrase: str = "") -> Path:
    path = folder / name
    size = ["-b", str(bits)] if bits else []
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, *size, "-N", phrase, "-C", name, "-f", path],
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return path


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


@dataclass
class Repository:
    folder: Path
    sandbox: RunningSandbox
    keys: Path
    config: str = "syncengine.yaml"
    environ: dict[str, str] = field(default_factory=dict)

    def write(self, policy: str, *, changes: str = ONE_TRIGGER, name: str = "release-one") -> None:
        """The configuration with this policy section, and one changeset."""
        (self.folder / ".syncengine").mkdir(exist_ok=True)
        (self.folder / "sandbox.key").write_text(self.sandbox.api_key + "\n")
        (self.folder / self.config).write_text(
            "version: 1\naccounts:\n  acme:\n"
            f"    base_url: {self.sandbox.url}\n    api_key: file:sandbox.key\n"
            "    limits: {requests_per_second: 1000}\n"
            f"policy:\n{indent(policy, '  ')}"
        )
        self.changeset(changes, name=name)

    def changeset(self, changes: str, *, name: str = "release-one") -> Path:
        path = self.folder / f"{name}.yaml"
        path.write_text(CHANGESET.format(id=name, changes=indent(changes, "  ")))
        return path

    def signers(self, *lines: str) -> Path:
        path = self.folder / ".syncengine" / "allowed_signers"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def commit(self, *, email: str = AUTHOR) -> None:
        if not (self.folder / ".git").exists():
            git(self.folder, "init", "-q")
            (self.folder / ".gitignore").write_text("*.plan*\n.syncengine/ledger*\nsandbox.key\n")
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", "x", email=email)

    @property
    def project(self) -> Project:
        environ = {"PATH": os.environ["PATH"], **self.environ}
        return Project.open(self.folder / self.config, environ=environ)

    def plan(self, *files: str, out: str = "release.plan") -> Path:
        target = self.folder / out
        names = files or ("release-one.yaml",)
        plan(load([self.folder / name for name in names], self.project), self.project, out=target)
        return target

    def apply(self, target: Path, **more: Any) -> RunResult:
        return apply(target, self.project, **more)

    def key(self, name: str, **more: Any) -> Path:
        return make_key(self.keys, name, **more)

    @property
    def effects(self) -> int:
        """How many things really happened to leads."""
        assert self.sandbox.idle(10)
        return len(self.sandbox.effects_log.read_text().splitlines())
