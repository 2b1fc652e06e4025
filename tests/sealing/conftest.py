from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from syncengine.sandbox import Sandbox, SandboxOptions
from tests.workspace import Workspace


class Keys:
    """A pair of age keys: the public one as text, the private one as text and as a file."""

    def __init__(self, folder: Path, name: str) -> None:
        identity = pyrage.x25519.Identity.generate()
        self.public = str(identity.to_public())
        self.private = str(identity)
        self.file = folder / f"{name}.key"
        self.file.write_text(f"# created by a test\n# public key: {self.public}\n{self.private}\n")
        self.file.chmod(0o600)


class SshKeys:
    """A pair of SSH keys in files."""

    def __init__(self, folder: Path, kind: str, *, passphrase: str = "") -> None:
        self.file = folder / f"id_{kind}{'_locked' if passphrase else ''}"
        command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "ann@example.com", "-f", str(self.file)]
        subprocess.run(command, check=True)
        self.public_file = self.file.with_suffix(".pub")
        self.public = self.public_file.read_text().strip()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "repository").mkdir()
    with Sandbox(SandboxOptions(state=tmp_path / "sandbox", any_lead=True)).start() as sandbox:
        yield Workspace(tmp_path / "repository", sandbox)


@pytest.fixture
def ann(tmp_path: Path) -> Keys:
    return Keys(tmp_path, "ann")


@pytest.fixture
def robot(tmp_path: Path) -> Keys:
    return Keys(tmp_path, "robot")
