"""Runs ssh-keygen, which makes and checks the signatures. Nothing else of OpenSSH is used."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from syncengine.core.errors import InputError
from syncengine.core.text import lines_of

_PROGRAM = "ssh-keygen"
_OURS = ("LEADBYTE_", "SYNCENGINE_")
"""Environment variables that may hold keys and that OpenSSH does not need."""

_CHECK_SECONDS = 20.0
_SIGN_SECONDS = 300.0
"""Time limit in seconds, for a passphrase or for touching a hardware key."""

_CHATTER = ("Signing data on standard input", "Signing file ")


class SignatureCheck(msgspec.Struct, frozen=True):
    """Result of one signature against one line of the signers' file: the signer, or why it does not count."""

    principals: tuple[str, ...]
    complaint: str = ""


class Keygen:
    """`environ` is its environment: PATH to find it, and the agent's socket for keys that an agent holds."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        program = shutil.which(_PROGRAM, path=environ.get("PATH"))
        if program is None:
            raise InputError(
                f"{_PROGRAM} is not on the PATH: approvals are SSH signatures, made and checked with it",
                code="SE905",
                hint="install OpenSSH's client programs (package openssh-client), version 8.2 or newer",
            )
        self._program = program
        self._signing = {name: text for name, text in environ.items() if not name.startswith(_OURS)}
        self._checking = {name: environ[name] for name in ("PATH", "TZ") if name in environ} | {"LC_ALL": "C"}

    def sign(self, message: bytes, *, key: Path, namespace: str) -> str:
        """An armoured signature. `key` is a private key, or a public one whose private key an agent holds."""
        done = self._run(
            ["-Y", "sign", "-n", namespace, "-f", str(key)], message, self._signing, patience=_SIGN_SECONDS
        )
        if done.returncode != 0:
            raise InputError(
                f"cannot sign with {key}: {_words(done.stderr) or 'ssh-keygen gave no reason'}",
                code="SE905",
                hint="--key names a private SSH key, or the .pub of a key that ssh-agent holds; "
                "'ssh-keygen -t ed25519' makes one",
            )
        return done.stdout.decode("ascii", "replace")

    def check(self, message: bytes, signature: str, *, signer: str, namespace: str, now: str) -> SignatureCheck:
        """Check one signature against one line of the signers' file, at the time `now` (ISO 8601)."""
        moment = datetime.fromisoformat(now).astimezone().strftime("%Y%m%d%H%M%S")
        with tempfile.TemporaryDirectory(prefix="syncengine-") as folder:
            allowed, block = Path(folder) / "signers", Path(folder) / "signature"
            allowed.write_text(signer, encoding="utf-8")
            block.write_text(signature, encoding="utf-8")
            options = ["-f", str(allowed), "-s", str(block), f"-Overify-time={moment}"]
            found = self._run(["-Y", "find-principals", *options], b"", self._checking)
            names = found.stdout.decode("utf-8", "replace").split("\n") if found.returncode == 0 else []
            good: list[str] = []
            complaint = _words(found.stderr, str(allowed))
            for name in filter(None, names):
                judged = self._run(["-Y", "verify", "-n", namespace, "-I", name, *options], message, self._checking)
                if judged.returncode == 0:
                    good.append(name)
                else:
                    complaint = _words(judged.stderr, str(allowed))
            return SignatureCheck(tuple(good), complaint)

    def _run(
        self, arguments: Sequence[str], data: bytes, environ: Mapping[str, str], *, patience: float = _CHECK_SECONDS
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                [self._program, *arguments], input=data, capture_output=True, env=environ, timeout=patience, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"ssh-keygen {' '.join(arguments[:2])} did not finish within {patience:.0f} s",
                code="SE905",
                hint="is a passphrase, or a touch of a hardware key, waited for?",
            ) from error
        except OSError as error:
            raise InputError(f"cannot run {self._program}: {error.strerror}", code="SE905") from error


def _words(stderr: bytes, hidden: str = "") -> str:
    """ssh-keygen's message, without noise and without the name of the temporary file."""
    text = stderr.decode("utf-8", "replace")
    if hidden:
        text = text.replace(f"{hidden}:1: ", "").replace(hidden, "the signers' file")
    lines = [line.strip(" @\r") for line in lines_of(text)]
    return "; ".join(line for line in lines if line and not line.startswith(_CHATTER))
