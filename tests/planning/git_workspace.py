"""A workspace whose repository is a git repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.approvals.repository import git
from tests.workspace import Workspace


def commit(folder: Path, message: str = "x", *, email: str = "anna@example.com") -> str:
    """Commit everything in the folder; its commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
        (folder / ".gitignore").write_text("*.plan*\n/plans/\n.syncengine/\n", encoding="utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message, email=email)
    return output(folder, "rev-parse", "HEAD")


def output(folder: Path, *arguments: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def elsewhere(workspace: Workspace, folder: Path) -> Workspace:
    """A copy of the repository in another folder, its ledger included, with the same sandbox."""
    configuration = (workspace.root / "syncengine.yaml").read_bytes()
    shutil.copytree(workspace.root, folder, symlinks=True)
    copied = Workspace(folder, workspace.sandbox)
    (folder / "syncengine.yaml").write_bytes(configuration)
    return copied
